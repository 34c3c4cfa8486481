"""Users, memberships, sessions and guesses, on all databases."""

from dataclasses import replace

import pytest

from baygrid.ports.identity import (
    DeviceRow,
    DeviceState,
    GuessRow,
    InvitationRow,
    Level,
    Membership,
    Of,
    OfKind,
    SessionRow,
    User,
)
from baygrid.ports.records import Scope
from baygrid.ports.store import Exists, Store
from tests.store.records import organise

WU = User("user-1", "local", "wu", "Wu 吴", "wu@example.org", "zh-Hans", 1000)
DEMO = Of(OfKind.PROJECT, "demo")


def session(n: int, **fields: object) -> SessionRow:
    return replace(SessionRow(f"session-{n}", f"{n:064x}", "user-1", "platform", "c", 5, 5, 900), **fields)  # type: ignore[arg-type]


def test_a_user_is_found_by_id_and_subject_and_never_shows_the_password(store: Store):
    store.write(lambda tx: tx.users.insert(WU, "scrypt$x"))
    assert store.read(lambda tx: tx.users.get("user-1")) == WU
    assert store.read(lambda tx: tx.users.find("local", "wu")) == WU
    assert store.read(lambda tx: tx.users.find("https://id.example", "wu")) is None
    assert store.read(lambda tx: tx.users.some(["user-1", "user-2"])) == {"user-1": WU}
    assert store.read(lambda tx: tx.users.password("user-1")) == "scrypt$x"
    assert "scrypt" not in repr(store.read(lambda tx: tx.users.get("user-1")))


def test_one_issuer_has_one_user_of_a_subject(store: Store):
    assert store.read(lambda tx: tx.users.is_empty())
    store.write(lambda tx: tx.users.insert(WU))
    assert not store.read(lambda tx: tx.users.is_empty())
    with pytest.raises(Exists):
        store.write(lambda tx: tx.users.insert(replace(WU, id="user-2")))
    store.write(lambda tx: tx.users.insert(replace(WU, id="user-2", issuer="https://id.example")))


def test_a_change_of_a_user_stays(store: Store):
    store.write(lambda tx: tx.users.insert(WU))
    other = replace(WU, name="Wu Li", email="", language="ja", disabled_at=77)
    store.write(lambda tx: tx.users.update(other))
    store.write(lambda tx: tx.users.set_password("user-1", "scrypt$y"))
    assert store.read(lambda tx: tx.users.get("user-1")) == other
    assert store.read(lambda tx: tx.users.password("user-1")) == "scrypt$y"


def test_a_membership_takes_the_place_of_what_the_same_issuer_said(store: Store):
    store.write(lambda tx: tx.users.insert(WU))
    first = Membership("user-1", DEMO, Level.VIEWER, 5, "tok-1")
    said = replace(first, level=Level.MEMBER, issuer="https://id.example")
    lead = replace(first, level=Level.LEAD)
    for row in (first, said, lead):
        store.write(lambda tx, row=row: tx.users.put_membership(row))  # type: ignore[misc]
    assert store.read(lambda tx: tx.users.memberships("user-1")) == [lead, said]
    assert store.read(lambda tx: tx.users.members(DEMO)) == [lead, said]
    assert store.read(lambda tx: tx.users.members(Of(OfKind.CENTRE, "demo"))) == []
    assert store.write(lambda tx: tx.users.remove_membership("user-1", DEMO))
    assert not store.write(lambda tx: tx.users.remove_membership("user-1", DEMO))
    assert store.read(lambda tx: tx.users.memberships("user-1")) == [said]


def test_projects_are_found_by_their_organisations(store: Store):
    store.write(organise)
    found = store.read(lambda tx: tx.users.projects_of([o.name for o in tx.region.organisations()]))
    assert found == store.read(lambda tx: {p.name: p.organisation for p in tx.region.projects().values()})
    assert found
    assert store.read(lambda tx: tx.users.projects_of([])) == {}
    assert store.read(lambda tx: tx.users.projects_of(["nobody"])) == {}


def test_a_session_is_found_by_its_secret_until_that_is_another(store: Store):
    store.write(lambda tx: tx.users.insert(WU))
    store.write(lambda tx: tx.users.insert_session(session(1)))
    store.write(lambda tx: tx.users.insert_session(session(2)))
    assert store.read(lambda tx: tx.users.session(session(1).sha256)) == session(1)
    assert store.read(lambda tx: tx.users.sessions("user-1")) == [session(2), session(1)]
    assert store.write(lambda tx: tx.users.change_session("session-1", "ff", "project:demo", "d"))
    assert store.read(lambda tx: tx.users.session(session(1).sha256)) is None
    changed = session(1, sha256="ff", hat="project:demo", csrf="d")
    assert store.read(lambda tx: tx.users.session("ff")) == changed
    store.write(lambda tx: tx.users.see_session("session-1", 70))
    assert store.write(lambda tx: tx.users.end_session("session-1", 80))
    assert not store.write(lambda tx: tx.users.end_session("session-1", 90))
    assert not store.write(lambda tx: tx.users.change_session("session-1", "ee", "platform", "d"))
    assert store.read(lambda tx: tx.users.session("ff")) == replace(changed, seen_at=70, ended_at=80)


def test_whoever_holds_a_session_or_token_is_asked_anew_after_a_change(store: Store):
    store.write(lambda tx: tx.users.insert(WU))
    store.write(lambda tx: tx.users.insert_session(session(1)))
    heard: list[frozenset[str]] = []
    store.subscribe(heard.append)
    for change in (
        lambda tx: tx.users.update(WU),
        lambda tx: tx.users.put_membership(Membership("user-1", DEMO, Level.LEAD, 5, "")),
        lambda tx: tx.users.remove_membership("user-1", DEMO),
        lambda tx: tx.users.change_session("session-1", "ff", "platform", "d"),
        lambda tx: tx.users.end_session("session-1", 80),
    ):
        heard.clear()
        store.write(change)
        assert "tokens" in frozenset().union(*heard)


def test_guesses_are_counted_by_key_and_forgotten(store: Store):
    assert store.write(lambda tx: tx.users.guess("a")) == GuessRow("a", 0, 0, 0)
    store.write(lambda tx: tx.users.put_guess(GuessRow("a", 3, 50, 60)))
    store.write(lambda tx: tx.users.guess("b"))
    store.write(lambda tx: tx.users.put_guess(GuessRow("b", 1, 90, 0)))
    assert store.write(lambda tx: tx.users.guess("a")) == GuessRow("a", 3, 50, 60)
    store.write(lambda tx: tx.users.forget_guesses(before=60))
    assert store.write(lambda tx: tx.users.guess("a")) == GuessRow("a", 0, 0, 0)
    assert store.write(lambda tx: tx.users.guess("b")) == GuessRow("b", 1, 90, 0)
    store.write(lambda tx: tx.users.forget_guesses(key="b"))
    assert store.write(lambda tx: tx.users.guess("b")) == GuessRow("b", 0, 0, 0)


def invitation(n: int, **fields: object) -> InvitationRow:
    row = InvitationRow(
        f"invitation-{n}", f"{n:064x}", DEMO, Level.MEMBER, "wu@example.org", n, "user-1", 900
    )
    return replace(row, **fields)  # type: ignore[arg-type]


def test_an_invitation_is_used_once_in_its_time(store: Store):
    for n in range(4):
        store.write(lambda tx, n=n: tx.entries.insert_invitation(invitation(n)))  # type: ignore[misc]
    assert store.read(lambda tx: tx.entries.invitation(invitation(1).sha256)) == invitation(1)
    assert store.read(lambda tx: tx.entries.find_invitation("invitation-1")) == invitation(1)
    assert store.read(lambda tx: tx.entries.invitation("made-up")) is None
    assert store.write(lambda tx: tx.entries.use_invitation("invitation-0", "user-2", 899))
    assert not store.write(lambda tx: tx.entries.use_invitation("invitation-0", "user-3", 899))
    assert not store.write(lambda tx: tx.entries.use_invitation("invitation-1", "user-2", 900))
    assert store.write(lambda tx: tx.entries.revoke_invitation("invitation-2", 7))
    assert not store.write(lambda tx: tx.entries.revoke_invitation("invitation-2", 8))
    assert not store.write(lambda tx: tx.entries.use_invitation("invitation-2", "user-2", 9))
    assert not store.write(lambda tx: tx.entries.revoke_invitation("invitation-0", 9))
    assert store.read(lambda tx: tx.entries.invitations(DEMO)) == [
        invitation(3),
        invitation(2, revoked_at=7),
        invitation(1),
        invitation(0, used_at=899, used_by="user-2"),
    ]
    assert store.read(lambda tx: tx.entries.invitations(Of(OfKind.PLATFORM))) == []


def test_a_device_goes_from_state_to_state_once(store: Store):
    device = DeviceRow("device-1", "ab" * 32, "BCDFGHJK", "a laptop", 5, 900)
    store.write(lambda tx: tx.entries.insert_device(device))
    with pytest.raises(Exists):
        store.write(lambda tx: tx.entries.insert_device(replace(device, id="device-2", sha256="x")))
    assert store.read(lambda tx: tx.entries.device("ab" * 32)) == device
    assert store.read(lambda tx: tx.entries.device_of_code("BCDFGHJK")) == device
    assert store.read(lambda tx: tx.entries.waiting_devices()) == 1
    scopes = frozenset({Scope.READ, Scope.USE})
    confirmed = replace(
        device, state=DeviceState.CONFIRMED, user="user-1", hat="platform", scopes=scopes, asked_at=7
    )
    assert store.write(lambda tx: tx.entries.change_device(device, confirmed))
    assert not store.write(lambda tx: tx.entries.change_device(device, replace(device, asked_at=9)))
    assert store.read(lambda tx: tx.entries.device("ab" * 32)) == confirmed
    assert store.read(lambda tx: tx.entries.waiting_devices()) == 0
    store.write(lambda tx: tx.entries.forget_devices(900))
    assert store.read(lambda tx: tx.entries.device("ab" * 32)) == confirmed
    store.write(lambda tx: tx.entries.forget_devices(901))
    assert store.read(lambda tx: tx.entries.device("ab" * 32)) is None
