"""How long a job would wait in a centre's own queue, by what the centre said of a few shapes: one that asks
for more of the same never waits less."""

from __future__ import annotations

from collections.abc import Mapping

from baygrid.core.placement.image import Shape


def at_most(told: Mapping[Shape, int], asked: Shape) -> int | None:
    """Seconds: what was said of this shape, else the least of those that ask for no less. None: nothing."""
    exact = told.get(asked)
    if exact is not None:
        return exact
    return min((wait for shape, wait in told.items() if shape.covers(asked)), default=None)


def expected(told: Mapping[Shape, int], asked: Shape) -> int | None:
    """As `at_most`; where that says nothing, the most of those that ask for no more."""
    most = at_most(told, asked)
    if most is not None:
        return most
    return max((wait for shape, wait in told.items() if asked.covers(shape)), default=None)
