"""A decision table on one day, and how it decides: the first rule that holds. It knows no law.

A rule that depends on an unknown fact is not passed over. Whatever rule comes to hold after it, the answer is
NEEDS_FACT, and what to ask, unless the outcome is the same whichever way that fact is. Before an outcome that
lets pass freely all is asked even then: by which article it does must be known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple, cast

from baygrid.core.law.conditions import (
    AtLeast,
    Condition,
    Day,
    Definite,
    Facts,
    Is,
    Listed,
    Truth,
    leaves,
    reads,
)
from baygrid.core.law.decisions import NEEDS_FACT, Against, Asked, Decision, Duty, Looked
from baygrid.core.law.parameters import value_on
from baygrid.core.law.tables import Obligation, Option, Rule, Said, Table


class NotLoaded(LookupError):
    """The table does not know the law of that day; the message says from when it does."""


class _Lines(NamedTuple):
    """The three lines of a trace that a rule or an option can leave: made once for all decisions of a day."""

    held: Looked
    not_held: Looked
    unknown: Looked

    def of(self, held: Truth) -> Looked:
        return self.unknown if held is None else self.held if held else self.not_held


@dataclass(frozen=True, slots=True)
class _Way:
    name: str
    asked: Asked
    lines: _Lines
    condition: Definite
    duties: tuple[tuple[Duty, Definite], ...]


@dataclass(frozen=True, slots=True)
class _Ruling:
    rule: Rule
    asked: Asked
    lines: _Lines
    condition: Definite
    duties: tuple[tuple[Duty, Definite], ...]
    notes: tuple[str, ...]
    options: tuple[_Way, ...]
    review: tuple[_Way, ...]


class Plan:
    """A table made definite for a day: what is in force then, with that day's numbers."""

    def __init__(self, table: Table, as_of: date, lists: Mapping[str, frozenset[str]]) -> None:
        """Raises NotLoaded, and Lapsed of a number that a rule in force lacks."""
        if as_of not in table.loaded:
            raise NotLoaded(f"the law of {table.name} is loaded from {table.loaded.first}, not of {as_of}")
        self.table, self.as_of = table, as_of
        limits = {
            name: int(it.value)
            for name, of in table.parameters.items()
            for it in of
            if as_of in it.span and isinstance(it.value, Decimal)
        }
        self._texts = {name: _grouped(value) for name, value in limits.items()}
        self._day = Day(limits, lists)
        ways = {it.name: self._way(it) for it in table.options if as_of in it.span}
        self.rulings = tuple(self._ruling(it, ways) for it in table.rules if as_of in it.span)

    def decide(self, facts: Facts) -> Decision:
        """Of facts that are read (`facts.Fact.read`). Never raises."""
        open_: list[_Ruling] = []
        looked: list[Looked] = []
        for ruling in self.rulings:
            held = ruling.condition.test(facts)
            looked.append(ruling.lines.of(held))
            if held:
                asking = self._unsettled(open_, ruling.rule.outcome)
                return self._asking(asking, facts, looked) if asking else self._ruled(ruling, facts, looked)
            if held is None:
                open_.append(ruling)
        return self._asking(open_, facts, looked)

    def _unsettled(self, open_: Sequence[_Ruling], outcome: str) -> Sequence[_Ruling]:
        """Of the rules that may hold, those up to the last that would come to something else. An unknown
        after it makes no difference."""
        if outcome in self.table.passes:
            return open_
        last = next((n for n in range(len(open_), 0, -1) if open_[n - 1].rule.outcome != outcome), 0)
        return open_[:last]

    def _asking(self, open_: Sequence[_Ruling], facts: Facts, looked: list[Looked]) -> Decision:
        missing = dict.fromkeys(name for ruling in open_ for name in ruling.condition.asks(facts))
        return self._needs(tuple(missing), facts, looked)

    def _needs(self, missing: tuple[str, ...], facts: Facts, looked: list[Looked]) -> Decision:
        return Decision(
            self.table.name, self.as_of, NEEDS_FACT, "", (), (), (), missing, (), (), "", tuple(looked), facts
        )

    def _ruled(self, ruling: _Ruling, facts: Facts, looked: list[Looked]) -> Decision:
        chosen = facts.get(self.table.choice)
        free: list[_Way] = []
        signed: list[_Way] = []
        for ways, into in ((ruling.options, free), (ruling.review, signed)):
            for way in ways:
                held = way.condition.test(facts)
                looked.append(way.lines.of(held))
                if held:
                    into.append(way)
                elif held is None and way.name == chosen:
                    return self._needs(tuple(way.condition.asks(facts)), facts, looked)
        refused = ""
        open_ = free + signed
        if chosen is not None:
            taken = [way for way in open_ if way.name == chosen]
            if taken:
                open_ = taken
            else:
                refused = self._refusal(str(chosen), ruling, open_)
        duties = [duty for duty, when in ruling.duties if when.test(facts) is not False]
        for way in open_:
            duties += [duty for duty, when in way.duties if when.test(facts) is not False]
        return Decision(
            self.table.name,
            self.as_of,
            ruling.rule.outcome,
            ruling.rule.id,
            ruling.asked.basis,
            tuple(way.name for way in free),
            tuple(way.name for way in signed),
            (),
            tuple(duties),
            ruling.notes,
            refused,
            tuple(looked),
            facts,
        )

    def _refusal(self, chosen: str, ruling: _Ruling, open_: Sequence[_Way]) -> str:
        for way in ruling.options + ruling.review:
            if way.name == chosen:
                return f"{chosen} is not open: not so that {way.asked.says} ({', '.join(way.asked.basis)})"
        days = [it.span for it in self.table.options if it.name == chosen]
        if days and not any(self.as_of in span for span in days):
            return f"{chosen} is not open on {self.as_of}: it is from {days[0].first}"
        left = f"; open: {', '.join(way.name for way in open_)}" if open_ else ""
        return f"{chosen} is no way here: {ruling.rule.id} comes to {ruling.rule.outcome}{left}"

    def _ruling(self, rule: Rule, ways: Mapping[str, _Way]) -> _Ruling:
        asked = self._asked(rule.id, rule.says, rule.basis, rule.when)
        return _Ruling(
            rule,
            asked,
            _lines(asked),
            rule.when.on(self._day),
            self._duties(rule.obligations, ""),
            self._in_force(rule.notes),
            tuple(ways[name] for name in rule.options if name in ways),
            tuple(ways[name] for name in rule.review if name in ways),
        )

    def _way(self, option: Option) -> _Way:
        asked = self._asked(f"option {option.name}", option.says, option.basis, option.when)
        return _Way(
            option.name,
            asked,
            _lines(asked),
            option.when.on(self._day),
            self._duties(option.obligations, option.name),
        )

    def _asked(self, id: str, says: str, basis: tuple[Said, ...], when: Condition) -> Asked:
        against = tuple(dict.fromkeys(it for leaf in leaves(when) for it in self._against(leaf)))
        return Asked(id, self._text(says), self._in_force(basis), reads(when), against)

    def _against(self, leaf: Is | Listed | AtLeast) -> Iterator[Against]:
        if isinstance(leaf, AtLeast):
            dated = value_on(self.table.parameters, leaf.limit, self.as_of)
            yield Against(leaf.limit, int(cast(Decimal, dated.value)), dated.reference)
        elif isinstance(leaf, Listed):
            names = ", ".join(sorted(self._day.lists.get(leaf.name, ())))
            yield Against(leaf.name, names or "not loaded", "loaded by the operator" if names else "")

    def _duties(self, names: Iterable[str], option: str) -> tuple[tuple[Duty, Definite], ...]:
        found = (self.table.obligations[name] for name in names)
        return tuple((self._duty(it, option), it.when.on(self._day)) for it in found if self.as_of in it.span)

    def _duty(self, it: Obligation, option: str) -> Duty:
        number = None if it.clock is None else self._day.limit(it.clock.limit)
        basis = self._in_force(it.basis)
        return Duty(it.id, self._text(it.what), it.by, basis, it.first_byte, it.clock, number, option)

    def _text(self, says: str) -> str:
        return says.format_map(self._texts)

    def _in_force(self, said: tuple[Said, ...]) -> tuple[str, ...]:
        return tuple(self._text(it.text) for it in said if self.as_of in it.span)


def _lines(asked: Asked) -> _Lines:
    return _Lines(Looked(asked, True), Looked(asked, False), Looked(asked, None))


def _grouped(value: int) -> str:
    return f"{value:,}"
