"""Organisations, projects and their grants, as operators set them up."""

from __future__ import annotations

from baygrid.app.access import Action, Actor, permit
from baygrid.app.names import check_name
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound, WrongState
from baygrid.app.releases import settle
from baygrid.core.pricing.postings import Transaction, grant_postings
from baygrid.core.units import DECIMALS, Money
from baygrid.ports.basics import Instant
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
        tx.region.insert_project(Project(name, organisation, currency))
        tx.events.append([Event(now, "project-added", name)])
        if funds is not None:
            post_grant(platform, tx, name, funds, "first grant", now)
        return find_project(tx, name)

    try:
        return platform.store.write(apply)
    except Exists:
        raise WrongState(f"there is already a project {name!r}") from None


def grant(platform: Platform, actor: Actor, project: str, funds: Money, narration: str) -> Project:
    """Adds to what a project may spend."""
    permit(actor, Action.OPERATE)
    now = platform.clock()

    def apply(tx: Tx) -> Project:
        post_grant(platform, tx, project, funds, narration, now)
        return find_project(tx, project)

    return platform.store.write(apply)


def post_grant(platform: Platform, tx: Tx, project: str, funds: Money, narration: str, now: Instant) -> None:
    """Raises Invalid for nothing, for less than nothing and for another currency than the project's."""
    row = find_project(tx, project)
    if funds.minor <= 0:
        raise Invalid.at("amount", f"must be more than zero, not {funds}")
    if funds.currency != row.currency:
        raise Invalid.at("amount", f"project {project!r} is kept in {row.currency}, not {funds.currency}")
    if row.granted + funds.minor > 2**62:
        raise Invalid.at("amount", "is more than a ledger can hold")
    transaction = platform.ids.new("txn", now)
    postings = grant_postings(project, funds)
    tx.money.move(project, granted=funds.minor)
    tx.money.post([Transaction(transaction, f"grant:{transaction}", now, narration or "grant", postings)])
    tx.events.append([Event(now, "grant-posted", project, data={"minor": funds.minor})])
    settle(tx, (), [project], now)
