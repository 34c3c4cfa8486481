"""The parts of the job file that this server does not carry out yet, in one table.

A job that asks for one is refused, never run without it. The shape is checked first, so that a job
file is told all its mistakes at once. When a capability comes, its row goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from baygrid.core import reading
from baygrid.core.jobs import fields
from baygrid.core.jobs.problems import Part, Problems, Section


@dataclass(frozen=True, slots=True)
class Later:
    """One capability to come: its name in a sentence, the shape of its field, what to write until then."""

    what: str
    check: Part[object]
    cure: str


def _leaf(parser: Callable[[object], object]) -> Part[object]:
    return lambda value, path, found: found.attempt(path, parser, value)


_OUT: Final = "take the field out"
LATER: Final[Mapping[str, Later]] = {
    "data.class": Later("a class of data (no rulebook is loaded) is", _leaf(reading.name), _OUT),
    "data.datasets": Later("a list of datasets is", fields.items(reading.name), _OUT),
}
"""Fields by name (nested ones with a dot)."""


def refuse(capability: str, value: object, path: str, found: Problems) -> None:
    """Add a problem: of the value's shape, or that the capability is yet to come."""
    row = LATER[capability]
    before = found.count
    row.check(value, path, found)
    if found.count == before:
        found.add(path, f"{row.what} not supported yet by this server: {row.cure}")


def refuse_fields(section: Section, names: tuple[str, ...], prefix: str = "") -> None:
    """`refuse` those fields of the section that are given."""
    for key in names:
        value = section.values.get(key)
        if value is not None:
            refuse(prefix + key, value, section.at(key), section.found)
