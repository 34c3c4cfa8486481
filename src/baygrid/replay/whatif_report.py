"""The history in two settings, and what each comes to: waits, utilisation, cost, fairness."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np

from baygrid.core.placement.image import Image, OfferView, Placement
from baygrid.core.placement.policy import PLAIN
from baygrid.core.placement.queue.share import Capacity, entitled
from baygrid.core.reasons import JSON
from baygrid.core.units import Money
from baygrid.replay.outcome import Progress, no_progress
from baygrid.replay.whatif import Course, Past, Run, Setting, simulate

MOST_NEVER: Final = 20
"""So many of the jobs that never ran are named; all are counted."""


LEAST_STEP_MS: Final = 1_000
MOST_LOOKS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Window:
    """Utilisation and shares are of this time (ms), the same in both courses."""

    start: int
    end: int

    def seconds(self, run: Run) -> float:
        """How much of a run lies in it."""
        return max(0, min(run.end, self.end) - max(run.start, self.start)) / 1000

    @property
    def length(self) -> float:
        return max(0.001, (self.end - self.start) / 1000)


def compare(
    before: Setting,
    after: Setting,
    history: Sequence[Past],
    until: int,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """The same jobs in both settings. `until` (ms): when the history ends. Ratings of accelerators are those
    of `after`, the newest that are known. The step is as long as keeps the planner's looks to MOST_LOOKS."""
    first = min((past.demand.submitted_at for past in history), default=until)
    window = Window(first, until)
    step_ms = max(LEAST_STEP_MS, -(-(until - first) // MOST_LOOKS))
    ratings = {model: float(flavor.rating) for model, flavor in after.policy.flavors.items()}
    told: dict[str, Any] = {
        "jobs": len(history),
        "from_ms": first,
        "until_ms": until,
        "step_s": step_ms / 1000,
    }
    for turn, (name, setting) in enumerate((("before", before), ("after", after))):
        course = simulate(setting, history, step_ms, ratings, _half(progress, turn))
        told[name] = figures(setting, history, course, window)
    return told


def _half(progress: Progress, turn: int) -> Progress:
    """Of two simulations that are told as one."""
    return lambda done, total: progress(done + turn * total, 2 * total)


def figures(setting: Setting, history: Sequence[Past], course: Course, window: Window) -> dict[str, Any]:
    """Seconds, fractions, and money as minor units by currency."""
    projects = {past.demand.job: (past.demand.organisation, past.demand.project) for past in history}
    waits = np.array(sorted(course.waits.values()), dtype=np.float64) / 1000
    never: JSON = [{"job": job, "why": why} for job, why in list(course.never.items())[:MOST_NEVER]]
    return {
        "started": len(course.waits),
        "never": len(course.never),
        "never_why": never,
        "preemptions": course.preemptions,
        "wait_mean_s": _rounded(waits.mean()) if waits.size else None,
        "wait_p50_s": _quantile(waits, 50),
        "wait_p99_s": _quantile(waits, 99),
        "wait_quantiles_s": [_quantile(waits, percent) for percent in range(101)] if waits.size else [],
        "utilisation": _utilisation(setting, course, window),
        "cost": _cost(setting, course, projects),
        "fairness": _fairness(setting, course, window, projects),
    }


def _quantile(waits: np.ndarray, percent: int) -> float | None:
    return _rounded(np.percentile(waits, percent, method="inverted_cdf")) if waits.size else None


def _rounded(value: float | np.floating) -> float:
    return round(float(value), 3)


def _utilisation(setting: Setting, course: Course, window: Window) -> dict[str, JSON]:
    """By centre and flavor, how much of what was there was in use. `cpu`: the cpus of all jobs."""
    there: Counter[tuple[str, str]] = Counter()
    for view in setting.centres:
        for node in (node for part in view.partitions for node in part.nodes):
            there[view.name, PLAIN] += node.cpus
            for model, count in node.accelerators.items():
                there[view.name, model] += count
    used: defaultdict[tuple[str, str], float] = defaultdict(float)
    for run in course.runs:
        it, seconds = run.placement, window.seconds(run)
        used[it.centre, PLAIN] += it.cpus * it.count * seconds
        if it.accelerator:
            used[it.centre, it.accelerator] += it.amount / 1000 * seconds
    by_centre: dict[str, dict[str, JSON]] = defaultdict(dict)
    for (centre, flavor), amount in sorted(there.items()):
        if amount:
            by_centre[centre][flavor] = _rounded(used[centre, flavor] / (amount * window.length))
    return dict(by_centre)


def _cost(setting: Setting, course: Course, projects: Mapping[str, tuple[str, str]]) -> dict[str, JSON]:
    """All runs at the prices of this setting, preempted ones too."""
    offers = {offer.id: offer for offer in setting.offers}
    exact: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for run in course.runs:
        offer = offers[run.offer]
        exact[projects[run.job][1], offer.currency] += _price(offer, run.placement, run.end - run.start)
    total: defaultdict[str, Fraction] = defaultdict(Fraction)
    by_project: dict[str, dict[str, JSON]] = defaultdict(dict)
    for (project, currency), amount in sorted(exact.items()):
        total[currency] += amount
        by_project[project][currency] = Money.of(amount, currency).minor
    in_all: JSON = {currency: Money.of(amount, currency).minor for currency, amount in sorted(total.items())}
    return {"total": in_all, "projects": dict(by_project)}


def _price(offer: OfferView, it: Placement, ms: int) -> Fraction:
    """Major units."""
    rate = offer.rate
    hourly = rate.accelerator_hour * it.accelerators * it.accelerator_share / 1000 + rate.cpu_hour * it.cpus
    hourly += rate.gib_hour * Fraction(it.memory_mib, 1024)
    return hourly * it.count * Fraction(ms, 3_600_000)


def _fairness(
    setting: Setting, course: Course, window: Window, projects: Mapping[str, tuple[str, str]]
) -> dict[str, JSON]:
    """By project the part of all use that it had, in dominant-share seconds (accelerators by their rating,
    cpus and memory where those are scarcer), and the part that its shares entitle it to among the projects
    that have jobs here. `jain`: Jain's index of had by entitled, 1 where all are equal."""
    capacity = Capacity.of(Image(setting.centres), setting.policy)
    used: defaultdict[str, float] = defaultdict(float)
    for run in course.runs:
        used[projects[run.job][1]] += capacity.share(run.placement) * window.seconds(run)
    total = sum(used.values())
    due = entitled(setting.policy, sorted(set(projects.values())))
    rows = {
        name: {"had": _rounded(used[name] / total if total else 0.0), "entitled": _rounded(part)}
        for name, part in due.items()
    }
    return {"jain": jain([used[name] / part for name, part in due.items()]), "projects": rows}


def jain(values: Sequence[float]) -> float | None:
    """(sum x)^2 / (n sum x^2): 1 where all are equal, 1/n where one has everything (Jain, Chiu and Hawe,
    DEC TR-301, 1984). None where nobody had anything."""
    squares = sum(value * value for value in values)
    return _rounded(sum(values) ** 2 / (len(values) * squares)) if squares else None
