"""Where a job's data may be, and what the job does with them: the field `data`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from baygrid.core import reading
from baygrid.core.jobs import fields
from baygrid.core.jobs.problems import Problems, Section
from baygrid.core.reasons import JSON

_CODES: Final = fields.items(fields.place_code)
_USE: Final[Mapping[str, Callable[[object], str | bool]]] = {
    "purpose": reading.name,
    "ground": reading.name,
    "sector": reading.name,
    "choice": reading.name,
    "direct_marketing": fields.truth,
}
"""Facts that only the user knows, by the names that the rulebooks of borders ask for."""


@dataclass(frozen=True, slots=True)
class Data:
    """`residency`: jurisdictions, sorted; none: anywhere."""

    residency: tuple[str, ...] = ()
    use: Mapping[str, str | bool] = field(default_factory=dict)


NOTHING: Final = Data()


def data(value: object, path: str, found: Problems) -> Data:
    section = Section(value, path, ("residency", "use"), found)
    return Data(tuple(sorted(section.part("residency", _CODES, ()))), section.part("use", _use, {}))


def document(residency: tuple[str, ...], use: Mapping[str, str | bool]) -> dict[str, JSON] | None:
    """The field `data` that parses to these."""
    said: dict[str, JSON] = {"residency": list(residency)} if residency else {}
    return (said | ({"use": dict(use)} if use else {})) or None


def _use(value: object, path: str, found: Problems) -> Mapping[str, str | bool]:
    section = Section(value, path, tuple(_USE), found)
    said = {name: section.leaf(name, parser, None) for name, parser in _USE.items()}
    return {name: value for name, value in said.items() if value is not None}
