"""What is taken for true where a recording does not tell it."""

from __future__ import annotations

from typing import Final

LIDAR_HEIGHT: Final = 1.73
"""Metres of the lidar above the road: on the roof of a car."""
