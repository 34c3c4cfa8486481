"""Organisations, projects and their grants, as operators set them up."""

from __future__ import annotations

from baygrid.app.access import Action, Actor, permit
from baygrid.app.allocations import Wanted, allot
from baygrid.app.names import check_name
from baygrid.app.once import Once, answered
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound, WrongState
from baygrid.core.units import DECIMALS, Money
from baygrid.ports.records import (
    Event,
    Kind,
    Organisation,
    Project,
    Role,
)
from baygrid.ports.store import Exists, Tx


def organisations(platform: Platform, actor: Actor) -> list[Organisation]:
    permit(actor, Action.OPERATE)
    return platform.store.read(lambda tx: tx.region.organisations())


def add_organisation(platform: Platform, actor: Actor, name: str, kind: Kind, title: str) -> Organisation:
    permit(actor, Action.OPERATE)
    row = Organisation(check_name("name", name), kind, title or name)

    def apply(tx: Tx) -> None:
        tx.region.insert_organisation(row)
        tx.events.append([Event(platform.clock(), "organisation-added", data={"name": name})])

    try:
        platform.store.write(apply)
    except Exists:
        raise WrongState(f"there is already an organisation {name!r}") from None
    return row


def projects(platform: Platform, actor: Actor) -> list[Project]:
    """An operator sees all, a team its own."""
    if actor.role is Role.TEAM:
        permit(actor, Action.READ, project=actor.project)
        names = [actor.project or ""]
    else:
        permit(actor, Action.OPERATE)
        names = None
    rows = platform.store.read(lambda tx: tx.region.projects(names))
    return [rows[name] for name in sorted(rows)]


def project(platform: Platform, actor: Actor, name: str) -> Project:
    permit(actor, Action.READ, project=name)
    return platform.store.read(lambda tx: find_project(tx, name))


def find_project(tx: Tx, name: str) -> Project:
    """Raises NotFound."""
    row = tx.region.projects([name]).get(name)
    if row is None:
        raise NotFound(f"there is no project {name!r}")
    return row


def add_project(
    platform: Platform, actor: Actor, name: str, organisation: str, currency: str, funds: Money | None
) -> Project:
    """A project of an organisation that is there; `funds` is its first grant."""
    permit(actor, Action.OPERATE)
    check_name("name", name)
    if currency not in DECIMALS:
        raise Invalid.at("currency", f"unknown currency {currency!r}: use one of {', '.join(DECIMALS)}")
    now = platform.clock()

    def apply(tx: Tx) -> Project:
        if organisation not in {row.name for row in tx.region.organisations()}:
            raise Invalid.at("organisation", f"there is no organisation {organisation!r}: add it first")
        row = Project(name, organisation, currency)
        tx.region.insert_project(row)
        tx.events.append([Event(now, "project-added", name)])
        if funds is not None:
            allot(platform, tx, row, Wanted(funds, "first grant"), actor.token_id, now)
        return find_project(tx, name)

    try:
        return platform.store.write(apply)
    except Exists:
        raise WrongState(f"there is already a project {name!r}") from None


def grant(
    platform: Platform, actor: Actor, project: str, wanted: Wanted, once: Once | None = None
) -> Project:
    """Adds to what a project may spend."""
    permit(actor, Action.OPERATE)
    now = platform.clock()

    def apply(tx: Tx) -> Project:
        row = find_project(tx, project)

        def work() -> str:
            allot(platform, tx, row, wanted, actor.token_id, now)
            return ""

        answered(tx, project, once, now, work)
        return find_project(tx, project)

    return platform.store.write(apply)
