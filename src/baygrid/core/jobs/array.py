"""Many jobs from one job file: elements that differ in their number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from baygrid.core import reading
from baygrid.core.jobs import fields
from baygrid.core.jobs.problems import Problems, Section
from baygrid.core.reading import Wrong, shown
from baygrid.core.reasons import JSON

MAX_ELEMENTS: Final = 10_000
_RANGE: Final = fields.matching(r"[0-9]{1,9}-[0-9]{1,9}", "0-99")


@dataclass(frozen=True, slots=True)
class Array:
    """Elements `first` to `last`, at most `parallel` of them queued or running at once."""

    first: int
    last: int
    parallel: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1

    @property
    def indices(self) -> range:
        return range(self.first, self.last + 1)


def array(value: object, path: str, found: Problems) -> Array | None:
    """Parse the field `array`. Without `parallel` all elements may run at once."""
    section = Section(value, path, ("range", "parallel"), found)
    cure = "say which elements, for example range: 0-99"
    first, last = section.needed("range", _bounds, (0, 0), cure)
    size = last - first + 1
    parallel = section.leaf("parallel", reading.whole(1, MAX_ELEMENTS), size)
    return Array(first, last, min(parallel, size))


def document(wanted: Array | None) -> dict[str, JSON] | None:
    """The field `array` that parses to `wanted`."""
    if wanted is None:
        return None
    return {"range": f"{wanted.first}-{wanted.last}", "parallel": wanted.parallel}


def _bounds(value: object) -> tuple[int, int]:
    first, last = map(int, _RANGE(value).split("-"))
    if first > last:
        raise Wrong(f"must run upwards, not {shown(value)}")
    if last - first >= MAX_ELEMENTS:
        raise Wrong(f"has {last - first + 1} elements, the most is {MAX_ELEMENTS}: split it")
    return first, last
