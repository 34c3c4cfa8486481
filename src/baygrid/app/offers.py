"""What centres offer at which price."""

from __future__ import annotations

from dataclasses import dataclass, replace

from baygrid.app.access import Action, Actor, permit
from baygrid.app.names import check_name
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound, WrongState
from baygrid.app.terms import EnergyRates, rate, terms
from baygrid.core.pricing.tariff import Tariff
from baygrid.core.units import DECIMALS
from baygrid.ports.basics import Instant
from baygrid.ports.records import Event, Offer
from baygrid.ports.store import Exists, Tx


@dataclass(frozen=True, slots=True)
class Rates:
    """Decimal texts, major units of the offer's currency, for an hour; the rest as `core.terms.Terms`."""

    accelerator_hour: str = "0"
    cpu_hour: str = "0"
    gib_hour: str = "0"
    minimum_s: int = 0
    round_up_s: int = 0
    egress_gib: str = "0"
    energy: EnergyRates | None = None

    def tariff(self, currency: str, accelerator: str | None, valid_from: Instant) -> Tariff:
        """Raises Invalid, also for an accelerator that would be free by oversight, or priced where there is
        none."""
        tariff = Tariff(
            valid_from,
            currency,
            rate("accelerator_hour", self.accelerator_hour),
            rate("cpu_hour", self.cpu_hour),
            rate("gib_hour", self.gib_hour),
            terms(self.minimum_s, self.round_up_s, self.egress_gib, self.energy),
        )
        if (accelerator is not None) != (tariff.accelerator_hour > 0):
            what = (
                f"say what an hour of {accelerator} costs" if accelerator else "this offer has no accelerator"
            )
            raise Invalid.at("accelerator_hour", what)
        return tariff


def offers(platform: Platform, actor: Actor) -> list[Offer]:
    permit(actor, Action.BROWSE)
    rows = platform.store.read(lambda tx: tx.region.offers())
    return sorted(rows, key=lambda o: (o.centre, o.partition, o.accelerator or "", o.id))


def add_offer(
    platform: Platform,
    actor: Actor,
    *,
    id: str | None,
    centre: str,
    partition: str,
    accelerator: str | None,
    currency: str,
    rates: Rates,
    valid_from: Instant | None,
) -> Offer:
    """A partition at a price, from now on unless `valid_from` says otherwise. The partition need not have
    been reported yet."""
    permit(actor, Action.TEND, centre=centre)
    now = platform.clock()
    begins = now if valid_from is None else valid_from
    row = offer_of(id, centre, partition, accelerator, currency, rates, begins)

    def apply(tx: Tx) -> None:
        if tx.region.centre(centre) is None:
            raise Invalid.at("centre", f"there is no centre {centre!r}")
        tx.region.insert_offer(row)
        tx.events.append([Event(now, "offer-added", centre=centre, data={"offer": row.id})])

    try:
        platform.store.write(apply)
    except Exists:
        raise WrongState(f"there is already an offer {row.id!r}: add a tariff to it") from None
    return row


def offer_of(
    id: str | None,
    centre: str,
    partition: str,
    accelerator: str | None,
    currency: str,
    rates: Rates,
    valid_from: Instant,
) -> Offer:
    """A new offer, checked, that is named after what it offers unless `id` says otherwise. Raises Invalid."""
    check_name("partition", partition)
    if accelerator is not None:
        check_name("accelerator", accelerator)
    if currency not in DECIMALS:
        raise Invalid.at("currency", f"unknown currency {currency!r}: use one of {', '.join(DECIMALS)}")
    tariff = rates.tariff(currency, accelerator, valid_from)
    default = f"{centre}-{partition}" + (f"-{accelerator}" if accelerator else "")
    return Offer(check_name("id", id or default), centre, partition, accelerator, currency, (tariff,))


def planned_tariff(
    platform: Platform, actor: Actor, offer: str, valid_from: Instant | None, rates: Rates
) -> tuple[Offer, Tariff]:
    """What `add_tariff` would add, and to what; nothing is changed. Raises as that does."""
    return platform.store.read(lambda tx: _planned(platform, tx, actor, offer, valid_from, rates))


def _planned(
    platform: Platform, tx: Tx, actor: Actor, offer: str, valid_from: Instant | None, rates: Rates
) -> tuple[Offer, Tariff]:
    row = next((row for row in tx.region.offers() if row.id == offer), None)
    permit(actor, Action.TEND, centre=row.centre if row else actor.centre)
    now = platform.clock()
    earliest = now + platform.notice_ms
    begins = earliest if valid_from is None else valid_from
    if begins < earliest:
        minutes = -(-platform.notice_ms // 60_000)
        what = "lies in the past" if begins < now else "is too soon"
        raise Invalid.at("valid_from", f"{what}: a new price is announced {minutes} minutes before it begins")
    if row is None:
        raise NotFound(f"there is no offer {offer!r}")
    if any(tariff.valid_from == begins for tariff in row.tariffs):
        raise WrongState(f"offer {offer!r} already has a tariff that begins then")
    return row, rates.tariff(row.currency, row.accelerator, begins)


def add_tariff(
    platform: Platform, actor: Actor, offer: str, valid_from: Instant | None, rates: Rates
) -> Offer:
    """New prices from `valid_from` on, else as soon as the notice allows. A change never touches what ran
    before it, not even what a centre with a fast clock has already been paid for."""

    def apply(tx: Tx) -> Offer:
        row, tariff = _planned(platform, tx, actor, offer, valid_from, rates)
        tx.region.add_tariff(offer, tariff)
        told = {"offer": offer, "by": actor.who}
        tx.events.append([Event(platform.clock(), "tariff-added", centre=row.centre, data=told)])
        tariffs = sorted((*row.tariffs, tariff), key=lambda tariff: tariff.valid_from)
        return replace(row, tariffs=tuple(tariffs))

    try:
        return platform.store.write(apply)
    except Exists:
        raise WrongState(f"offer {offer!r} already has a tariff that begins then") from None
