"""What the observatory counts, counted one body at a time; and small registries by chance."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from baygrid.core.region.bodies import (
    CLASSIFIER,
    LAYERS,
    Body,
    Kind,
    Label,
    Labelled,
    Return,
    Spell,
    Zone,
    holds,
)
from baygrid.observatory.tables import Registry, of_values
from baygrid.observatory.zones import Zones

FIRST = date(2022, 6, 30)
DAYS = st.integers(0, 900).map(lambda n: date(2021, 12, 1) + timedelta(days=n))
SINCE = st.none() | DAYS
BODIES = tuple("abcdefg")
FIELDS = ("robotics", "medical", "other")


@dataclass
class Small:
    """A registry in values."""

    bodies: list[Body]
    spells: list[Spell]
    labels: list[Label]
    returns: list[Return]
    zones: list[Zone]

    @property
    def registry(self) -> Registry:
        return of_values(self.bodies, self.spells, self.labels, self.returns, self.zones)

    def alive(self, body: Body, day: date) -> bool:
        return not ((body.founded and body.founded > day) or (body.dissolved and body.dissolved <= day))

    def address(self, body: Body, day: date) -> Spell | None:
        held = [it for it in self.spells if it.body == body.id and holds(it, day)]
        return max(held, key=lambda it: it.since or date.min) if held and self.alive(body, day) else None

    def zones_of(self, spell: Spell, day: date) -> list[str]:
        """With the rest of the innermost, if it has others in it."""
        parents = {it.id: it.parent for it in self.zones}
        zone = Zones(self.zones).place(spell, day).zone
        found = [f"{zone}/rest"] if zone in parents.values() else []
        while zone:
            found.append(zone)
            zone = parents[zone]
        return found

    def inside(self, day: date) -> dict[tuple[str, str], tuple[Body, Spell]]:
        """By zone and body."""
        return {
            (zone, body.id): (body, spell)
            for body in self.bodies
            if (spell := self.address(body, day))
            for zone in self.zones_of(spell, day)
        }

    def told(self, body: str, kind: Labelled, day: date) -> list[Label]:
        """A person's, if there are any."""
        held = [it for it in self.labels if (it.body, it.kind) == (body, kind) and holds(it, day)]
        return [it for it in held if it.by != CLASSIFIER] or held

    def layer(self, body: str, day: date) -> str | None:
        held = self.told(body, Labelled.LAYER, day)
        return max(held, key=lambda it: (it.since or date.min, it.value)).value if held else None

    def counts(self, day: date) -> dict[Any, int]:
        return dict(
            Counter(
                (zone, body.kind, self.layer(id, day)) for (zone, id), (body, _) in self.inside(day).items()
            )
        )

    def fields(self, day: date) -> dict[Any, int]:
        return dict(
            Counter(
                (zone, field)
                for (zone, id), (body, _) in self.inside(day).items()
                if body.kind is Kind.COMPANY
                for field in {it.value for it in self.told(id, Labelled.FIELD, day)}
            )
        )

    def flows(self, first: date, day: date) -> dict[Any, int]:
        was, now = self.inside(first), self.inside(day)
        by_id = {it.id: it for it in self.bodies}
        found = Counter[Any]()
        for zone, id in was.keys() | now.keys():
            body = by_id[id]
            if body.kind is not Kind.COMPANY:
                continue
            before, after = self.address(body, first), self.address(body, day)
            if (zone, id) not in was:
                founded = body.founded is not None and body.founded > first
                found[zone, "founded" if founded else "otherwise_in" if before is after else "moved_in"] += 1
            elif (zone, id) not in now:
                ended = body.dissolved is not None and body.dissolved <= day
                found[
                    zone, "dissolved" if ended else "otherwise_out" if before is after else "moved_out"
                ] += 1
            else:
                found[zone, "stayed" if before is after else "within"] += 1
        return dict(found)

    def reported(self, period: str, day: date, known: date) -> dict[str, dict[str, tuple[Any, ...]]]:
        """By place and body: layer, revenue, AI revenue."""
        found: dict[str, dict[str, tuple[Any, ...]]] = defaultdict(dict)
        for (zone, id), (body, _) in self.inside(day).items():
            revenue, ai = (self._value(id, period, it, known) for it in ("revenue", "ai_revenue"))
            if body.kind is Kind.COMPANY and revenue is not None:
                found[zone][id] = self.layer(id, day), revenue, ai
        return found

    def _value(self, body: str, period: str, measure: str, known: date) -> Decimal | None:
        wanted = (body, "ai_companies", period, measure, "CNY")
        held = [
            it
            for it in self.returns
            if (it.body, it.population, it.period, it.measure, it.unit) == wanted and it.received <= known
        ]
        return max(held, key=lambda it: it.received).value if held else None


def box(
    id: str, parent: str, west: int, east: int, since: date | None = None, until: date | None = None
) -> Zone:
    ring = [[west, 0], [east, 0], [east, 10], [west, 10], [west, 0]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    return Zone(id, {"en": id.title()}, since, until, parent, None, "drawn", shape)


@st.composite
def registries(draw: Any) -> Small:
    """A city with one zone whose boundary moves on some day, beside a zone that it does not have."""
    moved = draw(DAYS)
    zones = [
        box("city", "", 0, 10), box("bay", "city", 0, 4, until=moved), box("bay", "city", 0, 6, since=moved),
        box("isle", "", 20, 30),
    ]  # fmt: skip
    bodies, spells, labels, returns = [], [], [], []
    for id in BODIES[: draw(st.integers(0, len(BODIES)))]:
        founded, dissolved = draw(SINCE), draw(SINCE)
        if founded and dissolved and dissolved < founded:
            founded, dissolved = dissolved, founded
        kind = draw(st.sampled_from([*[Kind.COMPANY] * 4, Kind.UNIVERSITY]))
        bodies.append(Body(id, kind, None, "", {"en": id}, founded, dissolved))
        for since, until in periods(draw(st.lists(DAYS, max_size=3, unique=True)), draw(st.booleans())):
            spells.append(Spell(id, since, until, "street", *draw(_PLACES)))
        for since, until in periods(draw(st.lists(DAYS, max_size=2, unique=True)), True):
            labels.append(
                Label(id, Labelled.LAYER, draw(st.sampled_from(LAYERS)), since, until, by=draw(_BY))
            )
        labels += [
            Label(id, Labelled.FIELD, field, draw(SINCE), None, by=draw(_BY))
            for field in draw(st.lists(st.sampled_from(FIELDS), max_size=3))
        ]
        returns += draw(_returns(id))
    return Small(bodies, spells, labels, returns, zones)


def periods(cuts: Iterable[date], open_end: bool) -> list[tuple[date | None, date | None]]:
    """From the first day on, one after another."""
    days = sorted(cuts)
    ends = [*days[1:], *([None] if open_end else [])]
    return list(zip(days, ends, strict=False))


_BY = st.sampled_from([CLASSIFIER, CLASSIFIER, "a person"])
# On 4, 6 and 10 is a border; on a border the district decides.
_PLACES = st.tuples(
    st.sampled_from([None, 1.0, 4.0, 5.0, 6.0, 9.0, 10.0, 15.0, 25.0]), st.just(5.0),
    st.sampled_from(["", "", "bay", "City", "isle", "nowhere"]),
).map(lambda it: it if it[0] is not None else (None, None, it[2]))  # fmt: skip


@st.composite
def _returns(draw: Any, body: str) -> list[Return]:
    keys = st.tuples(
        st.sampled_from(["2022", "2023"]), st.sampled_from(["revenue", "revenue", "ai_revenue", "employees"]),
        st.sampled_from([date(2023, 3, 1), date(2023, 9, 1), date(2024, 3, 1)]),
        st.sampled_from(["ai_companies", "ai_companies", "above_scale_ai"]),
    )  # fmt: skip
    return [
        Return(body, population, "", period, measure, Decimal(draw(st.integers(0, 99_999))) / 100,
               draw(st.sampled_from(["CNY", "CNY", "HKD"])), "drawn", received)
        for period, measure, received, population in draw(st.lists(keys, max_size=6, unique=True))
    ]  # fmt: skip
