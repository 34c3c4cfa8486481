"""A run's figures for each drive and for all of them: what a kilometre holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from baygrid.workloads.driving import values
from baygrid.workloads.driving.results.ego import INTERVENTION, Travelled
from baygrid.workloads.driving.rows import BLIND
from baygrid.workloads.driving.values import Event, Tracked

KINDS: tuple[str, ...] = (*values.EVENTS, INTERVENTION)


@dataclass
class Tally:
    """What was found in a drive."""

    travelled: Travelled
    events: list[Event] = field(default_factory=list)
    labels: int = 0
    tracks: dict[int, str] = field(default_factory=dict)
    alone: dict[str, int] = field(default_factory=dict)
    """By kind, how often a picture showed what the lidar had no track of."""
    score: dict[str, Any] | None = None
    """Against the truth of a synthetic drive."""

    def count(self, row: Tracked) -> Tracked:
        """A track is of the kind that it was last said to be."""
        self.labels += 1
        self.tracks[row.track] = row.kind
        return row


def of_drive(tally: Tally) -> dict[str, Any]:
    """The figures of one drive. None: there is nothing to tell it from."""
    travelled = tally.travelled
    found: dict[str, Any] = {
        "drive": travelled.drive,
        "km": round(travelled.km, 4),
        "seconds": round(travelled.seconds, 2),
        "mean_speed_km_h": round(travelled.km / travelled.seconds * 3600, 2) if travelled.seconds else None,
        "sweeps": travelled.sweeps,
        "pictures": travelled.pictures,
        "sensors": sorted(travelled.row_kinds - {"box", "seen"}),
        "labels": tally.labels,
        "tracks": dict(sorted(Counter(tally.tracks.values()).items())),
        "events": _counts(tally.events),
        "ego": travelled.figures or None,
    }
    if tally.alone:
        found["seen_by_cameras_alone"] = tally.alone
    if travelled.pictures and travelled.blind:
        found[BLIND] = travelled.blind
    if travelled.engaged_km is not None:
        found["engaged_km"] = round(travelled.engaged_km, 4)
        found["interventions"] = len(travelled.interventions)
    if tally.score is not None:
        found["truth"] = tally.score
    return found


def of_all(tallies: Sequence[Tally], stages: Mapping[str, float]) -> dict[str, Any]:
    """The figures of all drives together, and each one's."""
    km = sum(tally.travelled.km for tally in tallies)
    seconds = sum(tally.travelled.seconds for tally in tallies)
    events = [event for tally in tallies for event in tally.events]
    tracks = Counter(kind for tally in tallies for kind in tally.tracks.values())
    engaged = [t.travelled.engaged_km for t in tallies if t.travelled.engaged_km is not None]
    interventions = sum(len(tally.travelled.interventions) for tally in tallies)
    labels = sum(tally.labels for tally in tallies)
    return {
        "km": round(km, 4),
        "hours": round(seconds / 3600, 4),
        "drives": len(tallies),
        "events": _counts(events),
        "events_per_km": _per(_counts(events), km),
        "labels": labels,
        "labels_per_km": round(labels / km, 1) if km else None,
        "tracks_per_km": _per(dict(tracks), km),
        "engaged_km": round(sum(engaged), 4) if engaged else None,
        "interventions": interventions if engaged else None,
        "km_per_intervention": round(sum(engaged) / interventions, 3) if engaged and interventions else None,
        "cpu_seconds_per_km": _per(dict(stages), km, 4),
        "each": [of_drive(tally) for tally in tallies],
    }


def quality(tallies: Sequence[Tally]) -> dict[str, Any]:
    """What gates a rating: ego motion against a reference, perception against a truth; None where there is
    none."""
    references = [t.travelled.figures["reference"] for t in tallies if "reference" in t.travelled.figures]
    scores = [tally.score for tally in tallies if tally.score is not None]
    return {
        "km": round(sum(tally.travelled.km for tally in tallies), 4),
        "position_rms_m": _worst(references, "position_rms_m"),
        "position_rms_without_mean_m": _worst(references, "position_rms_without_mean_m"),
        "distance_error": _worst(references, "distance_error"),
        "truth": scores[0] if len(scores) == 1 else scores or None,
    }


def _worst(figures: Sequence[Mapping[str, Any]], name: str) -> float | None:
    return max((f[name] for f in figures if f[name] is not None), default=None)


def _counts(events: Sequence[Event]) -> dict[str, int]:
    """Every kind, also where there is none of it."""
    counted = Counter(event.kind for event in events)
    return {kind: counted[kind] for kind in KINDS if kind in values.EVENTS or counted[kind]}


def _per(counts: Mapping[str, float], km: float, digits: int = 3) -> dict[str, float] | None:
    return {name: round(count / km, digits) for name, count in counts.items()} if km else None
