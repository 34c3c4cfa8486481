"""What data is in law, column by column. A guess counts for nothing: a person confirms a label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Important(StrEnum):
    """Data Security Law 21: important data is what was notified to the processor or published as such."""

    NO = "no"
    NOTIFIED = "notified"
    PUBLISHED = "published"
    UNKNOWN = "unknown"


class Origin(StrEnum):
    """Where what is said of persons was collected (Provisions on cross-border data flows 4)."""

    DOMESTIC = "domestic"
    OVERSEAS = "overseas"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Labels:
    """Of one column, or of all that is shared together. None: nobody has said. `subject`: its values tell one
    person from another, so that persons are counted by it."""

    personal: bool | None = None
    sensitive: bool | None = None
    important: Important = Important.UNKNOWN
    core: bool | None = None
    origin: Origin = Origin.UNKNOWN
    subject: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "personal": self.personal,
            "sensitive": self.sensitive,
            "important": self.important.value,
            "core": self.core,
            "origin": self.origin.value,
            "subject": self.subject,
        }

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Labels:
        return cls(
            document["personal"],
            document["sensitive"],
            Important(document["important"]),
            document["core"],
            Origin(document["origin"]),
            document["subject"],
        )


@dataclass(frozen=True, slots=True)
class Together:
    """What shared columns come to. `mixed`: of what is personal, some is of domestic origin and some is not;
    None: of some nobody knows."""

    personal: bool | None
    sensitive: bool | None
    important: Important
    core: bool | None
    origin: Origin
    mixed: bool | None


def together(labels: Iterable[Labels]) -> Together:
    """Columns that are shown side by side."""
    return joined(
        Together(it.personal, it.sensitive, it.important, it.core, it.origin, mixed=False) for it in labels
    )


def joined(parts: Iterable[Together]) -> Together:
    """What is made of all of these: as personal, sensitive and important as any of them; one of which it is
    not known leaves it open. What tells of persons from both sides is mixed, and domestic: what is joined to
    domestic data leaves by the same rule."""
    several = list(parts)
    persons = [it for it in several if it.personal is not False]
    origins = {it.origin for it in persons}
    return Together(
        personal=_any(it.personal for it in several),
        sensitive=_any(it.sensitive for it in several),
        important=max((it.important for it in several), key=_WEIGHT.index, default=Important.NO),
        core=_any(it.core for it in several),
        origin=_origin(origins),
        mixed=_any([*(it.mixed for it in persons), _crossed(origins)]),
    )


_WEIGHT = (Important.NO, Important.UNKNOWN, Important.NOTIFIED, Important.PUBLISHED)


def _crossed(origins: set[Origin]) -> bool | None:
    if {Origin.DOMESTIC, Origin.OVERSEAS} <= origins:
        return True
    return None if Origin.UNKNOWN in origins else False


def _origin(origins: set[Origin]) -> Origin:
    if Origin.DOMESTIC in origins:
        return Origin.DOMESTIC
    return Origin.OVERSEAS if origins == {Origin.OVERSEAS} else Origin.UNKNOWN


def _any(found: Iterable[bool | None]) -> bool | None:
    values = list(found)
    if True in values:
        return True
    return None if None in values else False
