"""A registry in DuckDB, in memory: who was where on a day, and what they reported.

On a day a body stands where its address of that day is, from its founding to its end. Of labels that hold at
once a person's go before the classifier's; of one body's addresses or layers (an import lets none overlap)
the one that began last counts."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

import duckdb

from baygrid.core.indicators.period import Period
from baygrid.core.indicators.suppress import DOMINANT
from baygrid.core.region.bodies import CLASSIFIER
from baygrid.observatory.placing import placed
from baygrid.observatory.tables import BadRegistry, Registry
from baygrid.observatory.zones import Zones

COMPANIES: Final = "ai_companies"
"""The population of the registry's companies, and of what they report."""

_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "enable_external_access": False,
    "python_enable_replacements": False,
}
_STANDING: Final = """
create temp table {now} as
with here as (
  select body, arg_max(spell, {rank}) as spell from addresses where {holds} group by body
), layers as (
  select body, arg_max(value, ("by" <> $classifier, {rank}, value)) as layer
  from labels where kind = 'layer' and {holds} group by body
)
select id as body, bodies.kind, spell, layer, synthetic, founded, dissolved
from bodies join here on here.body = id left join layers on layers.body = id
where {alive}
"""
_STANDING_IN: Final = """
create temp table {now}_in as
select {now}.*, zone from {now} join (select * from places where {holds}) using (spell)
"""
_COUNTS: Final = "select zone, kind, layer, count(*) from {now}_in group by all"
_REGISTERED: Final = "select count(*) from bodies where kind = 'company' and {alive}"
_FIELDS: Final = """
with told as (
  select body, value, "by" <> $classifier as person from labels where kind = 'field' and {holds}
), best as (select body, bool_or(person) as person from told group by body)
select zone, value, count(distinct body)
from told join best using (body, person) join {now}_in as standing using (body)
where standing.kind = 'company' group by all
"""
_FLOWS: Final = """
with here as (select zone, body, spell, founded from {now}_in where kind = 'company'),
was as (select zone, body, spell, dissolved from {before}_in where kind = 'company')
select zone,
  case when was.body is null then
    case when here.founded > $first then 'founded'
         when (here.body, here.spell) in (select (body, spell) from {before}) then 'otherwise_in'
         else 'moved_in' end
  when here.body is null then
    case when was.dissolved <= $day then 'dissolved'
         when (was.body, was.spell) in (select (body, spell) from {now}) then 'otherwise_out'
         else 'moved_out' end
  when here.spell <> was.spell then 'within' else 'stayed' end as what, count(*)
from here full join was using (zone, body) group by all
"""
_LATEST: Final = """
select body, arg_max(value, received) as value from returns
where population = $population and unit = 'CNY' and measure = '{measure}' and period = {period}
  and received <= $known and body is not null
group by body
"""
_REVENUE: Final = _LATEST.format(measure="revenue", period="$period")
_REPORTED: Final = f"""
select zone, layer, ai.value is not null as both,
  count(*), sum(revenue.value), max(revenue.value, {DOMINANT}),
  sum(ai.value), max(ai.value, {DOMINANT})
from {{now}}_in as standing join ({_REVENUE}) as revenue using (body)
left join ({_LATEST.format(measure="ai_revenue", period="$period")}) as ai using (body)
where kind = 'company' group by all
"""  # noqa: S608 - of constants
_AMOUNTS: Final = f"""
select revenue.value from {{now}}_in as standing join ({_REVENUE}) as revenue using (body)
where kind = 'company' and zone = $zone
"""  # noqa: S608
_PANEL: Final = f"""
select count(*), sum(revenue.value), max(revenue.value, {DOMINANT}), sum(b.value), max(b.value, {DOMINANT})
from {{now}}_in as standing join {{before}}_in as stood using (body, zone)
join ({_REVENUE}) as revenue using (body)
join ({_LATEST.format(measure="revenue", period="$year_before")}) as b using (body)
where standing.kind = 'company' and zone = $zone
"""  # noqa: S608
_PUBLISHED: Final = """
select population, zone, measure, period, arg_max(value, received), arg_max(unit, received),
  arg_max(source, received), max(received)
from returns where body is null and zone is not null and received <= $known
group by population, zone, measure, period order by all
"""
_OF: Final = {"population": COMPANIES}
_WORDS: Final = {
    "holds": "coalesce(since <= $day, true) and coalesce(until > $day, true)",
    "alive": "coalesce(founded <= $day, true) and coalesce(dissolved > $day, true)",
    "rank": "coalesce(since, date '0001-01-01')",
}


class Reported(NamedTuple):
    """What companies of one layer reported of a period, in CNY: how many they are, the sum, the largest.
    `both`: they are those that said what of it is AI, too."""

    layer: str | None
    both: bool
    companies: int
    revenue: Decimal
    largest: tuple[Decimal, ...]
    ai: Decimal | None
    largest_ai: tuple[Decimal, ...]


class Side(NamedTuple):
    """Of a panel in one year."""

    companies: int
    revenue: Decimal
    largest: tuple[Decimal, ...]


class Published(NamedTuple):
    """An aggregate as it was published last, of those that were known."""

    population: str
    zone: str
    measure: str
    period: Period
    value: Decimal
    unit: str
    source: str
    received: date


class Frames:
    """Closed by whoever opened it (`opened`). What it tells is by place: a zone, or the rest of one
    (`tree`)."""

    def __init__(self, registry: Registry, database: duckdb.DuckDBPyConnection) -> None:
        self.zones = Zones(registry.zones)
        self._database = database
        self._standing: dict[date, str] = {}
        addresses = registry.tables["addresses"]
        tables = {**registry.tables, "places": placed(addresses, self.zones)}
        for name, table in tables.items():
            database.register("given", table)
            number = ", row_number() over () - 1 as spell" if name == "addresses" else ""
            database.execute(f"create temp table {name} as select *{number} from given")  # noqa: S608 - own names
            database.unregister("given")

    def standing(self, day: date) -> str:
        """The name of the table of who stands where on a day."""
        name = self._standing.get(day)
        if name is None:
            name = self._standing[day] = f"standing_{len(self._standing)}"
            self._run(_STANDING, name, values={"day": day, "classifier": CLASSIFIER})
            self._run(_STANDING_IN, name, values={"day": day})
        return name

    def counts(self, day: date) -> dict[tuple[str, str, str | None], int]:
        """Bodies by place, kind and layer."""
        found = self._run(_COUNTS, self.standing(day))
        return {(zone, kind, layer): count for zone, kind, layer, count in found}

    def registered(self, day: date) -> int:
        """Companies that exist, wherever they are."""
        return int(self._run(_REGISTERED, values={"day": day})[0][0])

    def synthetic(self) -> bool:
        """Whether a body or a zone is invented."""
        found = self._run("select coalesce(bool_or(synthetic), false) from bodies")
        return bool(found[0][0]) or any(zone.synthetic for zone in self.zones.all)

    def fields(self, day: date) -> dict[tuple[str, str], int]:
        """By place and field; a company may be in several fields."""
        found = self._run(_FIELDS, self.standing(day), values={"day": day, "classifier": CLASSIFIER})
        return {(zone, field): count for zone, field, count in found}

    def flows(self, first: date, day: date) -> dict[tuple[str, str], int]:
        """What became of the companies of each place between two days: founded, moved_in, otherwise_in (the
        boundary moved), dissolved, moved_out, otherwise_out, within (another address there), stayed."""
        found = self._run(_FLOWS, self.standing(day), self.standing(first), {"first": first, "day": day})
        return {(zone, what): count for zone, what, count in found}

    def reported(self, period: Period, day: date, known: date) -> dict[str, list[Reported]]:
        """By place, what the companies that stand there on a day reported of a period."""
        given = {**_OF, "period": str(period), "known": known}
        found: dict[str, list[Reported]] = defaultdict(list)
        for zone, layer, both, companies, revenue, top, ai, top_ai in self._run(
            _REPORTED, self.standing(day), values=given
        ):
            row = Reported(layer, both, companies, revenue, tuple(top), ai, tuple(top_ai or ()))
            found[zone].append(row)
        return found

    def amounts(self, zone: str, period: Period, day: date, known: date) -> list[Decimal]:
        """The revenue of each company there that reported it."""
        given = {**_OF, "zone": zone, "period": str(period), "known": known}
        return [value for (value,) in self._run(_AMOUNTS, self.standing(day), values=given)]

    def panel(self, zone: str, period: Period, known: date) -> tuple[Side, Side]:
        """Of companies that stood there at the ends of a year and of the one before, and reported both."""
        given = {
            **_OF, "zone": zone, "period": str(period), "year_before": str(period.before), "known": known,
        }  # fmt: skip
        days = self.standing(period.last), self.standing(period.before.last)
        ((count, now, top, before, top_before),) = self._run(_PANEL, *days, values=given)
        none = Decimal(0)
        return Side(count, now or none, tuple(top or ())), Side(
            count, before or none, tuple(top_before or ())
        )

    def published(self, known: date) -> list[Published]:
        """All aggregates, by population, zone, measure and period. Raises BadRegistry."""
        try:
            return [
                Published(population, zone, measure, Period.parse(period), *rest)
                for population, zone, measure, period, *rest in self._run(_PUBLISHED, values={"known": known})
            ]
        except ValueError as error:
            raise BadRegistry(f"returns: {error}") from None

    def _run(
        self, question: str, now: str = "", before: str = "", values: Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        """`now`, `before`: names of tables of who stands."""
        question = question.format(now=now, before=before, **_WORDS)
        return self._database.execute(question, values).fetchall()


@contextlib.contextmanager
def opened(registry: Registry) -> Iterator[Frames]:
    """Raises BadRegistry."""
    with duckdb.connect(config=_SETTINGS) as database:
        yield Frames(registry, database)
