"""The values of the registry, as its plain form has them (docs/registry.md): a file of rows for each kind.

Days are days of the region; a period runs from `since` to before `until`, and None is open: at the beginning
"as long as there is the body", at the end "still so".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from baygrid.core.region.codes import Scheme

LANGUAGES: Final = ("zh_hans", "zh_hant", "en", "ja")
LAYERS: Final = ("base", "technology", "application")
FIELDS: Final = (
    "machine_vision",
    "data_mining",
    "smart_finance",
    "smart_logistics",
    "intelligent_connected_vehicles",
    "large_models",
    "speech_language",
    "robotics",
    "medical",
    "other",
)
CLASSIFIER: Final = "classifier"
"""Who labelled, where it was no person."""


class Kind(StrEnum):
    COMPANY = "company"
    UNIVERSITY = "university"
    INSTITUTE = "institute"


class Labelled(StrEnum):
    """What a label is about. A body has one layer at a time, and any fields."""

    LAYER = "layer"
    FIELD = "field"


@dataclass(frozen=True, slots=True)
class Body:
    """`names` by LANGUAGES, without those that are not known. `code` "" where there is none; `hk_funded`
    None: nobody has said. `scope`: its business, as registered; what the classifier reads beside the
    names."""

    id: str
    kind: Kind
    scheme: Scheme | None
    code: str
    names: Mapping[str, str] = field(hash=False)
    founded: date | None = None
    dissolved: date | None = None
    hk_funded: bool | None = None
    synthetic: bool = False
    scope: str = ""

    @property
    def name(self) -> str:
        """The first that it has: a body has at least one."""
        return next(self.names[it] for it in LANGUAGES if it in self.names)


@dataclass(frozen=True, slots=True)
class Spell:
    """A registered address over [since, until). `lon`, `lat`: WGS 84 degrees, both or none."""

    body: str
    since: date | None
    until: date | None
    address: str
    lon: float | None = None
    lat: float | None = None
    district: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """`evidence`: the words that spoke for it. `by`: CLASSIFIER, or the person who says so."""

    body: str
    kind: Labelled
    value: str
    since: date | None
    until: date | None
    evidence: str = ""
    source: str = ""
    by: str = CLASSIFIER


@dataclass(frozen=True, slots=True)
class Return:
    """One statistical figure. `body` "" where it is a published aggregate, then of `zone`. `population`: of
    whom it is told; figures of two populations are never one ratio. `received`: its vintage."""

    body: str
    population: str
    zone: str
    period: str
    measure: str
    value: Decimal
    unit: str
    source: str
    received: date

    @property
    def key(self) -> tuple[str, str, str, str, str, str]:
        """What it is a figure of; two values of one key contradict each other."""
        return (self.body, self.population, self.zone, self.period, self.measure, self.received.isoformat())


@dataclass(frozen=True, slots=True)
class Zone:
    """A place with a polygon (`geometry`, as GeoJSON has it) over [since, until). `synthetic`: drawn for
    samples, not the boundary."""

    id: str
    names: Mapping[str, str] = field(hash=False)
    since: date | None
    until: date | None
    parent: str
    area_km2: Decimal | None
    source: str
    geometry: Mapping[str, Any] = field(hash=False)
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """All that is known of one body, but its returns. Spells and labels in order."""

    body: Body
    spells: tuple[Spell, ...] = ()
    labels: tuple[Label, ...] = ()

    def address_on(self, day: date) -> Spell | None:
        return next((it for it in self.spells if holds(it, day)), None)

    def labels_on(self, day: date) -> list[Label]:
        return [it for it in self.labels if holds(it, day)]


def holds(it: Spell | Label | Zone, day: date) -> bool:
    """Whether `day` is in its period."""
    return (it.since is None or it.since <= day) and (it.until is None or day < it.until)


def overlap(one: Spell | Label, other: Spell | Label) -> bool:
    """Whether the two have a day in common."""
    return (one.since or date.min) < (other.until or date.max) and (other.since or date.min) < (
        one.until or date.max
    )


def record(body: Body, spells: Iterable[Spell], labels: Iterable[Label]) -> Record:
    """With spells and labels in the one order that there is, so that the same facts are equal records."""
    return Record(
        body,
        tuple(sorted(spells, key=lambda it: (it.since or date.min, it.until or date.max, it.address))),
        tuple(
            sorted(
                labels, key=lambda it: (it.kind.value, it.since or date.min, it.value, it.until or date.max)
            )
        ),
    )
