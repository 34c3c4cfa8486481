"""Users sign in, change hats and leave; who guesses waits."""

from __future__ import annotations

import pytest

from baygrid.app import guessing, signing_in
from baygrid.app.problems import Forbidden, Invalid, NotFound, SlowDown, Unauthorized
from baygrid.app.signing_in import Session, session_of, sign_in_local, sign_in_oidc, sign_out, switch
from baygrid.ports.identity import Claims, Level, Membership, Of, OfKind, Said
from baygrid.ports.records import Role, Scope
from tests.app.people import PASSWORD, add_user
from tests.app.stage import HOUR, Stage

DEMO = Of(OfKind.PROJECT, "demo")
ACME = Of(OfKind.ORGANISATION, "acme")
HUB = Of(OfKind.CENTRE, "hub")
PLATFORM = Of(OfKind.PLATFORM)


def links(stage: Stage) -> list[tuple[str, dict[str, object]]]:
    found = stage.store.read(lambda tx: tx.audit.after(0, 1000))
    return [(link.kind, dict(link.data)) for link in found]


def entered(stage: Stage, *memberships: tuple[Of, Level]) -> tuple[Session, str]:
    add_user(stage.platform, "wu", *memberships)
    return sign_in_local(stage.platform, "wu", PASSWORD)


def test_a_session_acts_as_its_user_in_one_hat(stage: Stage):
    session, secret = entered(stage, (DEMO, Level.MEMBER), (PLATFORM, Level.OPERATOR))
    assert [hat.key for hat in session.hats] == ["project:demo", "platform"]
    actor = session.actor
    assert (actor.role, actor.project, actor.token_id, actor.user) == (
        Role.TEAM, "demo", session.id, session.user.id,
    )  # fmt: skip
    assert actor.scopes == {Scope.READ, Scope.USE}
    assert session_of(stage.platform, secret) == session
    kinds = [kind for kind, _ in links(stage)]
    assert kinds == ["signed-in"]
    assert secret not in str(links(stage))


def test_the_name_of_an_account_is_the_same_in_capitals(stage: Stage):
    add_user(stage.platform, "wu", (DEMO, Level.LEAD))
    assert sign_in_local(stage.platform, " WU ", PASSWORD)[0].user.subject == "wu"


@pytest.mark.parametrize(("name", "password"), [("wu", "wrong"), ("nobody", PASSWORD), ("wu", ""), ("", "")])
def test_a_wrong_name_and_a_wrong_password_are_told_alike_and_audited(stage: Stage, name: str, password: str):
    user = add_user(stage.platform, "wu", (DEMO, Level.LEAD))
    with pytest.raises(Unauthorized, match="the name or the password is not right"):
        sign_in_local(stage.platform, name, password)
    told = {"issuer": "local", "user": user.id if name == "wu" else None}
    assert links(stage) == [("sign-in-failed", told)]


def test_guessing_is_slowed_down_more_and_more_also_for_names_that_are_not_there(stage: Stage):
    for name in ("wu", "nobody"):
        if name == "wu":
            add_user(stage.platform, "wu", (DEMO, Level.LEAD))
        waits = []
        for _ in range(20):
            while True:
                try:
                    guessing.begin(stage.platform, "local", name)
                    break
                except SlowDown as slow:
                    waits.append(slow.extra["seconds"])
                    stage.pass_time(slow.extra["seconds"] * 1000)
        assert waits[:6] == [1, 2, 4, 8, 16, 32]
        assert waits[-1] == 300


def test_while_one_waits_the_right_password_is_refused_too_and_then_clears_the_count(stage: Stage):
    add_user(stage.platform, "wu", (DEMO, Level.LEAD))
    for _ in range(guessing.FREE):
        with pytest.raises(Unauthorized):
            sign_in_local(stage.platform, "wu", "wrong")
    with pytest.raises(SlowDown):
        sign_in_local(stage.platform, "wu", PASSWORD)
    stage.pass_time(1000)
    sign_in_local(stage.platform, "wu", PASSWORD)
    for _ in range(guessing.FREE):
        with pytest.raises(Unauthorized):
            sign_in_local(stage.platform, "wu", "wrong")


def test_a_session_ends_unused_after_half_a_day_and_used_after_a_week(stage: Stage):
    _, secret = entered(stage, (DEMO, Level.LEAD))
    stage.pass_time(12 * HOUR)
    with pytest.raises(Unauthorized):
        session_of(stage.platform, secret)
    _, secret = sign_in_local(stage.platform, "wu", PASSWORD)
    for _ in range(27):
        stage.pass_time(6 * HOUR)
        session_of(stage.platform, secret)
    stage.pass_time(6 * HOUR)
    with pytest.raises(Unauthorized):
        session_of(stage.platform, secret)


@pytest.mark.parametrize("secret", [None, "", "made-up", "x" * 10_000])
def test_no_other_secret_is_a_session(stage: Stage, secret: str | None):
    entered(stage, (DEMO, Level.LEAD))
    with pytest.raises(Unauthorized):
        session_of(stage.platform, secret)


def test_each_sign_in_and_each_change_of_hats_makes_a_new_secret(stage: Stage):
    session, first = entered(stage, (DEMO, Level.LEAD), (PLATFORM, Level.OPERATOR))
    second, other = sign_in_local(stage.platform, "wu", PASSWORD)
    assert first != other
    assert session.csrf != second.csrf
    changed, third = switch(stage.platform, session, "platform")
    assert (changed.id, changed.actor.role) == (session.id, Role.OPERATOR)
    assert changed.csrf != session.csrf
    assert session_of(stage.platform, third) == changed
    with pytest.raises(Unauthorized):
        session_of(stage.platform, first)
    assert ("hat-changed", {"user": session.user.id, "session": session.id, "hat": "platform"}) in links(
        stage
    )


def test_who_signs_in_again_wears_the_last_hat(stage: Stage):
    session, _ = entered(stage, (DEMO, Level.LEAD), (PLATFORM, Level.OPERATOR))
    switch(stage.platform, session, "platform")
    assert sign_in_local(stage.platform, "wu", PASSWORD)[0].hat.key == "platform"


@pytest.mark.parametrize("key", ["platform", "project:other", "centre:hub", "", "project:demo "])
def test_nobody_takes_a_hat_that_is_not_his(stage: Stage, key: str):
    session, secret = entered(stage, (DEMO, Level.LEAD))
    with pytest.raises(NotFound):
        switch(stage.platform, session, key)
    assert session_of(stage.platform, secret) == session


def test_who_signs_out_is_out_and_stays_out(stage: Stage):
    session, secret = entered(stage, (DEMO, Level.LEAD))
    sign_out(stage.platform, session)
    sign_out(stage.platform, session)
    with pytest.raises(Unauthorized):
        session_of(stage.platform, secret)
    with pytest.raises(Unauthorized):
        switch(stage.platform, session, "project:demo")
    assert [kind for kind, _ in links(stage)] == ["signed-in", "signed-out"]


def test_a_membership_that_ends_ends_what_was_done_with_it(stage: Stage):
    session, secret = entered(stage, (DEMO, Level.LEAD))
    stage.store.write(lambda tx: tx.users.remove_membership(session.user.id, DEMO))
    with pytest.raises(Unauthorized):
        session_of(stage.platform, secret)
    with pytest.raises(Forbidden, match="belongs to no project"):
        sign_in_local(stage.platform, "wu", PASSWORD)


def test_an_admin_leads_all_projects_of_the_organisation_and_its_member_looks_at_them(stage: Stage):
    stage.add_project("second")
    session, _ = entered(stage, (ACME, Level.ADMIN))
    assert [(hat.project, hat.level) for hat in session.hats] == [
        ("demo", Level.ADMIN), ("second", Level.ADMIN),
    ]  # fmt: skip
    assert session.actor.organisation == "acme"
    add_user(stage.platform, "li", (ACME, Level.MEMBER), (DEMO, Level.MEMBER))
    li, _ = sign_in_local(stage.platform, "li", PASSWORD)
    assert [(hat.project, hat.level) for hat in li.hats] == [
        ("demo", Level.MEMBER), ("second", Level.VIEWER),
    ]  # fmt: skip
    assert li.actor.organisation is None


def claims(*memberships: Said, name: str = "Chan") -> Claims:
    return Claims("https://id.example", "sub-1", name, "chan@example.org", "zh-Hant", memberships)


def test_a_provider_says_who_comes_and_of_what_he_is_a_member(stage: Stage):
    first, _ = sign_in_oidc(stage.platform, claims(Said(DEMO, Level.LEAD), Said(HUB, Level.OPERATOR)))
    assert (first.user.issuer, first.user.subject, first.user.language) == (
        "https://id.example", "sub-1", "zh-Hant",
    )  # fmt: skip
    assert [hat.key for hat in first.hats] == ["project:demo", "centre:hub"]
    second, _ = sign_in_oidc(stage.platform, claims(Said(DEMO, Level.VIEWER), name="Chan T."))
    assert second.user.id == first.user.id
    assert second.user.name == "Chan T."
    assert [(hat.key, hat.level) for hat in second.hats] == [("project:demo", Level.VIEWER)]
    kinds = [kind for kind, _ in links(stage)]
    assert kinds == ["membership-set", "membership-set", "signed-in", "membership-ended", "membership-set",
                     "signed-in"]  # fmt: skip


def test_what_somebody_here_gave_a_provider_does_not_take(stage: Stage):
    session, _ = sign_in_oidc(stage.platform, claims(Said(DEMO, Level.VIEWER)))
    given = Membership(session.user.id, HUB, Level.OPERATOR, stage.now, "tok-operator")
    stage.store.write(lambda tx: tx.users.put_membership(given))
    assert [hat.key for hat in sign_in_oidc(stage.platform, claims())[0].hats] == ["centre:hub"]


def test_a_local_account_and_a_providers_of_the_same_name_are_two(stage: Stage):
    add_user(stage.platform, "sub-1", (PLATFORM, Level.OPERATOR))
    with pytest.raises(Forbidden, match="belongs to no project"):
        sign_in_oidc(stage.platform, claims())


@pytest.mark.parametrize(
    ("scheme", "host", "name"),
    [
        ("https", "baygrid.example", "__Host-baygrid"),
        ("https", "127.0.0.1", "__Host-baygrid"),
        ("http", "127.0.0.1", "baygrid"),
        ("http", "127.8.8.8", "baygrid"),
        ("http", "localhost", "baygrid"),
        ("http", "[::1]", "baygrid"),
    ],
)
def test_over_tls_the_cookie_is_one_that_only_this_host_sets(scheme: str, host: str, name: str):
    assert signing_in.cookie_name(scheme, host) == name


@pytest.mark.parametrize(
    "host", ["baygrid.example", "10.0.0.1", "localhost.example", "", "127.0.0.1.example"]
)
def test_nobody_signs_in_over_a_network_in_the_clear(host: str):
    with pytest.raises(Invalid, match="TLS"):
        signing_in.cookie_name("http", host)
