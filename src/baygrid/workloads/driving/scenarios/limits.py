"""When a scenario is one: limits in seconds, metres, metres a second and radians."""

from __future__ import annotations

from typing import Final

import numpy as np

STOP_SPEED: Final = 0.5
"""stop: slower than this (m/s) for at least STOP_SECONDS."""
STOP_SECONDS: Final = 1.0
BRAKE: Final = 3.0
"""hard_brake: slows down by more than this (m/s^2, about 0.3 g) for at least BRAKE_SECONDS."""
BRAKE_SECONDS: Final = 0.4
TURN_RATE: Final = 0.08
"""turn: the heading goes one way faster than this (rad/s) through TURN_ANGLE in all."""
TURN_ANGLE: Final = np.pi / 4
HEADWAY: Final = 1.0
"""short_headway: front to the leader's rear, in seconds at the own speed, less than this for HEADWAY_SECONDS,
faster than HEADWAY_SPEED. The leader is the nearest vehicle ahead in the own lane."""
HEADWAY_SECONDS: Final = 1.0
HEADWAY_SPEED: Final = 4.0
LANE: Final = 3.5
"""Width of a lane. A vehicle is in the own lane where its centre lies within half of it from the own way."""
CUT_IN_SECONDS: Final = 2.5
"""cut_in: a vehicle going our way enters the own lane from beside, ahead, nearer than this time gap; it lasts
from the beginning of its sideways motion until its centre is within a quarter of a lane of ours."""
NEAR: Final = 3.0
"""vulnerable_near: a pedestrian or cyclist nearer than this to the own outline while we go at NEAR_SPEED."""
NEAR_SPEED: Final = 1.0
OUTLINE: Final = (3.7, -1.0, 0.95)
"""The own vehicle's front, rear (x) and half width (y) in the vehicle frame."""
