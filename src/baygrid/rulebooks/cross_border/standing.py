"""What the law is on a day, rule by rule, and what is different on another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from baygrid.core.law.plan import Plan
from baygrid.rulebooks.cross_border.book import NAMES, book
from baygrid.rulebooks.cross_border.deciding import plan
from baygrid.rulebooks.cross_border.lists import Lists


@dataclass(frozen=True, slots=True)
class Standing:
    """`kind`: "rule", "option", "obligation" or "list"; `comes_to`: the outcome of a rule, who an obligation
    is of, whether a list is loaded."""

    table: str
    kind: str
    name: str
    says: str
    comes_to: str
    basis: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """None on the side where there is no such thing."""

    before: Standing | None
    after: Standing | None


def standing(as_of: date, lists: Lists) -> list[Standing]:
    """In the order in which it is asked. Raises NotLoaded."""
    found: dict[tuple[str, str, str], Standing] = {}
    for direction in NAMES:
        for it in (*_of(plan(direction, as_of, lists)), *_lists(direction, as_of, lists)):
            found.setdefault((it.table, it.kind, it.name), it)
    order = ("rule", "option", "obligation", "list")
    return sorted(found.values(), key=lambda it: ([*NAMES].index(it.table), order.index(it.kind)))


def changes(before: date, after: date, lists: Lists) -> list[Change]:
    """Raises NotLoaded of either day."""
    older = {(it.table, it.kind, it.name): it for it in standing(before, lists)}
    newer = {(it.table, it.kind, it.name): it for it in standing(after, lists)}
    return [
        Change(older.get(key), newer.get(key))
        for key in {**older, **newer}
        if older.get(key) != newer.get(key)
    ]


def _of(law: Plan) -> Iterator[Standing]:
    table = law.table.name
    for ruling in law.rulings:
        asked, ways = ruling.asked, ruling.options + ruling.review
        yield Standing(table, "rule", asked.id, asked.says, ruling.rule.outcome, asked.basis)
        for way in ways:
            yield Standing(table, "option", way.name, way.asked.says, "", way.asked.basis)
        for duty, _ in (*ruling.duties, *(it for way in ways for it in way.duties)):
            yield Standing(table, "obligation", duty.id, duty.what, duty.by, duty.basis)


def _lists(direction: str, as_of: date, lists: Lists) -> Iterator[Standing]:
    """Every kind that the law knows; of those that the operator has given, each zone."""
    for kind, it in book(direction).lists.items():
        given = [one for one in lists.loaded if one.kind == kind]
        if not given:
            yield Standing(direction, "list", kind, it.title, "not loaded", (it.note,))
        for one in given:
            in_force = "loaded" if one.enabled and as_of in one.span else "given, gives nothing"
            yield Standing(direction, "list", f"{kind} {one.zone}", it.title, in_force, (one.reference,))
