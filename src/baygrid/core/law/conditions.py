"""Conditions over facts that may be unknown, in three values (Kleene's strong logic): held, not, unknown.

A condition is a value. Made definite for a day (`on`) it is a plain function of facts, without a look-up of
any number, so that a table of them decides tens of thousands of times a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, cast

from baygrid.core.law.facts import Value
from baygrid.core.law.parameters import Lapsed

Facts = Mapping[str, Value]
"""By name; one that is not there is unknown."""

Truth = bool | None
"""None: it depends on a fact that is unknown."""


@dataclass(frozen=True, slots=True)
class Day:
    """What the law has on one day: `limits`, its numbers by name, and `lists`, what is on the lists that
    somebody has loaded."""

    limits: Mapping[str, int]
    lists: Mapping[str, frozenset[str]]

    def limit(self, name: str) -> int:
        """Raises Lapsed."""
        if name not in self.limits:
            raise Lapsed(name)
        return self.limits[name]


class Definite(NamedTuple):
    """A condition on one day. `asks`: of an unknown one, the facts that it depends on."""

    test: Callable[[Facts], Truth]
    asks: Callable[[Facts], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Is:
    """The fact is one of `values`; with none of them: it is true."""

    fact: str
    values: tuple[str, ...] = ()

    def on(self, day: Day) -> Definite:
        return _among(self.fact, frozenset(self.values) or frozenset({True}))


@dataclass(frozen=True, slots=True)
class Listed:
    """The fact is on the list `name`. Of a list that nobody has loaded it is not, whatever the fact is."""

    fact: str
    name: str

    def on(self, day: Day) -> Definite:
        values = day.lists.get(self.name, frozenset())
        return _among(self.fact, values) if values else Definite(lambda _: False, lambda _: ())


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The sum of counts (whole numbers) reaches a number of the law. What is known of them may be enough."""

    counts: tuple[str, ...]
    limit: str

    def on(self, day: Day) -> Definite:
        limit, counts = day.limit(self.limit), self.counts

        def test(facts: Facts) -> Truth:
            total, known = 0, True
            for name in counts:
                if name in facts:
                    total += cast(int, facts[name])
                else:
                    known = False
            return True if total >= limit else False if known else None

        return Definite(test, lambda facts: [name for name in counts if name not in facts])


@dataclass(frozen=True, slots=True)
class Not:
    of: Condition

    def on(self, day: Day) -> Definite:
        test, asks = self.of.on(day)

        def negated(facts: Facts) -> Truth:
            held = test(facts)
            return None if held is None else not held

        return Definite(negated, asks)


@dataclass(frozen=True, slots=True, init=False)
class Every:
    """All of them; none at all always holds. One that does not hold decides."""

    parts: tuple[Condition, ...]

    def __init__(self, *parts: Condition) -> None:
        object.__setattr__(self, "parts", parts)

    def on(self, day: Day) -> Definite:
        return _joined([part.on(day) for part in self.parts], decisive=False)


@dataclass(frozen=True, slots=True, init=False)
class Some:
    """At least one of them. One that holds decides, whatever is not known of the others."""

    parts: tuple[Condition, ...]

    def __init__(self, *parts: Condition) -> None:
        object.__setattr__(self, "parts", parts)

    def on(self, day: Day) -> Definite:
        return _joined([part.on(day) for part in self.parts], decisive=True)


Condition = Is | Listed | AtLeast | Not | Every | Some
"""Each is made definite by `on`, which raises Lapsed of a number without a value on that day."""

ALWAYS: Final = Every()


def leaves(condition: Condition) -> Iterator[Is | Listed | AtLeast]:
    """What it is made of, in the order in which it is written."""
    match condition:
        case Is() | Listed() | AtLeast():
            yield condition
        case Not(of):
            yield from leaves(of)
        case Every(parts=parts) | Some(parts=parts):
            for part in parts:
                yield from leaves(part)


def reads(condition: Condition) -> tuple[str, ...]:
    """The facts that it may ask for."""
    return _union(it.counts if isinstance(it, AtLeast) else (it.fact,) for it in leaves(condition))


def _among(fact: str, values: frozenset[str] | frozenset[bool]) -> Definite:
    def test(facts: Facts) -> Truth:
        return facts[fact] in values if fact in facts else None

    return Definite(test, lambda _: (fact,))


def _joined(parts: list[Definite], *, decisive: bool) -> Definite:
    tests = tuple(part.test for part in parts)

    def test(facts: Facts) -> Truth:
        found: Truth = not decisive
        for part in tests:
            held = part(facts)
            if held is decisive:
                return decisive
            if held is None:
                found = None
        return found

    def asks(facts: Facts) -> Iterable[str]:
        return _union(part.asks(facts) for part in parts if part.test(facts) is None)

    return Definite(test, asks)


def _union(names: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for each in names for name in each))
