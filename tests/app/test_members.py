"""Members, invitations, tokens of leads, and devices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baygrid.app import devices, guessing, invitations, members, tokens
from baygrid.app.access import Actor, authenticate
from baygrid.app.invitations import Account, accept, accept_new, invite
from baygrid.app.problems import Forbidden, Invalid, NotFound, NotYet, SlowDown, Unauthorized, WrongState
from baygrid.app.signing_in import Session, session_of, sign_in_local, sign_in_oidc
from baygrid.ports.identity import Claims, Level, Of, OfKind, Said
from baygrid.ports.records import Role, Scope
from tests.app.people import PASSWORD, add_user
from tests.app.stage import HOUR, OPERATOR, Stage

DEMO, OTHER, PLATFORM = Of(OfKind.PROJECT, "demo"), Of(OfKind.PROJECT, "other"), Of(OfKind.PLATFORM)
ACME, HUB = Of(OfKind.ORGANISATION, "acme"), Of(OfKind.CENTRE, "hub")
DAY = 24 * HOUR


def entered(stage: Stage, name: str, *memberships: tuple[Of, Level]) -> Session:
    add_user(stage.platform, name, *memberships)
    return sign_in_local(stage.platform, name, PASSWORD)[0]


def links(stage: Stage) -> list[str]:
    return [link.kind for link in stage.store.read(lambda tx: tx.audit.after(0, 1000))]


@pytest.fixture
def lead(stage: Stage) -> Session:
    return entered(stage, "lead", (DEMO, Level.LEAD))


@pytest.mark.parametrize(
    ("text", "of"),
    [("project:demo", DEMO), ("organisation:acme", ACME), ("centre:hub", HUB), ("platform", PLATFORM)],
)
def test_that_of_which_one_is_a_member_is_written_in_one_way(text: str, of: Of):
    assert members.parse_of(text) == of
    assert of.key == text


@pytest.mark.parametrize(
    "text", ["", "demo", "project", "project:", "platform:", "platform:x", "user:x", ":"]
)
def test_nothing_else_is_taken(text: str):
    with pytest.raises(Invalid):
        members.parse_of(text)


def test_everybody_in_a_project_sees_who_is_and_only_leads_change_it(stage: Stage, lead: Session):
    viewer = entered(stage, "viewer", (DEMO, Level.VIEWER))
    found = members.members(stage.platform, viewer.actor, DEMO)
    assert [(it.user.subject, it.row.level) for it in found] == [
        ("lead", Level.LEAD), ("viewer", Level.VIEWER),
    ]  # fmt: skip
    for act in (
        lambda: members.set_level(stage.platform, viewer.actor, DEMO, viewer.user.id, Level.LEAD),
        lambda: members.remove(stage.platform, viewer.actor, DEMO, lead.user.id),
        lambda: invite(stage.platform, viewer.actor, DEMO, Level.LEAD),
        lambda: invitations.invitations(stage.platform, viewer.actor, DEMO),
        lambda: tokens.tokens(stage.platform, viewer.actor),
        lambda: tokens.add_token(stage.platform, viewer.actor, tokens.Wanted(Role.TEAM, "demo")),
    ):
        with pytest.raises(Forbidden):
            act()
    members.set_level(stage.platform, lead.actor, DEMO, viewer.user.id, Level.MEMBER)
    assert sign_in_local(stage.platform, "viewer", PASSWORD)[0].actor.scopes == {Scope.READ, Scope.USE}


def test_a_lead_has_nothing_to_say_elsewhere(stage: Stage, lead: Session):
    stage.add_project("other")
    stage.add_site("hub")
    entered(stage, "rival", (OTHER, Level.LEAD))
    for of, problem in ((OTHER, NotFound), (ACME, Forbidden), (HUB, Forbidden), (PLATFORM, Forbidden)):
        with pytest.raises(problem):
            members.members(stage.platform, lead.actor, of)
        with pytest.raises(problem):
            invite(stage.platform, lead.actor, of, Level.OPERATOR)


def test_nobody_learns_of_a_project_by_leaving_it_or_by_an_invitation_to_it(stage: Stage, lead: Session):
    """The answers are those for what there is not, to the word."""
    stage.add_project("other")
    rival = entered(stage, "rival", (OTHER, Level.LEAD))
    theirs = invite(stage.platform, rival.actor, OTHER, Level.MEMBER).row.id
    told = []
    for act in (
        lambda: invitations.take_back(stage.platform, lead.actor, theirs),
        lambda: invitations.take_back(stage.platform, lead.actor, "none"),
        lambda: members.remove(stage.platform, lead.actor, OTHER, lead.user.id),
        lambda: members.remove(stage.platform, lead.actor, Of(OfKind.PROJECT, "none"), lead.user.id),
    ):
        with pytest.raises(NotFound) as refused:
            act()
        told.append(refused.value.detail.replace(theirs, "none").replace("other", "none"))
    assert (told[0], told[2]) == (told[1], told[3])


def test_who_is_removed_is_out_at_once_with_sessions_and_tokens(stage: Stage, lead: Session):
    add_user(stage.platform, "wu", (DEMO, Level.MEMBER))
    wu, secret = sign_in_local(stage.platform, "wu", PASSWORD)
    token = device_token(stage, wu)
    assert authenticate(stage.platform, token).user == wu.user.id
    members.remove(stage.platform, lead.actor, DEMO, wu.user.id)
    with pytest.raises(Unauthorized):
        session_of(stage.platform, secret)
    with pytest.raises(Unauthorized):
        authenticate(stage.platform, token)
    assert "membership-ended" in links(stage)


def test_a_token_of_a_user_is_good_for_no_more_than_the_user_is_now(stage: Stage, lead: Session):
    wu = entered(stage, "wu", (DEMO, Level.MEMBER))
    token = device_token(stage, wu)
    assert authenticate(stage.platform, token).scopes == {Scope.READ, Scope.USE}
    members.set_level(stage.platform, lead.actor, DEMO, wu.user.id, Level.VIEWER)
    assert authenticate(stage.platform, token).scopes == {Scope.READ}
    members.set_level(stage.platform, lead.actor, DEMO, wu.user.id, Level.LEAD)
    assert authenticate(stage.platform, token).scopes == {Scope.READ, Scope.USE}


def test_everybody_may_leave_but_the_last_operator(stage: Stage, lead: Session):
    members.remove(stage.platform, lead.actor, DEMO, lead.user.id)
    boss = entered(stage, "boss", (PLATFORM, Level.OPERATOR))
    with pytest.raises(WrongState, match="last operator"):
        members.remove(stage.platform, boss.actor, PLATFORM, boss.user.id)


def test_what_a_provider_says_is_changed_there(stage: Stage, lead: Session):
    chan, _ = sign_in_oidc(
        stage.platform, Claims("https://id.example", "1", "Chan", "", "", (Said(DEMO, Level.MEMBER),))
    )
    with pytest.raises(WrongState, match=r"https://id\.example"):
        members.remove(stage.platform, lead.actor, DEMO, chan.user.id)
    with pytest.raises(WrongState, match=r"https://id\.example"):
        members.set_level(stage.platform, lead.actor, DEMO, chan.user.id, Level.LEAD)


@pytest.mark.parametrize(
    ("of", "level"),
    [
        (DEMO, Level.OPERATOR),
        (DEMO, Level.ADMIN),
        (ACME, Level.LEAD),
        (HUB, Level.LEAD),
        (PLATFORM, Level.MEMBER),
    ],
)
def test_each_kind_has_its_own_levels(stage: Stage, of: Of, level: Level):
    with pytest.raises(Invalid, match="level"):
        invite(stage.platform, OPERATOR, of, level)


def test_an_invitation_makes_an_account_once(stage: Stage, lead: Session):
    made = invite(stage.platform, lead.actor, DEMO, Level.MEMBER, "wu@example.org")
    assert made.secret not in str(stage.store.read(lambda tx: tx.audit.after(0, 1000)))
    assert invitations.invited(stage.platform, made.secret).of == DEMO
    wu, secret = accept_new(stage.platform, made.secret, Account("Wu", "long enough a word", "Wu 吴"))
    assert (wu.user.subject, wu.user.name, wu.hat.key) == ("wu", "Wu 吴", "project:demo")
    assert session_of(stage.platform, secret) == wu
    assert sign_in_local(stage.platform, "wu", "long enough a word")[0].user == wu.user
    (row,) = invitations.invitations(stage.platform, lead.actor, DEMO)
    assert (row.used_by, row.used_at) == (wu.user.id, stage.now)
    assert links(stage)[1:] == ["invited", "account-made", "membership-set", "signed-in", "signed-in"]
    with pytest.raises(NotFound):
        accept_new(stage.platform, made.secret, Account("li", "long enough a word"))
    with pytest.raises(NotFound):
        accept(stage.platform, made.secret, lead.user)
    assert stage.store.read(lambda tx: tx.users.find("local", "li")) is None


def test_an_invitation_expires_and_is_taken_back(stage: Stage, lead: Session):
    old = invite(stage.platform, lead.actor, DEMO, Level.MEMBER, days=1)
    gone = invite(stage.platform, lead.actor, DEMO, Level.MEMBER)
    invitations.take_back(stage.platform, lead.actor, gone.row.id)
    invitations.take_back(stage.platform, lead.actor, gone.row.id)
    stage.pass_time(DAY)
    for made in (old, gone, replace(old, secret="made-up")):
        with pytest.raises(NotFound):
            invitations.invited(stage.platform, made.secret)
        with pytest.raises(NotFound):
            accept(stage.platform, made.secret, lead.user)


def test_another_projects_invitation_is_none(stage: Stage, lead: Session):
    stage.add_project("other")
    theirs = invite(stage.platform, OPERATOR, OTHER, Level.MEMBER)
    with pytest.raises(NotFound):
        invitations.take_back(stage.platform, lead.actor, theirs.row.id)


@pytest.mark.parametrize(
    ("name", "password", "path"),
    [
        ("lead", "long enough a word", "name"),
        ("a b", "long enough a word", "name"),
        ("", "long enough a word", "name"),
        ("wu", "short", "password"),
        ("wu", "x" * 201, "password"),
    ],
)
def test_an_account_that_cannot_be_uses_no_invitation_up(
    stage: Stage, lead: Session, name: str, password: str, path: str
):
    made = invite(stage.platform, lead.actor, DEMO, Level.MEMBER)
    with pytest.raises(Invalid) as told:
        accept_new(stage.platform, made.secret, Account(name, password))
    assert told.value.extra["problems"][0]["path"] == path
    assert invitations.invited(stage.platform, made.secret) == made.row


def test_who_has_an_account_takes_an_invitation_and_never_loses_by_it(stage: Stage, lead: Session):
    stage.add_project("other")
    boss = entered(stage, "boss", (DEMO, Level.MEMBER))
    made = invite(stage.platform, OPERATOR, OTHER, Level.LEAD)
    taken, _ = accept(stage.platform, made.secret, boss.user)
    assert taken.hat.key == "project:other"
    less = invite(stage.platform, lead.actor, DEMO, Level.VIEWER)
    taken, _ = accept(stage.platform, less.secret, boss.user)
    assert (taken.hat.key, taken.hat.level) == ("project:demo", Level.MEMBER)


def test_a_provider_lets_somebody_in_with_an_invitation(stage: Stage, lead: Session):
    made = invite(stage.platform, lead.actor, DEMO, Level.VIEWER)
    claims = Claims("https://id.example", "1", "Chan", "", "")
    with pytest.raises(Forbidden):
        sign_in_oidc(stage.platform, claims)
    chan, _ = invitations.accept_oidc(stage.platform, made.secret, claims)
    assert chan.hat.level is Level.VIEWER
    assert sign_in_oidc(stage.platform, claims)[0].user == chan.user


def test_a_lead_makes_lists_and_revokes_tokens_of_the_project_only(stage: Stage, lead: Session):
    stage.add_project("other")
    theirs, _ = tokens.add_token(stage.platform, OPERATOR, tokens.Wanted(Role.TEAM, "other"))
    made, secret = tokens.add_token(
        stage.platform, lead.actor, tokens.Wanted(Role.TEAM, "demo", scopes=frozenset({Scope.READ}), days=2)
    )
    actor = authenticate(stage.platform, secret)
    assert (actor.project, actor.scopes, actor.user) == ("demo", frozenset({Scope.READ}), None)
    assert made.made_by == lead.user.id
    assert [row.id for row in tokens.tokens(stage.platform, lead.actor)] == [made.id]
    with pytest.raises(NotFound):
        tokens.revoke(stage.platform, lead.actor, theirs.id)
    for wanted in (tokens.Wanted(Role.TEAM, "other"), tokens.Wanted(Role.TEAM, None)):
        with pytest.raises(NotFound):
            tokens.add_token(stage.platform, lead.actor, wanted)
    for role in (Role.OPERATOR, Role.CENTRE, Role.JOIN):
        with pytest.raises(Invalid):
            tokens.add_token(stage.platform, lead.actor, tokens.Wanted(role))
    stage.pass_time(2 * DAY)
    with pytest.raises(Unauthorized):
        authenticate(stage.platform, secret)
    tokens.revoke(stage.platform, lead.actor, made.id)
    assert links(stage)[-3:] == ["token-issued", "token-issued", "token-revoked"]


def test_a_service_that_leads_takes_back_no_other_projects_token(stage: Stage):
    stage.add_project("other")
    theirs, _ = tokens.add_token(stage.platform, OPERATOR, tokens.Wanted(Role.TEAM, "other"))
    service = Actor("tok-service", Role.TEAM, "service", "demo")
    with pytest.raises(NotFound):
        tokens.revoke(stage.platform, service, theirs.id)


@pytest.mark.parametrize("days", [0, 367])
def test_a_token_lasts_a_day_to_a_year(stage: Stage, lead: Session, days: int):
    with pytest.raises(Invalid, match="days"):
        tokens.add_token(stage.platform, lead.actor, tokens.Wanted(Role.TEAM, "demo", days=days))


def test_a_lead_that_may_not_use_makes_no_token_that_may(stage: Stage):
    some = Actor("tok-1", Role.TEAM, "it", "demo", scopes=frozenset({Scope.READ, Scope.MANAGE}))
    made, _ = tokens.add_token(stage.platform, some, tokens.Wanted(Role.TEAM, "demo"))
    assert made.scopes == {Scope.READ}


def test_everybody_takes_back_the_own_token(stage: Stage):
    wu = entered(stage, "wu", (DEMO, Level.VIEWER))
    secret = device_token(stage, wu)
    actor = authenticate(stage.platform, secret)
    tokens.revoke(stage.platform, actor, actor.token_id)
    with pytest.raises(Unauthorized):
        authenticate(stage.platform, secret)


def device_token(stage: Stage, session: Session) -> str:
    asked = devices.ask(stage.platform, "a laptop")
    devices.confirm(stage.platform, session, asked.code, session.hat.key)
    return devices.fetch(stage.platform, asked.secret)[1]


def test_a_device_gets_its_token_once_when_its_user_has_confirmed(stage: Stage, lead: Session):
    asked = devices.ask(stage.platform, "a laptop")
    assert len(asked.code) == 9
    with pytest.raises(NotYet) as told:
        devices.fetch(stage.platform, asked.secret)
    assert told.value.extra["error"] == "authorization_pending"
    with pytest.raises(NotYet) as told:
        devices.fetch(stage.platform, asked.secret)
    assert told.value.extra["error"] == "slow_down"
    assert devices.look(stage.platform, lead, asked.code.lower()).label == "a laptop"
    devices.confirm(stage.platform, lead, asked.code, "project:demo", [Scope.READ, Scope.USE])
    assert not tokens.own(stage.platform, lead.user.id)
    token, secret = devices.fetch(stage.platform, asked.secret)
    actor = authenticate(stage.platform, secret)
    assert (actor.project, actor.user, actor.scopes) == ("demo", lead.user.id, tokens.USUAL)
    assert [row.id for row in tokens.own(stage.platform, lead.user.id)] == [token.id]
    with pytest.raises(NotYet) as told:
        devices.fetch(stage.platform, asked.secret)
    assert told.value.extra["error"] == "expired_token"
    assert links(stage)[-2:] == ["device-confirmed", "token-issued"]
    stage.pass_time(90 * DAY)
    with pytest.raises(Unauthorized):
        authenticate(stage.platform, secret)


def test_a_device_that_is_denied_or_late_gets_nothing(stage: Stage, lead: Session):
    denied, late = devices.ask(stage.platform, "one"), devices.ask(stage.platform, "two")
    devices.deny(stage.platform, lead, denied.code)
    with pytest.raises(NotYet) as told:
        devices.fetch(stage.platform, denied.secret)
    assert told.value.extra["error"] == "access_denied"
    with pytest.raises(NotFound):
        devices.confirm(stage.platform, lead, denied.code, "project:demo")
    stage.pass_time(devices.LASTS_MS)
    with pytest.raises(NotFound):
        devices.confirm(stage.platform, lead, late.code, "project:demo")
    for secret in (late.secret, "made-up", late.code):
        with pytest.raises(NotYet) as told:
            devices.fetch(stage.platform, secret)
        assert told.value.extra["error"] == "expired_token"


def test_who_left_before_the_device_asked_gives_it_nothing(stage: Stage, lead: Session):
    asked = devices.ask(stage.platform, "one")
    devices.confirm(stage.platform, lead, asked.code, "project:demo")
    members.remove(stage.platform, lead.actor, DEMO, lead.user.id)
    with pytest.raises(NotYet) as told:
        devices.fetch(stage.platform, asked.secret)
    assert told.value.extra["error"] == "access_denied"


def test_a_code_is_not_found_by_guessing(stage: Stage, lead: Session):
    asked = devices.ask(stage.platform, "one")
    for _ in range(guessing.FREE):
        with pytest.raises(NotFound):
            devices.look(stage.platform, lead, "BBBB-BBBB")
    with pytest.raises(SlowDown):
        devices.look(stage.platform, lead, asked.code)
    with pytest.raises(SlowDown):
        devices.confirm(stage.platform, lead, asked.code, "project:demo")
    stage.pass_time(1000)
    devices.confirm(stage.platform, lead, asked.code, "project:demo")


@pytest.mark.parametrize(("hat", "scopes"), [("platform", [Scope.READ]), ("project:demo", [])])
def test_a_device_wears_a_hat_of_its_user(stage: Stage, lead: Session, hat: str, scopes: list[Scope]):
    asked = devices.ask(stage.platform, "one")
    with pytest.raises(Invalid):
        devices.confirm(stage.platform, lead, asked.code, hat, scopes)


def test_a_viewers_device_only_looks(stage: Stage):
    viewer = entered(stage, "viewer", (DEMO, Level.VIEWER))
    actor = authenticate(stage.platform, device_token(stage, viewer))
    assert actor.scopes == {Scope.READ}
