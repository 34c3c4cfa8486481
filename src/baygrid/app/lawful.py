"""The law's answers, remembered for as long as nothing that they rest on has changed. Never a permission:
that is worked out again for every read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from datetime import date
from threading import Lock
from typing import Final, Generic, TypeVar

from baygrid.app.crossing import Answer, Crossing, answer, crossing, since
from baygrid.ports.basics import Instant
from baygrid.ports.contracts import GrantRow, Versions
from baygrid.ports.store import Tx
from baygrid.rulebooks.cross_border.lists import Lists

T = TypeVar("T")

MOST: Final = 10_000
"""Contracts of which the answer is remembered."""


class _Newest(Generic[T]):
    """The values that were asked for last, by key."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        with self._lock:
            found = self._known.get(key)
            if found is not None:
                self._known.move_to_end(key)
            return found

    def put(self, key: Hashable, value: T) -> None:
        with self._lock:
            self._known[key] = value
            if len(self._known) > MOST:
                self._known.popitem(last=False)


class Lawful:
    """Of one server. What a transaction that writes has found is not remembered, as it may be undone."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._counts: _Newest[tuple[int, int]] = _Newest()
        self._crossings: _Newest[Crossing] = _Newest()
        self._answers: _Newest[Answer] = _Newest()

    def crossing(self, tx: Tx, of: Versions) -> Crossing:
        """In a transaction that only reads. Suspensions, state and dates are in it."""
        key = (of.contract, of.version, of.parties, of.tables)
        found = self._crossings.get(key)
        if found is None:
            row = tx.contracts.get(of.contract)
            assert row is not None
            found = crossing(tx, row, tx.contracts.grants([of.contract]))
            self._crossings.put(key, found)
        return found

    def answer(self, tx: Tx, of: Versions, day: date) -> Answer:
        """In a transaction that only reads."""
        key = (of, day)
        found = self._answers.get(key)
        if found is None:
            it = self.crossing(tx, of)
            found = answer(
                it, day, counting(it, lambda: self._persons(tx, it, of.exporter, day)), self._lists
            )
            self._answers.put(key, found)
        return found

    def judged(
        self, tx: Tx, it: Crossing, version: int | None, day: date
    ) -> tuple[Answer, tuple[int, int] | None]:
        """The answer for a contract as it is in this transaction, and the persons if it rests on them.
        `version`: of the exporter, which is locked; what was counted ahead by it does."""
        counted: list[tuple[int, int]] = []

        def count() -> tuple[int, int]:
            known = None if version is None else self._counts.get(_key(it, version, day))
            counted.append(known or persons(tx, it.row.exporter, since(day), it.grants))
            return counted[-1]

        found = answer(it, day, counting(it, count), self._lists)
        return found, counted[-1] if counted else None

    def warm(self, tx: Tx, it: Crossing, day: date) -> None:
        """Counts ahead, in a transaction that only reads, so that the one that decides need not."""
        row = tx.persons.exporter(it.row.exporter)
        if row is not None and countable(it):
            self._persons(tx, it, row.version, day)

    def _persons(self, tx: Tx, it: Crossing, version: int, day: date) -> tuple[int, int]:
        key = _key(it, version, day)
        found = self._counts.get(key)
        if found is None:
            found = persons(tx, it.row.exporter, since(day), it.grants)
            self._counts.put(key, found)
        return found


def persons(tx: Tx, exporter: str, start: Instant, more: Sequence[GrantRow] = ()) -> tuple[int, int]:
    """Distinct persons that count since `start`, and those of `more`."""
    return tx.persons.counts(sorted({*tx.persons.counted(exporter, start), *(it.id for it in more)}))


def countable(it: Crossing) -> bool:
    """Whether the persons of each grant that may show some are noted."""
    return all(grant.shown and it.subject(grant) for grant in it.grants if it.personal(grant))


def counting(it: Crossing, count: Callable[[], tuple[int, int]]) -> Callable[[], tuple[int, int] | None]:
    """`count`, where the persons can be told apart."""
    return lambda: count() if countable(it) else None


def _key(it: Crossing, version: int, day: date) -> Hashable:
    return (it.row.exporter, version, since(day), tuple((grant.id, grant.shown) for grant in it.grants))
