"""A drive as a picture: its way coloured by speed, and where its events were. SVG, without anything from
afar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

import numpy as np

from baygrid.workloads.driving.results.event_text import sentence
from baygrid.workloads.driving.values import Event, Floats, Trajectory

WIDTH: Final = 960
TALLEST, LOWEST = 760, 300
EDGE: Final = 48
"""Pixels around the way."""
POINTS: Final = 1500
"""Of a way that is drawn: more could not be seen."""
APART: Final = 21
"""Pixels between the middles of two marks."""

SPEEDS: Final = (0.0, 20.0, 40.0, 60.0, 90.0)
"""Where a colour of the way begins (km/h)."""
MARKS: Final[Mapping[str, str]] = {
    "cut_in": "C", "hard_brake": "B", "short_headway": "H", "vulnerable_near": "V", "stop": "S", "turn": "T",
    "intervention": "I",
}  # fmt: skip

STYLE: Final = """
.map { --paper:#ffffff; --ink:#17202e; --grey:#667085; --line:#e4e8ee; --halo:#ffffff;
  --v0:#9fb3c8; --v1:#5aa9e6; --v2:#2f6fde; --v3:#4338ca; --v4:#6b21a8;
  --cut_in:#b45309; --hard_brake:#c81e1e; --short_headway:#6d28d9; --vulnerable_near:#be185d; --stop:#475467;
  --turn:#0e7490; --intervention:#111827; font-family: system-ui, "Segoe UI", Roboto, sans-serif; }
@media (prefers-color-scheme: dark) { .map { --paper:#0f1620; --ink:#e8edf4; --grey:#98a6b8; --line:#243042;
  --halo:#0f1620; --v0:#52667d; --v1:#4f9bd9; --v2:#6aa2ff; --v3:#a5a3ff; --v4:#d8b4fe;
  --cut_in:#f59e0b; --hard_brake:#f87171; --short_headway:#a78bfa; --vulnerable_near:#f472b6; --stop:#94a3b8;
  --turn:#22d3ee; --intervention:#f8fafc; } }
.map .sheet { fill:var(--paper); } .map text { fill:var(--ink); font-size:13px; } .map .dim {
fill:var(--grey); } .map .way { fill:none; stroke-width:5; stroke-linecap:round; stroke-linejoin:round; }
.map .under { fill:none; stroke:var(--line); stroke-width:11; stroke-linecap:round; stroke-linejoin:round; }
.map .lead { stroke:var(--grey); stroke-width:1; } .map .mark circle { stroke:var(--halo); stroke-width:2; }
.map .mark text { fill:var(--halo); font-size:11px; font-weight:700; text-anchor:middle; }
.map .bar { stroke:var(--ink); stroke-width:2; fill:none; }
"""


def svg(drive: str, way: Trajectory, events: Sequence[Event], words: Mapping[str, str]) -> str:
    """The map of a drive, with legend, scale and north; every event tells of itself under the pointer."""
    frame = _Frame(way)
    legend = _legend(events, words, frame.height)
    height = frame.height + 64
    title = escape(drive)
    box = f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}"'
    return "".join(
        [
            f'<svg class="map" xmlns="http://www.w3.org/2000/svg" {box}><style>{STYLE}</style>',
            f'<rect class="sheet" width="{WIDTH}" height="{height}" rx="12"/>',
            *_way(way, frame),
            *_ends(way, frame, words),
            *_marks(events, frame, words),
            *_scale(frame, words),
            *legend,
            "</svg>",
        ]
    )


class _Frame:
    """From metres in the world to pixels: north up, the whole way inside."""

    def __init__(self, way: Trajectory) -> None:
        width, depth = max(np.ptp(way.x), 1.0), max(np.ptp(way.y), 1.0)
        self.scale = min((WIDTH - 2 * EDGE) / width, (TALLEST - 2 * EDGE) / depth, 40.0)
        """Pixels a metre."""
        self.height = int(np.clip(depth * self.scale + 2 * EDGE, LOWEST, TALLEST))
        self._x = WIDTH / 2 - self.scale * (way.x.min() + way.x.max()) / 2
        self._y = self.height / 2 + self.scale * (way.y.min() + way.y.max()) / 2

    def __call__(self, x: Floats | float, y: Floats | float) -> tuple[Floats, Floats]:
        return np.asarray(self._x + self.scale * x), np.asarray(self._y - self.scale * y)


def _way(way: Trajectory, frame: _Frame) -> list[str]:
    every = max(1, len(way) // POINTS)
    chosen = np.unique(np.append(np.arange(0, len(way), every), len(way) - 1))
    x, y = frame(way.x[chosen], way.y[chosen])
    of = np.searchsorted(SPEEDS, np.abs(way.speed[chosen]) * 3.6, side="right") - 1
    paused = np.diff(way.t[chosen]) > 5 + every * 0.05
    parts = [f'<path class="under" d="{_line(x, y, paused)}"/>']
    cuts = np.flatnonzero((np.diff(of) != 0) | paused) + 1
    for begin, end in zip([0, *cuts], [*cuts, len(x)], strict=True):
        last = end if end == len(x) or paused[end - 1] else end + 1
        line = _line(x[begin:last], y[begin:last], np.zeros(last - begin - 1, bool))
        parts.append(f'<path class="way" style="stroke:var(--v{of[begin]})" d="{line}"/>')
    return parts


def _line(x: Floats, y: Floats, paused: np.ndarray) -> str:
    begins = np.concatenate([[True], paused])
    return "".join(f"{'M' if new else 'L'}{a:.1f} {b:.1f}" for new, a, b in zip(begins, x, y, strict=True))


def _ends(way: Trajectory, frame: _Frame, words: Mapping[str, str]) -> list[str]:
    found = []
    for at, name in ((0, "map.begin"), (-1, "map.end")):
        x, y = (float(v) for v in frame(way.x[at], way.y[at]))
        found.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" style="fill:var(--ink)"/>'
            f'<text class="dim" x="{x + 9:.1f}" y="{y + 17:.1f}">{escape(words[name])}</text>'
        )
    return found


def _marks(events: Sequence[Event], frame: _Frame, words: Mapping[str, str]) -> list[str]:
    """Marks that would lie on one another stand aside, with a line to their place."""
    found, taken = [], np.empty((0, 2))
    ring = [
        (0, 0),
        *((d * np.cos(a), d * np.sin(a)) for d in (26, 48, 70) for a in np.arange(8) * np.pi / 4 - np.pi / 2),
    ]
    for event in events:
        x, y = (float(v) for v in frame(event.x, event.y))
        free = (
            (x + dx, y + dy)
            for dx, dy in ring
            if (np.hypot(*(taken - (x + dx, y + dy)).T) >= APART).all()
            and 12 < x + dx < WIDTH - 12
            and y + dy > 12
        )
        mx, my = next(free, (x, y))
        taken = np.vstack([taken, (mx, my)])
        lead = (
            f'<line class="lead" x1="{x:.1f}" y1="{y:.1f}" x2="{mx:.1f}" y2="{my:.1f}"/>'
            if (mx, my) != (x, y)
            else ""
        )
        found.append(
            f'{lead}<g class="mark"><title>{escape(sentence(event, words))}</title>'
            f'<circle cx="{mx:.1f}" cy="{my:.1f}" r="9" style="fill:var(--{event.kind})"/>'
            f'<text x="{mx:.1f}" y="{my + 4:.1f}">{MARKS[event.kind]}</text></g>'
        )
    return found


def _scale(frame: _Frame, words: Mapping[str, str]) -> list[str]:
    wished = 140 / frame.scale
    step = 10 ** np.floor(np.log10(wished))
    metres = max(m * step for m in (1, 2, 5) if m * step <= wished)
    long = metres * frame.scale
    # Beneath the map, where the way cannot cross it.
    left, low = WIDTH - 76 - long, frame.height + 52
    name = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    return [
        f'<path class="bar" d="M{left:.1f} {low - 6}v6h{long:.1f}v-6"/>',
        f'<text x="{left - 8:.1f}" y="{low}" text-anchor="end">{name}</text>',
        f'<path d="M{WIDTH - 36} {low - 20}l7 20l-7 -5l-7 5z" style="fill:var(--ink)"/>',
        f'<text x="{WIDTH - 56}" y="{low}" text-anchor="middle">{escape(words["map.north"])}</text>',
    ]


def _legend(events: Sequence[Event], words: Mapping[str, str], top: int) -> list[str]:
    counts = {kind: sum(event.kind == kind for event in events) for kind in MARKS}
    shown = [kind for kind in MARKS if counts[kind]]
    found, x = [f'<path d="M24 {top}H{WIDTH - 24}" style="stroke:var(--line)"/>'], 34.0
    for kind in shown:
        text = f"{words[kind]} {counts[kind]}"
        found.append(
            f'<g class="mark"><circle cx="{x}" cy="{top + 20}" r="9" style="fill:var(--{kind})"/>'
            f'<text x="{x}" y="{top + 24}">{MARKS[kind]}</text></g>'
            f'<text x="{x + 15}" y="{top + 24}">{escape(text)}</text>'
        )
        x += 38 + 6.9 * len(text)
    found.append(f'<text class="dim" x="25" y="{top + 52}">{escape(words["map.speed"])}</text>')
    x = 40 + 7.0 * len(words["map.speed"])
    for number, begin in enumerate(SPEEDS):
        found.append(
            f'<path class="way" style="stroke:var(--v{number})" d="M{x} {top + 48}h26"/>'
            f'<text class="dim" x="{x + 33}" y="{top + 52}">{begin:g}+</text>'
        )
        x += 74
    return found
