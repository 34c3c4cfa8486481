"""Which ratings can be true by themselves, which count, and until when."""

from __future__ import annotations

import math
from typing import Final

from baygrid.core.rating.value import Gate, Plan, Rating
from baygrid.core.reading import is_name
from baygrid.core.units import WORK

DAY_MS: Final = 86_400_000
FRESH_MS: Final = 90 * DAY_MS
"""Drivers, libraries and cooling change: an older rating is shown as stale and decides nothing."""
OLDEST_MS: Final = 400 * DAY_MS
PRECISIONS: Final = ("fp64", "fp32", "tf32", "bf16", "fp16", "fp8", "int8", "int4")
MOST: Final = 1e24
"""Of any figure: no machine on earth does a tenth of it."""
MOST_ENTRIES: Final = 40
MOST_TEXT: Final = 500
_INT64: Final = 1 << 62


def fresh(rating: Rating, now: int) -> bool:
    return now - rating.measured_at < FRESH_MS


def stale_at(rating: Rating) -> int:
    """When it ceases to count (ms)."""
    return rating.measured_at + FRESH_MS


def impossible(rating: Rating, now: int, clock_ms: int) -> tuple[str, str] | None:
    """The field that cannot be true, and why; judged by the rating alone. `clock_ms`: by how much the clock
    that dated it may be ahead."""
    checks = (
        _gate(rating.gate),
        _what(rating),
        _amounts(rating),
        _figures(rating),
        _when(rating, now, clock_ms),
    )
    return next((found for found in checks if found is not None), None)


def _gate(gate: Gate) -> tuple[str, str] | None:
    if not gate.passed:
        why = f": {gate.why[:MOST_TEXT]}" if gate.why.isprintable() and gate.why else ""
        return "gate", f"its quality gate failed, so it is no rate{why}"
    if len(gate.figures) > MOST_ENTRIES or not all(map(_shown, gate.figures)):
        return "gate.figures", f"must be at most {MOST_ENTRIES} figures with printable names"
    if not all(map(math.isfinite, gate.figures.values())):
        return "gate.figures", "must be finite numbers"
    return None


def _what(rating: Rating) -> tuple[str, str] | None:
    name, at, version = rating.profile.partition("@")
    if not (at and is_name(name) and version.isascii() and version.isdigit() and len(version) < 10):
        return "profile", "must be NAME@VERSION, such as images@1"
    if rating.unit not in WORK:
        return "unit", f"must be one of {', '.join(WORK)}"
    if rating.precision not in PRECISIONS:
        return "precision", f"must be one of {', '.join(PRECISIONS)}"
    for field in ("model", "input"):
        if not _shown(getattr(rating, field)):
            return field, f"must be 1 to {MOST_TEXT} printable characters"
    texts = [*rating.software, *rating.software.values(), *rating.stages]
    if len(texts) > 3 * MOST_ENTRIES or not all(map(_shown, texts)):
        return "software", "must be a few names with their versions, and so the stages"
    return None


def _amounts(rating: Rating) -> tuple[str, str] | None:
    for field in ("nodes", "cpus", "accelerators", "memory_mib"):
        least = 0 if field == "accelerators" else 1
        if not least <= getattr(rating, field) < _INT64:
            return field, f"must be at least {least}"
    if (rating.accelerator is None) != (rating.accelerators == 0):
        return "accelerators", "and the model of accelerator go together"
    return None


def _figures(rating: Rating) -> tuple[str, str] | None:
    for field in ("units", "seconds", "flop_per_unit", "declared_flops", "gemm_fp32", "gemm_fp16"):
        figure = getattr(rating, field)
        if figure is not None and not 1e-9 <= figure <= MOST:
            return field, f"must be a number between 1e-9 and {MOST:g}"
    if not all(0 <= seconds <= MOST for seconds in rating.stages.values()):
        return "stages", "must be CPU seconds, none below 0"
    if not 1e-9 <= rating.units_per_hour <= MOST:
        return "units", "nothing does so many in so short a time"
    if rating.gemm is None:
        return "gemm_fp32", "is missing: a rate is told beside what matrix products reach there"
    if rating.utilisation is not None and rating.utilisation > 4:
        return "units", "is more arithmetic than four times what matrix products reached there"
    return None


def _when(rating: Rating, now: int, clock_ms: int) -> tuple[str, str] | None:
    if rating.measured_at > now + clock_ms:
        return "measured_at", "lies in the future: set the clock of the machine that measured"
    if rating.measured_at < now - OLDEST_MS:
        return "measured_at", f"is more than {OLDEST_MS // DAY_MS} days ago: measure anew"
    return None


def wrong_plan(plan: Plan) -> tuple[str, str] | None:
    """The field of a plan that says nothing, and why."""
    for unit, rate in plan.units_per_hour.items():
        if unit not in WORK:
            return "units_per_hour", f"{unit[:40]!r} is no unit of work: use {', '.join(WORK)}"
        if not 1e-9 <= rate <= MOST:
            return f"units_per_hour.{unit}", f"must be a number between 1e-9 and {MOST:g}"
    if plan.flops is not None and not 1 <= plan.flops <= MOST:
        return "flops", f"must be a number between 1 and {MOST:g}"
    return None


def _shown(text: str) -> bool:
    return 0 < len(text) <= MOST_TEXT and text.isprintable()
