"""As what a user may act: one hat for each project, centre and office that the memberships come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from baygrid.ports.identity import Hat, Level, Membership, OfKind
from baygrid.ports.records import Role
from baygrid.ports.store import Tx

_OF_ORGANISATION = {Level.ADMIN: Level.ADMIN, Level.MEMBER: Level.VIEWER}
_RANK = (Level.VIEWER, Level.MEMBER, Level.LEAD, Level.ADMIN)


def hats(tx: Tx, user: str) -> tuple[Hat, ...]:
    """All of a user's, projects first, by name."""
    found = tx.users.memberships(user)
    owners = sorted({it.of.name for it in found if it.of.kind is OfKind.ORGANISATION})
    return hats_of(found, tx.users.projects_of(owners))


def hats_of(memberships: Iterable[Membership], projects: Mapping[str, str]) -> tuple[Hat, ...]:
    """`projects`: of the organisations among the memberships, each with its organisation. An organisation's
    admin leads all its projects, its member looks at all of them; where several memberships give a hat of one
    project, the best of them counts."""
    levels: dict[str, Level] = {}
    others: list[Hat] = []
    for it in memberships:
        if it.of.kind is OfKind.PROJECT:
            _lift(levels, it.of.name, it.level)
        elif it.of.kind is OfKind.ORGANISATION:
            for project in (name for name, owner in projects.items() if owner == it.of.name):
                _lift(levels, project, _OF_ORGANISATION[it.level])
        elif it.of.kind is OfKind.CENTRE:
            others.append(Hat(Role.CENTRE, None, it.of.name, it.level))
        else:
            others.append(Hat(Role.OPERATOR, None, None, it.level))
    own = [
        Hat(Role.TEAM, name, None, level, _owner(level, projects.get(name))) for name, level in levels.items()
    ]
    unique = {hat.key: hat for hat in [*own, *others]}
    return tuple(sorted(unique.values(), key=lambda hat: (hat.project is None, hat.centre is None, hat.key)))


def _lift(levels: dict[str, Level], project: str, level: Level) -> None:
    levels[project] = max(levels.get(project, level), level, key=_RANK.index)


def _owner(level: Level, organisation: str | None) -> str | None:
    return organisation if level is Level.ADMIN else None
