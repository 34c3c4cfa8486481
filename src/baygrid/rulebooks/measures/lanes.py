"""Many applicants through the very code of one: each fact is a column, and where a decision is not the same
for all of them they part, and each part goes on by itself.

Amounts stay `Decimal` (numpy arrays of objects): every sum is what one applicant after the other would give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from baygrid.core.law.facts import Value

Column = NDArray[Any]
"""Of objects; None where the fact is not known."""

T = TypeVar("T")


class Parted(Exception):
    """Those of `apart` decide otherwise than the rest."""

    def __init__(self, apart: NDArray[np.bool_]) -> None:
        super().__init__("the applicants part here")
        self.apart = apart


@dataclass(frozen=True, eq=False)
class Lanes:
    """One value for each applicant. What a formula does with a `Decimal`, a day or a text it can do with it;
    asked for its truth it parts those of which it is true from the others."""

    values: Column

    def __add__(self, other: object) -> Lanes:
        return Lanes(self.values + _bare(other))

    def __sub__(self, other: object) -> Lanes:
        return Lanes(self.values - _bare(other))

    def __mul__(self, other: object) -> Lanes:
        return Lanes(self.values * _bare(other))

    def __truediv__(self, other: object) -> Lanes:
        return Lanes(self.values / _bare(other))

    def __rsub__(self, other: object) -> Lanes:
        return Lanes(_bare(other) - self.values)

    def __rtruediv__(self, other: object) -> Lanes:
        return Lanes(_bare(other) / self.values)

    __radd__ = __add__
    __rmul__ = __mul__

    def __lt__(self, other: object) -> Lanes:
        return Lanes(self.values < _bare(other))

    def __le__(self, other: object) -> Lanes:
        return Lanes(self.values <= _bare(other))

    def __gt__(self, other: object) -> Lanes:
        return Lanes(self.values > _bare(other))

    def __ge__(self, other: object) -> Lanes:
        return Lanes(self.values >= _bare(other))

    def __eq__(self, other: object) -> Lanes:  # type: ignore[override]
        return Lanes(self.values == _bare(other))

    def __ne__(self, other: object) -> Lanes:  # type: ignore[override]
        return Lanes(self.values != _bare(other))

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        truth = self.values.astype(bool)
        if truth.all():
            return True
        if not truth.any():
            return False
        raise Parted(truth)

    def __str__(self) -> str:
        return "of each applicant its own"

    def quantize(self, unit: Decimal, rounding: str) -> Lanes:
        return Lanes(np.array([value.quantize(unit, rounding) for value in self.values], dtype=object))


def _bare(value: object) -> Any:
    return value.values if isinstance(value, Lanes) else value


class _Facts(Mapping[str, Value]):
    """Of the applicants `here`."""

    def __init__(self, columns: Mapping[str, Column], here: NDArray[np.intp]) -> None:
        self._columns, self._here = columns, here

    def __contains__(self, name: object) -> bool:
        """Whether it is known, which must be so of all or of none."""
        if name not in self._columns:
            return False
        return bool(Lanes(self._columns[cast(str, name)][self._here] != np.array(None)))

    def __getitem__(self, name: str) -> Value:
        return cast(Value, Lanes(self._columns[name][self._here]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def each(
    columns: Mapping[str, Column], count: int, decide: Callable[[Mapping[str, Value]], T]
) -> Iterator[tuple[NDArray[np.intp], T]]:
    """What `decide` gives for facts, with the numbers of the applicants whose it is: each of them once."""
    left = [np.arange(count)] if count else []
    while left:
        here = left.pop()
        try:
            yield here, decide(_Facts(columns, here))
        except Parted as parted:
            left += [here[~parted.apart], here[parted.apart]]
