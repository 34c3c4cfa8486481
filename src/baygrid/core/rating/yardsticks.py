"""The profiles by which centres are compared, and the centre that states its size in all three units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PROFILES: Final[Mapping[str, str]] = {"images": "images@1", "audio_hours": "speech@1", "km": "driving@1"}
"""By unit of work: only ratings of one profile can be compared, and these are what placement goes by."""

CENTRE_FLOPS: Final = 500e15
"""FLOP/s (FP16) of the Qianhai Shenzhen-Hong Kong AI computing centre, planned, on completion."""
CENTRE: Final[Mapping[str, float]] = {"images": 1.6e9, "audio_hours": 1.9e6, "km": 7_000.0}
"""What it does in an hour, planned, on completion."""


def centre_per_pflops(unit: str) -> float:
    """Units an hour for each PFLOP/s: 3.2 million images, 3,800 hours of speech, 14 km."""
    return CENTRE[unit] / (CENTRE_FLOPS / 1e15)
