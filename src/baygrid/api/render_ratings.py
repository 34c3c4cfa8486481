"""Ratings as the JSON of the REST contract."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from baygrid.api.render import Doc, instant
from baygrid.app import rated
from baygrid.core.rating import judging
from baygrid.core.rating.value import Rating
from baygrid.core.rating.yardsticks import PROFILES
from baygrid.core.units import WORK
from baygrid.ports.basics import Instant
from baygrid.ports.records import Offer, PlanRow, RatingRow

_EQUAL = (
    "centre", "partition", "accelerator", "unit", "units_per_hour", "profile", "model", "input",
    "flop_per_unit", "precision", "units", "seconds", "nodes", "cpus", "accelerators", "memory_mib",
    "declared_flops", "gemm_fp32", "gemm_fp16", "utilisation", "input_share", "units_per_declared_pflops",
    "units_per_measured_pflops",
)  # fmt: skip
_SHOWN = ("unit", "status", "units_per_hour", "per_device_hour", "devices", "profile", "note", "per")


def rating(row: RatingRow, now: Instant) -> Doc:
    it = row.signed.rating
    return {
        "id": _id(it),
        "status": "measured" if judging.fresh(it, now) else "stale",
        **{name: getattr(it, name) for name in _EQUAL},
        "per_device_hour": it.units_per_hour / it.devices,
        "standard": PROFILES[it.unit] == it.profile,
        "stages": dict(it.stages),
        "gate": {"passed": it.gate.passed, "figures": dict(it.gate.figures), "why": it.gate.why},
        "software": dict(it.software),
        "note": "",
        "at": instant(it.measured_at),
        "fresh_until": instant(judging.stale_at(it)),
        "public_key": row.public_key,
        "signature": row.signed.signature,
    }


def planned(row: PlanRow) -> list[Doc]:
    """One for each unit of work that is published."""
    return [
        {
            **dict.fromkeys((*_EQUAL, "per_device_hour", "gate", "fresh_until", "public_key", "signature")),
            "id": f"plan-{row.plan.centre}-{unit}",
            "status": "planned",
            "centre": row.plan.centre,
            "unit": unit,
            "units_per_hour": row.plan.units_per_hour[unit],
            "declared_flops": row.plan.flops,
            "units_per_declared_pflops": (
                None if row.plan.flops is None else row.plan.units_per_hour[unit] / (row.plan.flops / 1e15)
            ),
            "standard": False,
            "stages": {},
            "software": {},
            "note": row.plan.note,
            "at": instant(row.set_at),
        }
        for unit in WORK
        if unit in row.plan.units_per_hour
    ]


def of_offer(offer: Offer, found: Iterable[Rating], plan: PlanRow | None, now: Instant) -> list[Doc]:
    return [
        {
            **{name: getattr(it, name) for name in _SHOWN},
            "at": instant(it.at),
            "price": None if it.price is None else amount(it.price),
        }
        for it in rated.of_offer(offer, found, plan, now)
    ]


def amount(value: Fraction) -> str:
    """Five significant digits, without an exponent."""
    rounded = Decimal(f"{float(value):.5g}")
    return f"{rounded:f}"


def _id(it: Rating) -> str:
    key = "\n".join((*map(str, it.place), it.profile, str(it.measured_at)))
    return f"rating-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
