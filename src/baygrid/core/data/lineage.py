"""What a whole dataset is in law, and what comes out of a job that took in several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from baygrid.core.data import labels
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
    """What is made of all of these; persons add up, since nobody knows who is in both."""
    several = list(contents)
    counted = [it.persons for it in several if it.law.personal is not False]
    law = labels.joined(it.law for it in several)
    return Content(law, None if None in counted else sum(filter(None, counted)))
