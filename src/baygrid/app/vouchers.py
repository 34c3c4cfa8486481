"""Pools and vouchers: issued where a clause of a rulebook finds the applicant eligible, never above what it
finds."""

from __future__ import annotations

from baygrid.app.access import Action, Actor, permit
from baygrid.app.entitlement import Asked, entitled, supporting
from baygrid.app.names import check_name
from baygrid.app.once import REGION, Once, answered
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound, WrongState
from baygrid.app.projects import find_project
from baygrid.core.pricing.vouchers import Drawn, Voucher
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.records import Event
from baygrid.ports.store import Exists, Tx
from baygrid.ports.support import PoolRow, VoucherRow


def pools(platform: Platform, actor: Actor) -> list[PoolRow]:
    permit(actor, Action.OPERATE)
    return platform.store.read(lambda tx: tx.support.pools())


def add_pool(
    platform: Platform, actor: Actor, *, name: str, payer: str, rulebook: str, clause: str, amount: Money
) -> PoolRow:
    """Money that a payer gives under one clause. Raises Invalid for a clause that no voucher can be of."""
    permit(actor, Action.OPERATE)
    needed = supporting(rulebook, clause).book.currency
    if amount.currency != needed:
        raise Invalid.at("amount", f"{rulebook} is in {needed}, not {amount.currency}")
    if amount.minor < 0:
        raise Invalid.at("amount", f"must not be less than nothing, as {amount} is")
    now = platform.clock()
    row = PoolRow(
        check_name("name", name),
        payer,
        rulebook,
        clause,
        amount.currency,
        amount.minor,
        0,
        now,
        actor.token_id,
    )

    def apply(tx: Tx) -> PoolRow:
        tx.support.insert_pool(row)
        tx.events.append([Event(now, "pool-added", data={"pool": name, "minor": amount.minor})])
        return row

    try:
        return platform.store.write(apply)
    except Exists:
        raise WrongState(f"there is already a pool {name!r}: change its amount") from None


def change_pool(
    platform: Platform, actor: Actor, name: str, more: Money, once: Once | None = None
) -> PoolRow:
    """Adds to a pool, or takes from what is left of it (`more` negative)."""
    permit(actor, Action.OPERATE)
    now = platform.clock()

    def apply(tx: Tx) -> PoolRow:
        answered(tx, REGION, once, now, lambda: _change(tx, actor, _pool(tx, name), more, now))
        return _pool(tx, name)

    return platform.store.write(apply)


def _change(tx: Tx, actor: Actor, row: PoolRow, more: Money, now: Instant) -> str:
    if more.currency != row.currency:
        raise Invalid.at("amount", f"pool {row.name!r} is in {row.currency}, not {more.currency}")
    if not tx.support.add_to_pool(row.name, more.minor):
        left = Money(row.left, row.currency)
        raise WrongState(f"of pool {row.name!r} only {left} is left: what is paid cannot be taken back")
    data = {"pool": row.name, "minor": more.minor, "by": actor.token_id}
    tx.events.append([Event(now, "pool-changed", data=data)])
    return ""


def vouchers(platform: Platform, actor: Actor, project: str | None) -> list[VoucherRow]:
    """Those that a project may draw on; an operator may ask for all."""
    project = project or actor.project
    permit(actor, Action.READ if project else Action.OPERATE, project=project)

    def load(tx: Tx) -> list[VoucherRow]:
        if project is None:
            return tx.support.vouchers()
        mine = find_project(tx, project)
        return [row for row in tx.support.vouchers(mine.organisation) if row.is_for(mine)]

    return platform.store.read(load)


def voucher(platform: Platform, actor: Actor, id: str) -> VoucherRow:
    """Raises NotFound, also for one that is not for the actor's project."""
    project = actor.project
    permit(actor, Action.READ if project else Action.OPERATE, project=project)

    def load(tx: Tx) -> VoucherRow:
        row = next((row for row in tx.support.vouchers() if row.voucher.id == id), None)
        mine = None if project is None else find_project(tx, project)
        if row is None or (mine is not None and not row.is_for(mine)):
            raise NotFound(f"there is no voucher {id!r}")
        return row

    return platform.store.read(load)


def issue(platform: Platform, actor: Actor, asked: Asked) -> VoucherRow:
    """A voucher under the clause of its pool, from now on. Raises Invalid where the clause does not find the
    organisation eligible, and for more than it finds."""
    permit(actor, Action.OPERATE)
    now = platform.clock()

    def apply(tx: Tx) -> VoucherRow:
        _check_receiver(tx, asked)  # two that are issued at once follow one another, whatever their pools
        pool = _pool(tx, asked.pool)
        earlier = tx.support.vouchers(asked.organisation)
        terms, finding = entitled(supporting(pool.rulebook, pool.clause), asked, earlier, now)
        voucher = Voucher(platform.ids.new("vch", now), pool.name, terms, Drawn())
        row = VoucherRow(voucher, asked.organisation, asked.project, now, actor.token_id, finding)
        tx.support.insert_voucher(row)
        data = {"voucher": voucher.id, "organisation": asked.organisation, "minor": terms.cap.minor}
        tx.events.append([Event(now, "voucher-issued", asked.project, data=data)])
        return row

    return platform.store.write(apply)


def revoke(platform: Platform, actor: Actor, id: str) -> VoucherRow:
    """From now on it pays for nothing more; what it paid stays paid."""
    permit(actor, Action.OPERATE)
    now = platform.clock()

    def apply(tx: Tx) -> VoucherRow:
        revoked = tx.support.revoke(id, now)
        row = next((row for row in tx.support.vouchers() if row.voucher.id == id), None)
        if row is None:
            raise NotFound(f"there is no voucher {id!r}")
        if not revoked:
            raise WrongState(f"voucher {id!r} was revoked before")
        tx.events.append(
            [Event(now, "voucher-revoked", row.project, data={"voucher": id, "by": actor.token_id})]
        )
        return row

    return platform.store.write(apply)


def _check_receiver(tx: Tx, asked: Asked) -> None:
    if not tx.support.lock_organisation(asked.organisation):
        raise Invalid.at("organisation", f"there is no organisation {asked.organisation!r}")
    if asked.project is None:
        return
    project = tx.region.projects([asked.project]).get(asked.project)
    if project is None or project.organisation != asked.organisation:
        raise Invalid.at("project", f"{asked.organisation!r} has no project {asked.project!r}")


def _pool(tx: Tx, name: str) -> PoolRow:
    """Locked. Raises NotFound."""
    row = tx.support.lock_pool(name)
    if row is None:
        raise NotFound(f"there is no pool {name!r}: `baygrid pools` lists them")
    return row
