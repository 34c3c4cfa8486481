"""report.html: the evidence of a road test, as a document to print, sign and hand to an authority."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import numpy as np

import baygrid
from baygrid.workloads.application import ApplicationError, Failed
from baygrid.workloads.driving import values
from baygrid.workloads.driving.results import page
from baygrid.workloads.driving.results.ego import INTERVENTION
from baygrid.workloads.driving.results.event_text import clock, value
from baygrid.workloads.driving.results.statistics import Tally
from baygrid.workloads.driving.scenarios import limits
from baygrid.workloads.driving.values import Event
from baygrid.workloads.storage.listing import entries
from baygrid.workloads.storage.names import clean
from baygrid.workloads.storage.reading import file

FILE: Final = "report.html"
COMPONENTS: Final = (
    "numpy",
    "scipy",
    "numba",
    "mcap",
    "mcap-ros2-support",
    "onnxruntime",
    "pyarrow",
    "duckdb",
)
MOST_EVENTS: Final = 500
"""In the tables of the report; events.parquet holds all."""

STYLE: Final = """
main { max-width: 900px; } .made { color: var(--grey); margin: 0 0 18px; } h3 { font-size:15px; margin:20px 0
6px; } .warning { border:1px solid #b45309; border-radius:10px; padding:8px 14px; }
.sign { margin-top:54px; border-top:1px solid var(--ink); padding-top:6px; max-width:460px; }
td { overflow-wrap:anywhere; } code { font-size: 12px; }
@media print { :root { color-scheme: light; --paper:#fff; --card:#fff; --ink:#000; --grey:#444; --line:#bbb; }
  body { font-size: 11px; } main { padding:0; max-width:none; } h2 { break-after: avoid; }
  tr, svg, .tile { break-inside: avoid; } @page { size: A4; margin: 18mm 16mm; } }
"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a report tells. `made` is its date, as text; `maps` as for page.page."""

    made: str
    figures: Mapping[str, Any]
    tallies: Sequence[Tally]
    failed: Sequence[Failed]
    maps: Iterable[tuple[str, str | None]]


def report(evidence: Evidence, words: Mapping[str, str]) -> str:
    """The document."""
    figures = evidence.figures
    made = words["report.made"].format(evidence.made, baygrid.__version__, figures["drives"])
    parts = [
        f"<h1>{escape(words['report.title'])}</h1><p class='made'>{escape(made)}</p>",
        *([f"<p class='warning'>{escape(words['report.synthetic'])}</p>"] if _synthetic(evidence) else []),
        _section(words, "report.summary", _summary(figures, words)),
        _section(words, "report.scenarios", _scenarios(evidence, words)),
        _section(words, "report.interventions", _interventions(evidence, words)),
        _section(words, "report.quality", _quality(evidence, words)),
        _section(words, "report.way", "".join(f"<h3>{escape(n)}</h3>{m or ''}" for n, m in evidence.maps)),
        _section(words, "report.inputs", _inputs(evidence.tallies, words)),
        _section(
            words,
            "report.versions",
            page.table(_head(words, "versions.name", "versions.version"), versions()),
        ),
        _section(
            words, "report.limits", _items(text for name, text in words.items() if name.startswith("limits."))
        ),
        f"<p class='sign'>{escape(words['report.signed'])}</p>",
    ]
    return page.document(words["report.title"], "".join(parts), STYLE)


def _section(words: Mapping[str, str], name: str, body: str) -> str:
    return f"<section><h2>{escape(words[name])}</h2>{body}</section>"


def _head(words: Mapping[str, str], *names: str) -> list[str]:
    return [words[name] for name in names]


def _items(texts: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>"


def _synthetic(evidence: Evidence) -> bool:
    return any(tally.score is not None for tally in evidence.tallies)


def _summary(figures: Mapping[str, Any], words: Mapping[str, str]) -> str:
    speed = figures["km"] / figures["hours"] if figures["hours"] else 0.0
    told = [
        (words["km"], f"{figures['km']:,.2f} km"),
        (words["hours"], page.hours(figures["hours"])),
        (words["report.mean_speed"], f"{speed:,.1f} km/h"),
        (words["events"], f"{sum(figures['events'].values()):,}"),
    ]
    if figures["engaged_km"] is not None:
        told += [
            (words["report.engaged"], f"{figures['engaged_km']:,.2f} km"),
            (words["report.interventions_count"], f"{figures['interventions']:,}"),
        ]
        if figures["km_per_intervention"] is not None:
            told.append((words["report.km_per_intervention"], f"{figures['km_per_intervention']:,.2f} km"))
    return page.tiles(told)


def _scenarios(evidence: Evidence, words: Mapping[str, str]) -> str:
    per_km = evidence.figures["events_per_km"] or {}
    rows = [
        (words[kind], f"{count:,}", f"{per_km[kind] * 100:,.1f}" if kind in per_km else "")
        for kind, count in evidence.figures["events"].items()
    ]
    listed = (
        (tally.travelled.drive, event)
        for tally in evidence.tallies
        for event in tally.events
        if event.kind != INTERVENTION
    )
    means = (f"{words[kind]}: {words[f'{kind}.means'].format(**_limits())}" for kind in values.EVENTS)
    return (
        page.table(_head(words, "what", "count", "per_100_km"), rows)
        + f"<h3>{escape(words['report.definitions'])}</h3>{_items(means)}"
        + _events(listed, evidence.tallies, words)
    )


def _limits() -> dict[str, float]:
    """The figures in the definitions, from where the rules take them."""
    return {
        "cut_in": limits.CUT_IN_SECONDS, "brake": limits.BRAKE, "brake_seconds": limits.BRAKE_SECONDS,
        "headway": limits.HEADWAY, "headway_seconds": limits.HEADWAY_SECONDS,
        "headway_speed": limits.HEADWAY_SPEED,
        "near": limits.NEAR, "near_speed": limits.NEAR_SPEED, "stop": limits.STOP_SPEED,
        "stop_seconds": limits.STOP_SECONDS, "turn": round(np.degrees(limits.TURN_ANGLE)),
    }  # fmt: skip


def _events(found: Iterable[tuple[str, Event]], tallies: Sequence[Tally], words: Mapping[str, str]) -> str:
    planes = {tally.travelled.drive: tally.travelled.plane for tally in tallies}
    rows: list[tuple[str, ...]] = []
    for drive, event in found:
        if len(rows) == MOST_EVENTS:
            break
        place = f"{event.x:,.0f} m, {event.y:,.0f} m"
        if (plane := planes[drive]) is not None:
            (latitude,), (longitude,) = plane.to_geodetic(
                np.array([event.x]), np.array([event.y]), np.array([0.0])
            )
            place = f"{latitude:.6f}, {longitude:.6f}"
        long = f"{event.end - event.begin:.1f} s"
        rows.append((drive, words[event.kind], clock(event.begin), long, value(event, words), place))
    if not rows:
        return ""
    return page.table(_head(words, "drive", "what", "when", "how_long", "value", "where"), rows)


def _interventions(evidence: Evidence, words: Mapping[str, str]) -> str:
    if evidence.figures["engaged_km"] is None:
        return f"<p>{escape(words['report.not_logged'])}</p>"
    found = [(t.travelled.drive, event) for t in evidence.tallies for event in t.travelled.interventions]
    if not found:
        return f"<p>{escape(words['report.no_interventions'])}</p>"
    return _events(found, evidence.tallies, words)


def _quality(evidence: Evidence, words: Mapping[str, str]) -> str:
    rows = []
    for tally in evidence.tallies:
        drive, ego = tally.travelled.drive, tally.travelled.figures
        if ego:
            rows.append((drive, words["quality.fixes"], f"{ego['fixes']:,}, {ego['fixes_refused']:,}"))
            rows.append((drive, words["quality.gap"], f"{ego['longest_time_without_fix_s']:,.1f} s"))
            sd = f"{ego['position_sd_mean_m']:.2f} m, {ego['position_sd_max_m']:.2f} m"
            rows.append((drive, words["quality.sd"], sd))
        if "reference" in ego:
            seen = ego["reference"]
            rows.append((drive, words["quality.reference"], f"{seen['position_rms_m']:.2f} m"))
            rows.append((drive, words["quality.aligned"], f"{seen['position_rms_without_mean_m']:.2f} m"))
            distances = f"{seen['distance_m']:,.1f} m / {seen['reference_distance_m']:,.1f} m"
            rows.append((drive, words["quality.distance"], distances))
        if tally.travelled.pictures and tally.travelled.blind:
            rows.append((drive, words["quality.blind"], tally.travelled.blind))
        if tally.score is not None:
            for kind in values.KINDS:
                if (boxes := tally.score["boxes"].get(kind)) is not None:
                    shares = f"{_share(boxes, 'recall')}, {_share(boxes, 'precision')}"
                    rows.append((drive, f"{words['quality.recall']}: {words[kind]}", shares))
    failed = [(failed.input, failed.reason) for failed in evidence.failed[:MOST_EVENTS]]
    lost = (
        f"<h3>{escape(words['quality.failed'])}</h3>"
        + page.table(_head(words, "inputs.file", "quality.reason"), failed)
        if failed
        else f"<p>{escape(words['quality.none_failed'])}</p>"
    )
    return page.table(_head(words, "drive", "quality.figure", "quality.value"), rows) + lost


def _share(figures: Mapping[str, Any], name: str) -> str:
    found = figures.get(name)
    return f"{found:.3f}" if isinstance(found, float) else "-"


def _inputs(tallies: Sequence[Tally], words: Mapping[str, str]) -> str:
    """Of a recording that is several drives, for its clock jumped, each file once."""
    drives: dict[str, str] = {}
    for tally in tallies:
        for path in tally.travelled.paths:
            drives.setdefault(path, tally.travelled.drive)
    rows = [row for path, drive in drives.items() for row in hashes(drive, path)]
    return page.table(_head(words, "inputs.file", "inputs.hash"), rows)


def hashes(drive: str, path: str) -> Iterator[tuple[str, str]]:
    """The drive's file, or each file in the folder, by its name below the drive with its SHA-256."""
    try:
        for entry in entries(path):
            base = entry.name.rpartition("/")[2]
            name = drive if drive.rpartition("/")[2] == base else f"{drive}/{entry.name}"
            try:
                with file(entry.at) as opened:
                    yield clean(name), hashlib.file_digest(opened, "sha256").hexdigest()
            except OSError as error:
                yield clean(name), f"cannot be read: {error}"
    except ApplicationError as gone:
        yield clean(drive), f"cannot be read: {gone}"


def versions() -> list[tuple[str, str]]:
    """What computed the figures."""
    found = [
        ("baygrid", baygrid.__version__),
        ("Python", platform.python_version()),
        ("system", platform.platform()),
    ]
    for name in COMPONENTS:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            found.append((name, "-"))
    return found
