"""The days of measures: when each comes into force, is open for applications, and ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from icalendar import Calendar, Event

from baygrid.core.law.parameters import Span
from baygrid.rulebooks.measures.book import Rulebook


@dataclass(frozen=True, slots=True)
class Occasion:
    """One day of a rulebook's, and what is on it."""

    day: date
    rulebook: str
    says: str


def occasions(books: Sequence[Rulebook]) -> list[Occasion]:
    """In the order of the days. What all clauses of a rulebook share is said once."""
    found = []
    for book in books:
        for says, spans in (
            ("in force", {it.id: it.validity for it in book.clauses}),
            ("open for applications", {it.id: it.window for it in book.clauses}),
        ):
            for span in dict.fromkeys(spans.values()):
                names = ", ".join(name for name, its in spans.items() if its == span)
                found += _ends(book, span, f"{says} ({names})")
    return sorted(found, key=lambda it: (it.day, it.rulebook, it.says))


def _ends(book: Rulebook, span: Span, says: str) -> list[Occasion]:
    first = [] if span.first is None else [Occasion(span.first, book.name, f"first day {says}")]
    last = [] if span.last is None else [Occasion(span.last, book.name, f"last day {says}")]
    return [*first, *last]


def ical(found: Sequence[Occasion]) -> str:
    """All-day events (RFC 5545), each known again by its UID when the calendar is read again."""
    calendar = Calendar()
    calendar.add("prodid", "-//Baygrid//measures//EN")
    calendar.add("version", "2.0")
    for one in found:
        event = Event()
        event.add("uid", f"{one.rulebook}-{one.day}-{one.says.split(' (')[0].replace(' ', '-')}@baygrid")
        event.add("dtstamp", datetime.combine(one.day, time(), UTC))
        event.add("dtstart", one.day)
        event.add("dtend", one.day + timedelta(days=1))
        event.add("summary", f"{one.rulebook}: {one.says}")
        calendar.add_component(event)
    text: bytes = calendar.to_ical()
    return text.decode()
