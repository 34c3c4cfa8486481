"""Beginning an issue, and freezing its data: figures, changes of law and measures, cities, rates.

What was frozen says nothing of where it came from but its sources; a later freeze of an issue that is not
published takes what is known then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from baygrid.letter import bundle as bundles
from baygrid.letter.bundle import Bundle, Change, Figure, Rate
from baygrid.letter.layout import Layout, ZoneDay
from baygrid.letter.reading import Raw, Unreadable, model, read_yaml
from baygrid.observatory.charts import FigureJson
from baygrid.observatory.profiles import profiles
from baygrid.papers.words import LANGUAGES
from baygrid.rulebooks.changes import changes
from baygrid.rulebooks.things import all_books

SETS: Final = ("cities", "facts", "platform")
"""Names of sets that are not of a zone: of other cities, of `facts.yaml`, and the platform's own figures."""


class _Facts(Raw):
    figures: tuple[Figure, ...] = ()
    rates: tuple[Rate, ...] = ()


def begin(folder: Path, number: int, day: date, since: date, as_of: date, zones: Sequence[str]) -> None:
    """An issue with no texts but the disclaimer. `since`: the day of the last one; `as_of`: of figures."""
    skeleton = files(__package__) / "skeleton"
    data = "\n".join(f"  {zone}: {{zone: {zone}, as_of: {as_of}}}" for zone in zones)
    values = {"number": number, "day": day, "since": since, "data": data, "zone": zones[0]}
    (folder / "texts").mkdir(parents=True)
    for name in ("facts.yaml", *(f"texts/{language}.yaml" for language in LANGUAGES)):
        (folder / name).write_text((skeleton / name).read_text("utf-8"), encoding="utf-8")
    layout = Template((skeleton / "issue.yaml").read_text("utf-8")).substitute(values)
    (folder / "issue.yaml").write_text(layout, encoding="utf-8")


def freeze(
    folder: Path,
    day: date,
    count: Callable[[ZoneDay], Sequence[FigureJson]],
    platform: Callable[[], Sequence[FigureJson]],
) -> Bundle:
    """Writes `bundle.json`. `count`: all figures of a zone on a day; `platform`: its own, asked only for an
    issue that wants them. Raises Unreadable."""
    layout = model(Layout, read_yaml(folder / "issue.yaml"), "issue.yaml")
    facts = model(_Facts, read_yaml(folder / "facts.yaml"), "facts.yaml")
    for name in SETS:
        if name in layout.data:
            raise Unreadable(f"issue.yaml: data: the set {name!r} is another one: use another name")
    sets: dict[str, Sequence[FigureJson]] = {name: count(asked) for name, asked in layout.data.items()}
    if layout.platform:
        sets["platform"] = platform()
    figures = {name: tuple(model(Figure, it, name) for it in found) for name, found in sets.items()}
    made = Bundle(
        number=layout.number,
        frozen=day,
        since=layout.since,
        until=layout.until,
        figures=figures | {"cities": tuple(_cities()), "facts": facts.figures},
        changes=tuple(_changes(layout)),
        rates=facts.rates,
    )
    (folder / "bundle.json").write_text(bundles.text_of(made), encoding="utf-8")
    return made


def _changes(layout: Layout) -> Iterator[Change]:
    for it in changes(all_books(), layout.since, layout.until):
        yield model(Change, it.to_json(), "law changes")


def _cities() -> Iterator[Figure]:
    """Of what is exactly known; "more than" is no figure."""
    for city in profiles():
        for fact in city.facts:
            if not fact.bound:
                yield Figure(
                    id=f"{city.city}.{fact.id}.{fact.period}",
                    value=fact.value,  # type: ignore[arg-type]  # a decimal text, which the model reads
                    unit=fact.unit,
                    population=f"{fact.population} in {city.city}",
                    period=fact.period,
                    source=fact.source,
                )
