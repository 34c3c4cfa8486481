"""What policy.cedar lets whom do: every action, role, scope and place."""

from __future__ import annotations

from itertools import product

import pytest

from baygrid.app.access import Action, Actor, permit
from baygrid.app.problems import Forbidden, NotFound
from baygrid.ports.identity import EVERYTHING
from baygrid.ports.records import Role, Scope

NEEDS = {
    Scope.READ: {Action.BROWSE, Action.READ, Action.DATASET, Action.SETTLEMENT, Action.WATCH},
    Scope.USE: {Action.USE, Action.STORE, Action.AGENT, Action.RATE, Action.SELL, Action.JOIN},
    Scope.MANAGE: {Action.MANAGE, Action.OPERATE, Action.TEND},
}
TEAM, CENTRE = {"project": "demo"}, {"centre": "hub"}
# What each may do with all scopes: by role, whether a user, and where.
MAY: dict[tuple[Role, bool, str], set[Action]] = {
    (Role.TEAM, False, "own"): {Action.BROWSE, Action.READ, Action.USE, Action.STORE, Action.MANAGE},
    (Role.TEAM, True, "own"): {Action.BROWSE, Action.READ, Action.USE, Action.STORE, Action.MANAGE},
    (Role.CENTRE, False, "own"): {
        Action.BROWSE, Action.AGENT, Action.STORE, Action.SETTLEMENT, Action.RATE, Action.SELL,
    },
    (Role.CENTRE, True, "own"): {
        Action.BROWSE, Action.SETTLEMENT, Action.RATE, Action.SELL, Action.MANAGE, Action.WATCH, Action.TEND,
    },
    (Role.OPERATOR, False, "own"): set(Action) - {Action.AGENT, Action.JOIN},
    (Role.OPERATOR, True, "own"): set(Action) - {Action.AGENT, Action.JOIN},
    (Role.JOIN, False, "own"): {Action.JOIN},
}  # fmt: skip
for role, user in product(Role, (False, True)):
    own = MAY.get((role, user, "own"), set())
    MAY[role, user, "own"] = own
    # Elsewhere only what is open to all remains; an operator is at home everywhere.
    MAY[role, user, "other"] = own if role is Role.OPERATOR else own & {Action.BROWSE}


def actor(role: Role, user: bool, scopes: frozenset[Scope] = EVERYTHING) -> Actor:
    project = "demo" if role is Role.TEAM else None
    centre = "hub" if role in (Role.CENTRE, Role.JOIN) else None
    return Actor("tok-1", role, "it", project, centre, user="user-1" if user else None, scopes=scopes)


def allowed(who: Actor, action: Action, **where: str) -> bool:
    try:
        permit(who, action, **where)
    except (Forbidden, NotFound):
        return False
    return True


def place(role: Role, where: str) -> dict[str, str]:
    if role is Role.TEAM:
        return {"project": "demo" if where == "own" else "other"}
    return {"centre": "hub" if where == "own" else "far"}


@pytest.mark.parametrize(("role", "user", "where"), [*MAY])
def test_each_does_what_the_table_says(role: Role, user: bool, where: str):
    found = {action for action in Action if allowed(actor(role, user), action, **place(role, where))}
    assert found == MAY[role, user, where]


@pytest.mark.parametrize(("role", "user", "where"), [*MAY])
@pytest.mark.parametrize(
    "scopes", [(), ("read",), ("use",), ("manage",), ("read", "use"), ("read", "manage")]
)
def test_scopes_only_take_away(role: Role, user: bool, where: str, scopes: tuple[str, ...]):
    some = frozenset(map(Scope, scopes))
    within = set().union(*(NEEDS[scope] for scope in some)) if some else set()
    limited = actor(role, user, some)
    found = {action for action in Action if allowed(limited, action, **place(role, where))}
    assert found == MAY[role, user, where] & within


def test_every_action_needs_one_scope():
    assert sorted(action for actions in NEEDS.values() for action in actions) == sorted(Action)


def test_only_its_admin_manages_an_organisation():
    lead = actor(Role.TEAM, True)
    admin = Actor("s", Role.TEAM, "it", "demo", user="user-1", organisation="acme")
    assert allowed(admin, Action.MANAGE, organisation="acme")
    assert not allowed(admin, Action.MANAGE, organisation="other")
    assert not allowed(lead, Action.MANAGE, organisation="acme")
    assert not allowed(lead, Action.MANAGE, organisation="")
    assert allowed(actor(Role.OPERATOR, True), Action.MANAGE, organisation="acme")


def test_where_only_the_scope_is_missing_that_is_said_and_elsewhere_not():
    viewer = actor(Role.TEAM, True, frozenset({Scope.READ}))
    with pytest.raises(Forbidden, match="good for read only"):
        permit(viewer, Action.USE, project="demo")
    with pytest.raises(NotFound):
        permit(viewer, Action.USE, project="other")
