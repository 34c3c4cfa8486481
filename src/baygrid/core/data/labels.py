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
    """One column that is personal makes all of it so; one of which it is not known leaves it open."""
    columns = list(labels)
    persons = [it for it in columns if it.personal is not False]
    origins = {it.origin for it in persons} or {Origin.DOMESTIC}
    return Together(
        personal=_any(it.personal for it in columns),
        sensitive=_any(it.sensitive for it in columns),
        important=_most_important(it.important for it in columns),
        core=_any(it.core for it in columns),
        origin=next(iter(origins)) if len(origins) == 1 else _mixed_origin(origins),
        mixed=None if Origin.UNKNOWN in origins else len(origins) > 1,
    )


def _any(found: Iterable[bool | None]) -> bool | None:
    values = list(found)
    if True in values:
        return True
    return None if None in values else False


def _mixed_origin(origins: set[Origin]) -> Origin:
    """Domestic as soon as some of it is: what is joined to it leaves by the same rule."""
    return Origin.DOMESTIC if Origin.DOMESTIC in origins else Origin.UNKNOWN


def _most_important(found: Iterable[Important]) -> Important:
    values = set(found)
    for each in (Important.PUBLISHED, Important.NOTIFIED, Important.UNKNOWN):
        if each in values:
            return each
    return Important.NO
