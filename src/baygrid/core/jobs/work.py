"""How much work a job holds, in a unit that centres are rated in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from baygrid.core.jobs.problems import Problems, Section
from baygrid.core.reading import Wrong, shown
from baygrid.core.reasons import JSON
from baygrid.core.units import WORK

MOST: Final = 10**15
"""Units: a thousand times what the largest centre does in a year."""


@dataclass(frozen=True, slots=True)
class Work:
    """`thousandths` of a unit of work: one of `core.units.WORK`."""

    unit: str
    thousandths: int


def work(value: object, path: str, found: Problems) -> Work | None:
    """Parse the field `work`: {images: 2000000}, with one unit."""
    before = found.count
    section = Section(value, path, tuple(WORK), found)
    given = {unit: section.leaf(unit, _amount, None) for unit in WORK if section.values.get(unit) is not None}
    if len(given) != 1:
        if found.count == before:
            units = ", ".join(WORK)
            found.add(path, f"must be one of {units} with how many, for example {{images: 2000000}}")
        return None
    ((unit, amount),) = given.items()
    return None if amount is None else Work(unit, amount)


def document(asked: Work | None) -> dict[str, JSON] | None:
    """The field `work` that parses to `asked`."""
    if asked is None:
        return None
    whole, rest = divmod(asked.thousandths, 1000)
    return {asked.unit: whole if not rest else asked.thousandths / 1000}


def _amount(value: object) -> int:
    """Thousandths."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.001 <= value <= MOST:
        raise Wrong(f"must be a number from 0.001 to {MOST:,}, not {shown(value)}")
    return value * 1000 if isinstance(value, int) else round(value * 1000)
