"""Offers and their dated tariffs, and the number that grows with every change of what an operator sets up."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from sqlalchemy import select, update

from baygrid.core.pricing.tariff import Tariff
from baygrid.core.terms import terms_of
from baygrid.ports.records import Offer
from baygrid.ports.store import Exists
from baygrid.store.documents import clean, dumps, loads
from baygrid.store.sql import Params, Session, Statement, insert_new, text
from baygrid.store.tables import centres, offers, region, tariffs

_INSERT_OFFER = insert_new(offers)
_INSERT_TARIFF = insert_new(tariffs)
_OFFERS = Statement(
    select(
        offers.c.id, offers.c.centre, offers.c.partition, offers.c.accelerator, offers.c.currency
    ).order_by(offers.c.id)
)
_OFFER = Statement(select(offers.c.id).where(offers.c.id == text("key")))
_CENTRE = Statement(select(centres.c.name).where(centres.c.name == text("key")))
_TARIFFS = Statement(select(tariffs).order_by(tariffs.c.offer, tariffs.c.valid_from))
_VERSION = Statement(select(region.c.version))
GROW = Statement(update(region).values(version=region.c.version + 1))


class Offers:
    """The part of `ports.store.Region` that has prices."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert_offer(self, row: Offer) -> None:
        """With its tariffs. Raises KeyError when there is no such centre."""
        self._must_exist(_CENTRE, row.centre)
        self._insert(
            insert=_INSERT_OFFER,
            params={
                "id": row.id,
                "centre": row.centre,
                "partition": clean(row.partition),
                "accelerator": row.accelerator,
                "currency": row.currency,
            },
            what=f"offer {row.id!r}",
        )
        for tariff in row.tariffs:
            self._insert_tariff(row.id, tariff)
        self._grow()

    def add_tariff(self, offer: str, tariff: Tariff) -> None:
        self._must_exist(_OFFER, offer)
        self._insert_tariff(offer, tariff)
        self._grow()

    def offers(self) -> list[Offer]:
        """By id."""
        of: defaultdict[str, list[Tariff]] = defaultdict(list)
        for offer, valid_from, currency, *rates, terms in self._session.all(_TARIFFS, {}):
            accelerator_hour, cpu_hour, gib_hour = map(Fraction, rates)
            besides = None if terms is None else terms_of(loads(terms))
            of[offer].append(Tariff(valid_from, currency, accelerator_hour, cpu_hour, gib_hour, besides))
        return [
            Offer(id, centre, partition, accelerator, currency, tuple(of[id]))
            for id, centre, partition, accelerator, currency in self._session.all(_OFFERS, {})
        ]

    def version(self) -> int:
        number: int = self._session.all(_VERSION, {})[0][0]
        return number

    def _insert_tariff(self, offer: str, tariff: Tariff) -> None:
        self._insert(
            insert=_INSERT_TARIFF,
            params={
                "offer": offer,
                "valid_from": tariff.valid_from,
                "currency": tariff.currency,
                "accelerator_hour": str(tariff.accelerator_hour),
                "cpu_hour": str(tariff.cpu_hour),
                "gib_hour": str(tariff.gib_hour),
                "terms": None if tariff.terms is None else dumps(tariff.terms.to_json()),
            },
            what=f"a tariff of {offer!r} from {tariff.valid_from}",
        )

    def _insert(self, insert: Statement, params: Params, what: str) -> None:
        if not self._session.change(insert, params):
            raise Exists(what)

    def _must_exist(self, statement: Statement, key: str) -> None:
        if not self._session.all(statement, {"key": key}):
            raise KeyError(key)

    def _grow(self) -> None:
        self._session.change(GROW, {})
