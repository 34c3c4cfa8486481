"""Charts of the platform's own figures: the three bottlenecks, compute and support by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

import yaml

from baygrid.core.region.bodies import LAYERS
from baygrid.observatory.charts import LANGUAGES, Chart, FigureJson, Kind, Row, Words, same

REASONS: Final = ("room", "money", "given_up")
"""Why hours were not had: no place was free, no money was, or the job was cancelled while it waited."""
BY_LAYER: Final = (*LAYERS, "unlabelled", "not_linked")
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "compute.hours_unmet": REASONS,
    "compute.used": BY_LAYER,
    "support.received": BY_LAYER,
}
"""What these are told by; the other two have forms of their own."""
_CONSTRAINTS: Final = ("capacity", "price", "closed", "law", "equipment", "other")
"""Without what a job's owner chose, and without being the second best."""

IDS: Final = (
    "compute.hours_unmet",
    "centres.constraint",
    "data.requests_unmet",
    "compute.used",
    "support.received",
)


def own_chart(id: str, figures: Sequence[FigureJson]) -> Chart | None:
    """None where these figures have nothing to draw. Raises KeyError for an id that is none of `IDS`."""
    known = {figure["id"]: figure for figure in figures}
    rows = tuple(_rows(id, known))
    if not rows:
        return None
    one = rows[0].figure
    days = {"period": one["period"].replace("/", "–"), "vintage": one["vintage"]}
    source = {language: text.format(**days) for language, text in _words("source").items()}
    kind = Kind.STACKED if id == "centres.constraint" else Kind.BARS
    return Chart(id, kind, _words(id), _words(one["unit"]), rows, source, places=2)


def _rows(id: str, known: Mapping[str, FigureJson]) -> Iterator[Row]:
    if id == "centres.constraint":
        yield from _constraints(known)
    elif id == "data.requests_unmet":
        for figure, word in ((id, "wishes"), (f"{id}.times", "times")):
            yield Row(known[figure], _words(word))
    else:
        for part in _PARTS[id]:
            yield Row(known[f"{id}.{part}"], _words(part))


def _constraints(known: Mapping[str, FigureJson]) -> Iterator[Row]:
    """By kind first, so that the legend has them in their order."""
    for kind in _CONSTRAINTS:
        for id, figure in known.items():
            head, _, tail = id.rpartition(".")
            centre = head.removeprefix("centres.constraint.")
            if tail == kind and centre != head:
                yield Row(figure, same(centre), _words(kind))


@cache
def _words(word: str) -> Words:
    return dict(zip(LANGUAGES, _catalogue()[word], strict=True))


@cache
def _catalogue() -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = yaml.safe_load(files(__package__).joinpath("own.yaml").read_text("utf-8"))
    return found
