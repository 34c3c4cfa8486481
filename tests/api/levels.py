"""Tokens and sessions of every role and level, and some that are good for nothing any more."""

from __future__ import annotations

from dataclasses import replace

from baygrid.app import recipients
from baygrid.app.access import Actor
from baygrid.app.signing_in import COOKIE, begin
from baygrid.app.tokens import issue, revoke
from baygrid.ports.identity import Level, Of, OfKind
from baygrid.ports.records import Role, Scope
from baygrid.ports.store import Tx
from tests.api.world import World
from tests.app.people import add_user

DEMO = Of(OfKind.PROJECT, "demo")
OPERATOR = Actor("tok-operator", Role.OPERATOR, "operator")


def everybody(world: World) -> dict[str, dict[str, str]]:
    """Headers by who."""
    platform, now = world.platform, world.clock()

    def service(role: Role, *scopes: Scope, project: str | None = None, centre: str | None = None) -> str:
        def apply(tx: Tx) -> str:
            return issue(platform, tx, role, project, centre, "it", scopes=frozenset(scopes or Scope))[1]

        return world.store.write(apply)

    def users(name: str, of: Of, level: Level) -> tuple[str, str, str]:
        """Of a new user: id, secret of a token for all, secret of a session."""
        user = add_user(platform, name, (of, level))
        roles = {OfKind.PROJECT: Role.TEAM, OfKind.CENTRE: Role.CENTRE, OfKind.PLATFORM: Role.OPERATOR}
        project, centre = (of.name if of.kind is kind else None for kind in (OfKind.PROJECT, OfKind.CENTRE))

        def apply(tx: Tx) -> tuple[str, str]:
            _, secret = issue(
                platform, tx, roles[of.kind], project, centre, name, scopes=frozenset(Scope), user=user.id
            )
            return secret, begin(platform, tx, user.id)[1]

        return (user.id, *world.store.write(apply))

    lead, member = users("a-lead", DEMO, Level.LEAD), users("a-member", DEMO, Level.MEMBER)
    closed, left = users("closed", DEMO, Level.LEAD), users("gone", DEMO, Level.LEAD)
    ended = world.store.write(lambda tx: issue(platform, tx, Role.TEAM, "demo", None, "ended"))
    late = world.store.write(lambda tx: issue(platform, tx, Role.TEAM, "demo", None, "late", expires_at=now))
    revoke(platform, OPERATOR, ended[0].id)

    def end(tx: Tx) -> None:
        user = tx.users.get(closed[0])
        assert user is not None
        tx.users.update(replace(user, disabled_at=now))
        tx.users.remove_membership(left[0], DEMO)

    world.store.write(end)
    consumer = Actor("tok-demo", Role.TEAM, "demo", project="demo")
    link = recipients.add(platform, consumer, None, "everybody")
    secrets = {
        "reading": service(Role.TEAM, Scope.READ, project="demo"),
        "using": service(Role.TEAM, Scope.USE, project="demo"),
        "member": member[1],
        "lead": lead[1],
        "keeper": users("a-keeper", Of(OfKind.PLATFORM), Level.OPERATOR)[1],
        "reading keeper": service(Role.OPERATOR, Scope.READ),
        "centre's user": users("far-keeper", Of(OfKind.CENTRE, "far"), Level.OPERATOR)[1],
        "stranger's user": users("hub-keeper", Of(OfKind.CENTRE, "hub"), Level.OPERATOR)[1],
        "joining": service(Role.JOIN, centre="hub"),
        "recipient": recipients.profile(platform, link.secret, "http://test")["bearerToken"],
        "expired": late[1],
        "revoked": ended[1],
        "disabled": closed[1],
        "no member any more": left[1],
    }
    headers = {who: {"Authorization": f"Bearer {secret}"} for who, secret in secrets.items()}
    return headers | {"lead's browser": {"Cookie": f"{COOKIE}={lead[2]}"}}
