"""A measured rating for people and programs, beside what the centre that publishes all three units plans."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from baygrid.core.rating.value import Rating
from baygrid.core.rating.yardsticks import CENTRE, centre_per_pflops
from baygrid.workloads.progress import words

PLANNED = "planned, on completion"


def figures(rating: Rating) -> dict[str, Any]:
    """What follows from a rating."""
    names = (
        "units_per_hour", "units_per_cpu_s", "flops", "utilisation", "input_share",
        "units_per_declared_pflops", "units_per_measured_pflops",
    )  # fmt: skip
    return {name: getattr(rating, name) for name in names} | {
        "centre_units_per_hour": CENTRE[rating.unit],
        "centre_units_per_pflops": centre_per_pflops(rating.unit),
        "centre_status": PLANNED,
        "share_of_centre": rating.units_per_hour / CENTRE[rating.unit],
    }


def lines(rating: Rating) -> Iterator[tuple[str, str]]:
    """What it is, and how much, each with its unit."""
    unit = words(rating.unit)
    who = (
        f"{rating.accelerators} {rating.accelerator}"
        if rating.accelerator
        else f"{rating.cpus} cpu{'s' if rating.cpus > 1 else ''}"
    )
    nodes = f" on {rating.nodes} nodes" if rating.nodes > 1 else ""
    yield "profile", f"{rating.profile}: {rating.model}, {rating.precision}; {rating.input}"
    done = f"{number(rating.units)} in {rating.seconds:,.1f} s, {who}{nodes}"
    yield f"{unit} an hour", f"{number(rating.units_per_hour)} ({done})"
    if rating.units_per_cpu_s is not None:
        yield f"{unit} a CPU-second", number(rating.units_per_cpu_s)
    gate = ", ".join(f"{name} {figure:.4g}" for name, figure in rating.gate.figures.items())
    yield "gate", f"passed: {gate}"
    if rating.input_share is not None:
        yield "decode and I/O", f"{rating.input_share:.1%} of the CPU time"
    products = [("fp32", rating.gemm_fp32), ("fp16", rating.gemm_fp16)]
    yield (
        "matrix products",
        ", ".join(f"{amount / 1e12:,.4g} TFLOP/s {name}" for name, amount in products if amount is not None),
    )
    if rating.utilisation is not None and rating.flop_per_unit is not None:
        each = f"{rating.flop_per_unit / 1e9:,.4g} GFLOP each"
        yield "utilisation", f"{rating.utilisation:.1%} of the faster ({each})"
    if rating.units_per_measured_pflops is not None:
        yield "for a PFLOP/s measured", f"{number(rating.units_per_measured_pflops)} an hour"
    if rating.units_per_declared_pflops is not None:
        yield "for a PFLOP/s declared", f"{number(rating.units_per_declared_pflops)} an hour"
    yield (
        "the centre for a PFLOP/s",
        f"{_per_pflops(rating.unit)} ({PLANNED}; with which models it does not say)",
    )
    yield (
        "share of the centre",
        f"{rating.units_per_hour / CENTRE[rating.unit]:.3g} of its {_all(rating.unit)}",
    )


def _per_pflops(unit: str) -> str:
    each = centre_per_pflops(unit)
    second = f" ({each / 3600:,.0f} a second)" if unit == "images" else ""
    return f"{each:,.0f} an hour{second}"


def _all(unit: str) -> str:
    return f"{CENTRE[unit]:,.0f} {words(unit)} an hour"


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:,.4g}"
