"""What an empty server begins with, so that the first job needs no operator."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction

from baygrid.app import passwords
from baygrid.app.allocations import Wanted, allot
from baygrid.app.platform import Platform
from baygrid.app.tokens import issue
from baygrid.core.pricing.tariff import Tariff
from baygrid.core.units import Money
from baygrid.ports.identity import LOCAL, Level, Membership, Of, OfKind, User
from baygrid.ports.records import CentreRecord, Event, Kind, Offer, Organisation, Project, Role
from baygrid.ports.store import Exists, Tx

PROJECT = "default"
FUNDS = Money(100_000_00, "CNY")
ADMIN = "admin"


def first_start(
    platform: Platform, embedded: str | None, jurisdiction: str, keep: Callable[[str], None]
) -> None:
    """Makes the operator's token, an organisation, a project with play money and the embedded centre with a
    sample price, unless that was done before. Safe when two servers start at once: one of them does it.

    `keep` saves the operator's secret before the commit, since nobody could get in without it; it is called
    again when the transaction is, and the last time counts.
    """
    now = platform.clock()

    def begin(tx: Tx) -> None:
        if tx.region.tokens():
            return
        tx.region.insert_organisation(Organisation("local", Kind.COMPANY, "This installation"))
        _, secret = issue(platform, tx, Role.OPERATOR, None, None, "first start")
        project = Project(PROJECT, "local", FUNDS.currency)
        tx.region.insert_project(project)
        tx.events.append([Event(now, "project-added", PROJECT)])
        allot(platform, tx, project, Wanted(FUNDS, "play money of the first start"), "", now)
        keep(secret)

    with suppress(Exists):  # another server does the same just now, and was faster
        platform.store.write(begin)
    if embedded is not None:
        _ensure_centre(platform, embedded, jurisdiction)


def _ensure_centre(platform: Platform, name: str, jurisdiction: str) -> None:
    now = platform.clock()
    # Sample prices: 0.20 CNY a cpu-hour, 0.02 CNY a GiB-hour.
    tariff = Tariff(now, FUNDS.currency, Fraction(0), Fraction(1, 5), Fraction(1, 50))

    def ensure(tx: Tx) -> None:
        if tx.region.centre(name) is None:
            tx.region.insert_centre(CentreRecord(name, jurisdiction, "local"))
            tx.region.insert_offer(Offer(f"{name}-main", name, "main", None, FUNDS.currency, (tariff,)))
            tx.events.append([Event(now, "centre-added", centre=name)])

    with suppress(Exists):
        platform.store.write(ensure)


def ensure_admin(platform: Platform, keep: Callable[[str], None]) -> None:
    """Makes the account of who operates the platform, with a random password, unless there are users.
    `keep` as of `first_start`."""
    if not platform.store.read(lambda tx: tx.users.is_empty()):
        return
    now, password = platform.clock(), platform.ids.secret()
    kept = passwords.hashed(password)

    def begin(tx: Tx) -> None:
        if not tx.users.is_empty():
            return
        user = User(platform.ids.new("user", now), LOCAL, ADMIN, "Administrator", "", "", now)
        tx.users.insert(user, kept)
        of = [(Of(OfKind.PLATFORM), Level.OPERATOR)]
        if tx.region.projects([PROJECT]):
            of.append((Of(OfKind.PROJECT, PROJECT), Level.LEAD))
        for each, level in of:
            tx.users.put_membership(Membership(user.id, each, level, now, ""))
        keep(password)

    with suppress(Exists):
        platform.store.write(begin)


def is_admins(platform: Platform, password: str) -> bool:
    """Whether the account is still as `ensure_admin` made it."""

    def load(tx: Tx) -> str | None:
        user = tx.users.find(LOCAL, ADMIN)
        return tx.users.password(user.id) if user else None

    return passwords.matches(password, platform.store.read(load))
