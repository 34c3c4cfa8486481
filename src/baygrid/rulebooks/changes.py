"""What changed in law and in measures between two days: what the rulebooks have on each day that something in
them begins or ends, and did not have the day before. Only what is loaded can be told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from baygrid.core.law.plan import NotLoaded
from baygrid.core.reasons import JSON
from baygrid.rulebooks.cross_border.book import Book
from baygrid.rulebooks.things import DAY, AnyBook, Thing, days, things


@dataclass(frozen=True, slots=True)
class Change:
    """`what`: such as "rule begins", "threshold changes", "clause ends". `text`: the law or measures,
    `article` where in it. `before`, `after`: what stood and stands there, "" on the side where nothing does.
    `who` it is for, what they have to do, and `by` when (a day, or from when it is counted)."""

    what: str
    text: str
    article: str
    since: date
    before: str
    after: str
    who: str
    todo: str
    by: str

    def to_json(self) -> dict[str, JSON]:
        return {
            "what": self.what,
            "text": self.text,
            "article": self.article,
            "since": str(self.since),
            "before": self.before,
            "after": self.after,
            "who": self.who,
            "todo": self.todo,
            "by": self.by,
        }


def changes(books: Sequence[AnyBook], since: date, until: date) -> list[Change]:
    """After `since`, up to `until` and on it, in the order of the days. Raises ValueError where `until` is
    before `since`, NotLoaded where a table of law does not reach back to that."""
    if until < since:
        raise ValueError(f"{until} is before {since}")
    found: list[Change] = []
    for book in books:
        if isinstance(book, Book) and book.table.loaded.before(since):
            raise NotLoaded(f"{book.title}: the law before {book.table.loaded.first} is not loaded")
        for day in sorted({it for it in days(book) if since < it <= until}):
            found += _gathered(_between(book, day))
    return sorted(found, key=lambda it: it.since)


def _between(book: AnyBook, day: date) -> Iterator[Change]:
    """From the day before to `day`."""
    older, newer = ({(it.kind, it.name): it for it in things(book, of)} for of in (day - DAY, day))
    for key in {**older, **newer}:
        before, after = older.get(key), newer.get(key)
        if before is None and after is not None:
            yield _change(f"{after.kind} {after.verb('begin')}", book, day, after, "", after.says)
        elif after is None and before is not None:
            ended = replace(before, todo=before.ends, by=str(day - DAY) if before.ends else "")
            yield _change(f"{before.kind} {before.verb('end')}", book, day, ended, before.says, "")
        elif before is not None and after is not None and before.text != after.text:
            yield _change(f"{after.kind} {after.verb('change')}", book, day, after, before.says, after.says)
        elif before is not None and after is not None and before.article != after.article:
            same = replace(after, todo="", by="")
            old, new = (f"{it.kind} {it.name}: {it.article}" for it in (before, after))
            yield _change("article changes", book, day, same, old, new)


def _change(what: str, book: AnyBook, day: date, of: Thing, before: str, after: str) -> Change:
    return Change(what, book.title, of.article, day, before, after, of.who, of.todo, of.by)


def _gathered(found: Iterator[Change]) -> list[Change]:
    """Clauses of which all else is the same are told in one line."""
    rows: dict[object, Change] = {}
    for it in found:
        clauses = it.what.startswith(("clause", "applications"))
        key = (it.what, it.who, it.todo, it.by) if clauses else it
        if (other := rows.get(key)) is not None:
            it = replace(
                it,
                article=_both(other.article, it.article),
                before=_both(other.before, it.before),
                after=_both(other.after, it.after),
            )
        rows[key] = it
    return [*rows.values()]


def _both(one: str, other: str) -> str:
    return "; ".join(dict.fromkeys(filter(None, (one, other))))
