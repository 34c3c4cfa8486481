"""What a bundle's papers rest on: signed records by number, and what each costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Final

from baygrid.core.pricing.charge import Charge, ChargeError, backdated
from baygrid.core.pricing.contracts import Cover, Covered, charges
from baygrid.core.pricing.recompute.difference import NOTHING, Difference, Place, compared
from baygrid.core.pricing.recompute.values import Bundle, Earned, Key, OfferTerms, PostedCharge, Record

Holds = Callable[[str, str, bytes], bool]
"""Whether a signature (hex) over these bytes is that of a public key (hex): (key, signature, bytes)."""


MOST_MS: Final = 3660 * 24 * 3_600_000
"""Of one record: energy by the hour has a line for each hour at most."""


class Evidence:
    """A bundle's records and what they cost. A record that several papers rest on is checked once."""

    def __init__(self, bundle: Bundle, holds: Holds) -> None:
        self.bundle = bundle
        self._holds = holds
        self._records = {record.key: record for record in bundle.usage}
        self._checked: set[Key] = set()
        self._costs: dict[Key, Covered | str] = {}
        attempts: dict[str, list[Record]] = defaultdict(list)
        for record in bundle.usage:
            attempts[record.attempt].append(record)
        for records in attempts.values():
            self._costs |= _costs(records, bundle.offers.get(records[0].offer))

    def record(self, key: Key) -> Record:
        """Of a charge in which `differences` finds none."""
        return self._records[key]

    def cost(self, key: Key) -> Charge:
        """Of a charge in which `differences` finds none."""
        cost = self._costs[key]
        assert isinstance(cost, Covered), cost
        return cost.charge

    def left(self) -> Iterator[Difference]:
        """Once all papers are checked: records that none of them charges, and those that are there twice."""
        seen: set[Key] = set()
        for record in self.bundle.usage:
            at = Place("", record.job, record.attempt, record.n) / "record"
            if record.key not in self._checked:
                yield Difference(at, "a usage record", f"{NOTHING}, since no paper here charges it")
            if record.key in seen:
                yield Difference(at, "a usage record", f"{NOTHING}, since it is there before")
            seen.add(record.key)

    def differences(
        self, place: Place, posted: PostedCharge | Earned, centre: str, project: str
    ) -> Iterator[Difference]:
        """Of the record that a charge rests on."""
        record = self._records.get(posted.key)
        if record is None:
            yield Difference(place / "record", NOTHING, "the signed usage record of this charge")
            return
        yield from compared(place / "record, centre", record.centre, centre)
        yield from compared(place / "record, project", record.project, project)
        yield from compared(place / "record, job", record.job, posted.job)
        if record.key not in self._checked:
            self._checked.add(record.key)
            yield from self._unsigned(place / "record", record)

    def _unsigned(self, place: Place, record: Record) -> Iterator[Difference]:
        attempt, n = record.said
        yield from compared(place / "attempt", attempt, record.attempt)
        yield from compared(place / "n", n, record.n)
        if record.public_key not in self.bundle.keys.get(record.centre, ()):
            yield Difference(place / "public key", record.public_key, f"a key of centre {record.centre}")
        elif not self._holds(record.public_key, record.signature, record.data):
            what = f"the one that the agent of {record.centre} signed"
            yield Difference(place / "signature", "a record that it is not over", what)
        offer = self.bundle.offers.get(record.offer)
        if offer is None:
            yield Difference(place / "offer", record.offer, "an offer that is in this file")
        else:
            yield from compared(place / "offer, centre", offer.centre, record.centre)
            if record.used.accelerators:
                yield from compared(place / "offer, accelerator", offer.accelerator, record.used.accelerator)
        cost = self._costs[record.key]
        if isinstance(cost, str):
            yield Difference(place, "usage that cannot be charged", f"usage that can: {cost}")
            return
        yield from compared(place / "covers", record.covers, cost.covers)
        for cover in record.covers:
            yield from self._uncovered(place / f"cover of {cover.of}", record, cover)

    def _uncovered(self, place: Place, record: Record, cover: Cover) -> Iterator[Difference]:
        terms = self.bundle.trades.get(cover.of)
        if terms is None:
            yield Difference(place, cover.of, "a trade that is in this file")
            return
        yield from compared(place / "offer", terms.offer, record.offer)
        yield from compared(place / "project", terms.project or record.project, record.project)
        if not terms.sold(cover):
            yield Difference(place, "something else", "what the trade sold")


def _costs(records: list[Record], offer: OfferTerms | None) -> dict[Key, Covered | str]:
    """Of all records of one attempt, which is priced as a whole: its minimum counts once."""
    records = sorted(records, key=lambda it: it.n)
    used = [it.used for it in records]
    try:
        if offer is None or not offer.tariffs:
            raise ChargeError("its offer has no tariff here")
        if any(it.end_ms - it.start_ms > MOST_MS for it in used):
            raise ChargeError("it is longer than ten years")
        costs = charges(used, backdated(offer.tariffs, used), records[0].covers)
    except ChargeError as error:
        return {it.key: str(error) for it in records}
    return {it.key: cost for it, cost in zip(records, costs, strict=True)}
