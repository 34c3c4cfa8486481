"""What an operator verifies of an organisation that shares or gets data, by the names that the rulebooks ask
for: as an exporter and as a recipient. What is left out is unknown, which is never "no"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from baygrid.core.data.described import line
from baygrid.core.days import beginning
from baygrid.core.reading import DocumentError, Leaf, Problem, Wrong, not_text, shown, whole

MOST_SCOPE: Final = 50
_COUNTRY: Final = re.compile(r"[a-z]{2}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def yes_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false, not {shown(value)}")
    return value


def country(value: object) -> str:
    if not isinstance(value, str) or _COUNTRY.fullmatch(value) is None:
        raise Wrong(f"must be cn, hk, or another country's code in small letters, not {shown(value)}")
    return value


def day(value: object) -> str:
    """A day as its text."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    raise Wrong(f"must be a day such as 2027-01-31, not {shown(value)}")


def scope(value: object) -> list[str]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_SCOPE:
        raise Wrong(f"must be a list of 1 to {MOST_SCOPE} lines, not {shown(value)}")
    return [line(each) for each in value]


FACTS: Final[Mapping[str, Leaf[Any]]] = {
    "jurisdiction": country,
    "city": line,
    "registered_in_gba9": yes_no,
    "registered_in_hk_or_gba9": yes_no,
    "ciio": yes_no,
    "state_organ": yes_no,
    "ftz_zone": line,
    "zone": line,
    "sector": line,
    "handled_persons": whole(0, 1_000_000_000),
    "on_art42_list": yes_no,
    "is_foreign_judicial_or_enforcement": yes_no,
}
PILOT: Final[Mapping[str, Leaf[Any]]] = {
    "parent": line,
    "registered": line,
    "scope": scope,
    "from": day,
    "until": day,
}


@dataclass(frozen=True, slots=True)
class Party:
    """`pilot`, of a pilot institution: its Hong Kong `parent`, its registration in Qianhai (`registered`),
    the `scope` for which it is one, its first day and its last (`from`, `until`)."""

    facts: Mapping[str, Any]
    pilot: Mapping[str, Any] | None


def read_party(document: object) -> Party:
    """Of `{"facts": {...}, "pilot": {...}}`. Raises DocumentError with every mistake."""
    if not isinstance(document, Mapping):
        raise DocumentError(
            (Problem("", f"must have facts, and pilot where it is one, not {shown(document)}"),)
        )
    found: list[Problem] = []
    parts = ("facts", "pilot")
    found += [_unknown("", name, parts) for name in document if name not in parts]
    facts = _read(document.get("facts"), "facts", FACTS, found)
    told = document.get("pilot")
    pilot = None if told is None else _read(told, "pilot", PILOT, found)
    found += _contradictions(facts)
    if pilot is not None:
        said = set(told) if isinstance(told, Mapping) else set(PILOT)
        found += [Problem(f"pilot.{name}", "is missing") for name in PILOT if name not in said]
        if "from" in pilot and pilot.get("until", "9999-12-31") < pilot["from"]:
            found.append(Problem("pilot.until", f"is before its first day, {pilot['from']}"))
    if found:
        raise DocumentError(tuple(found))
    return Party(facts, pilot)


def pilot_span(pilot: Mapping[str, Any]) -> tuple[int, int]:
    """From when until before when it is one, in milliseconds since 1970: days are those of the region."""
    first, last = (date.fromisoformat(pilot[name]) for name in ("from", "until"))
    return beginning(first), beginning(last + timedelta(days=1))


def _read(
    document: object, at: str, known: Mapping[str, Callable[[object], Any]], found: list[Problem]
) -> dict[str, Any]:
    if not isinstance(document, Mapping):
        found.append(Problem(at, f"must be a mapping of {', '.join(known)}, not {shown(document)}"))
        return {}
    values = {}
    for name, value in document.items():
        if name not in known:
            found.append(_unknown(at, name, known))
        elif value is not None:
            try:
                values[name] = known[name](value)
            except Wrong as wrong:
                found.append(Problem(f"{at}.{name}", str(wrong)))
    return values


def _unknown(at: str, name: object, known: Mapping[str, Any] | tuple[str, ...]) -> Problem:
    if not isinstance(name, str):
        return Problem(at, not_text(name))
    path = f"{at}.{name[:80]}" if at else name[:80]
    return Problem(path, f"is nothing that is asked: there are {', '.join(known)}")


def _contradictions(facts: Mapping[str, Any]) -> list[Problem]:
    """A party is an exporter in one contract and a recipient in another: both must be told the same."""
    nine, both = facts.get("registered_in_gba9"), facts.get("registered_in_hk_or_gba9")
    if nine and both is False:
        return [Problem("facts.registered_in_hk_or_gba9", "cannot be false of one registered in those nine")]
    if both and nine is False and facts.get("jurisdiction", "hk") != "hk":
        elsewhere = facts["jurisdiction"]
        return [
            Problem(
                "facts.registered_in_hk_or_gba9",
                f"cannot be true of one in {elsewhere} and not in those nine",
            )
        ]
    return []
