"""From rates measured at several counts of workers or nodes to one at another count.

N. J. Gunther, "A Simple Capacity Model of Massively Parallel Transaction Systems", CMG 1993, and Guerrilla
Capacity Planning, Springer 2007, chapter 4 (the Universal Scalability Law): at N the rate is
L N / (1 + S (N - 1) + K N (N - 1)); S is what cannot be done at once (Amdahl's law where K is 0), K what all
have to agree on, each with each. N / rate is linear in 1, N - 1 and N (N - 1), so it is fitted by least
squares of the relative error, with S and K never below 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LEAST_COUNTS: Final = 3
FARTHEST: Final = 4
"""Times the largest count that was measured: nothing beyond is told."""
WORST_FIT: Final = 0.1
"""A measured rate may be off the curve by such a part of it."""


class NoCurve(ValueError):
    """No projection can be made; the message says why, and what to measure."""


@dataclass(frozen=True, slots=True)
class Curve:
    """`each`: units an hour of one alone. `serial` and `crosstalk`: S and K above. `counts`: those measured,
    upwards. `error`: the largest part by which a measured rate is off the curve."""

    each: float
    serial: float
    crosstalk: float
    counts: tuple[int, ...]
    error: float

    def rate(self, count: int) -> float:
        """Units an hour."""
        slowed = 1 + self.serial * (count - 1) + self.crosstalk * count * (count - 1)
        return self.each * count / slowed

    def project(self, count: int) -> float:
        """`rate`, where that is not too far from what was measured. Raises NoCurve."""
        most = self.counts[-1] * FARTHEST
        if not 1 <= count <= most:
            raise NoCurve(
                f"measured at {_listed(self.counts)}, nothing is told beyond {most}: measure at"
                f" {-(-count // FARTHEST)} or more"
            )
        return self.rate(count)


def fit(points: Sequence[tuple[int, float]]) -> Curve:
    """The curve through (count, units an hour). Raises NoCurve."""
    counts = tuple(sorted({count for count, _ in points}))
    if len(counts) < LEAST_COUNTS:
        measured = _listed(counts) if counts else "nothing yet"
        raise NoCurve(
            f"a curve needs rates at {LEAST_COUNTS} different counts, and this has {measured}: measure at"
            " more"
        )
    if not all(count >= 1 and rate > 0 and math.isfinite(rate) for count, rate in points):
        raise NoCurve("a count or a rate in it is no number above 0: measure anew")
    found = [_solved(points, with_) for with_ in ((0, 1, 2), (0, 1), (0, 2), (0,))]
    a, b, c = min((it for it in found if it is not None), key=lambda it: _squares(points, it))
    curve = Curve(1 / a, b / a, c / a, counts, 0.0)
    error = max(abs(curve.rate(count) - rate) / rate for count, rate in points)
    if error > WORST_FIT:
        raise NoCurve(
            f"a rate is {error:.0%} off the curve, more than {WORST_FIT:.0%}: measure longer, on quiet"
            " machines"
        )
    return Curve(curve.each, curve.serial, curve.crosstalk, counts, error)


def _row(count: int, rate: float) -> tuple[float, float, float]:
    """N / rate is 1, in parts of itself."""
    scale = rate / count
    return scale, scale * (count - 1), scale * count * (count - 1)


def _solved(points: Sequence[tuple[int, float]], with_: tuple[int, ...]) -> tuple[float, float, float] | None:
    """Least squares with these of the three; None where one comes out below 0 or not at all."""
    rows = [[_row(count, rate)[n] for n in with_] for count, rate in points]
    size = len(with_)
    matrix = [[sum(row[i] * row[j] for row in rows) for j in range(size)] for i in range(size)]
    right = [sum(row[i] for row in rows) for i in range(size)]
    for i in range(size):  # Gauss-Jordan; the matrix is positive definite or singular
        if abs(matrix[i][i]) < 1e-12:
            return None
        for j in range(size):
            if j != i:
                factor = matrix[j][i] / matrix[i][i]
                matrix[j] = [x - factor * y for x, y in zip(matrix[j], matrix[i], strict=True)]
                right[j] -= factor * right[i]
    whole = [0.0, 0.0, 0.0]
    for place, n in enumerate(with_):
        whole[n] = right[place] / matrix[place][place]
    if whole[0] <= 0 or min(whole) < 0:
        return None
    return whole[0], whole[1], whole[2]


def _squares(points: Sequence[tuple[int, float]], at: tuple[float, float, float]) -> float:
    rows = (_row(count, rate) for count, rate in points)
    return math.fsum((math.fsum(x * y for x, y in zip(row, at, strict=True)) - 1) ** 2 for row in rows)


def _listed(counts: Sequence[int]) -> str:
    return ", ".join(map(str, counts))
