"""What a whole dataset is in law, and what comes out of a job that took in several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from baygrid.core.data.labels import Important, Origin, Together


@dataclass(frozen=True, slots=True)
class Content:
    """`persons`: how many it tells of at most; None: nobody has counted."""

    law: Together
    persons: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "personal": self.law.personal,
            "sensitive": self.law.sensitive,
            "important": self.law.important.value,
            "core": self.law.core,
            "origin": self.law.origin.value,
            "mixed": self.law.mixed,
            "persons": self.persons,
        }

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Content:
        """What is left out nobody has said. Of what is not personal the rest follows."""
        personal = document.get("personal")
        plain = personal is False
        law = Together(
            personal,
            document.get("sensitive", False if plain else None),
            Important(document.get("important", Important.UNKNOWN)),
            document.get("core"),
            Origin(document.get("origin", Origin.UNKNOWN)),
            document.get("mixed", False if plain else None),
        )
        return cls(law, document.get("persons", 0 if plain else None))


NOBODY_SAID = Content.of_json({})


def joined(contents: Iterable[Content]) -> Content:
    """What is made of all of these: as personal, sensitive and important as any of them. What tells of
    persons from both sides is mixed, and domestic; persons add up, since nobody knows who is in both."""
    several = list(contents)
    persons = [it for it in several if it.law.personal is not False]
    origins = {it.law.origin for it in persons}
    law = Together(
        _any(it.law.personal for it in several),
        _any(it.law.sensitive for it in several),
        max((it.law.important for it in several), key=_WEIGHT.index, default=Important.NO),
        _any(it.law.core for it in several),
        _origin(origins),
        _any([*(it.law.mixed for it in persons), *_crossed(origins)]),
    )
    counted = [it.persons for it in persons]
    return Content(law, None if None in counted else sum(filter(None, counted)))


_WEIGHT = (Important.NO, Important.UNKNOWN, Important.NOTIFIED, Important.PUBLISHED)


def _crossed(origins: set[Origin]) -> list[bool | None]:
    known = origins - {Origin.UNKNOWN}
    if len(known) > 1:
        return [True]
    return [None] if len(origins) > 1 else [False]


def _origin(origins: set[Origin]) -> Origin:
    if Origin.DOMESTIC in origins:
        return Origin.DOMESTIC
    return Origin.OVERSEAS if origins == {Origin.OVERSEAS} else Origin.UNKNOWN


def _any(found: Iterable[bool | None]) -> bool | None:
    values = list(found)
    if True in values:
        return True
    return None if None in values else False
