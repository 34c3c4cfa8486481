"""Commands of public support: what a rulebook asks, what it may give at most, and how two of them differ."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baygrid.cli.days import law_day
from baygrid.cli.errors import CliError, Flaw
from baygrid.cli.session import Session, command

if TYPE_CHECKING:
    from baygrid.core.law.clauses import Clause, Finding
    from baygrid.core.law.parameters import Span
    from baygrid.rulebooks.measures.book import Rulebook

Book = Annotated[str, typer.Option("--rulebook", metavar="NAME", help="As `baygrid measures list` has it.")]
Facts = Annotated[
    str, typer.Argument(metavar="FACTS", help="What is known of the applicant (YAML); - is stdin.")
]
Day = Annotated[
    str | None, typer.Option("--as-of", metavar="DATE", help="The day of application; else today.")
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(
        group, name="measures", help="Public support as code: clauses, ceilings, what is not known."
    )
    command(group, "list")(list_)
    command(group, "facts")(facts)
    command(group, "check")(check)
    command(group, "diff")(diff)
    command(group, "calendar")(calendar)
    command(group, "simulate")(simulate)


def list_(session: Session) -> None:
    """List the rulebooks, and how much of each is established."""
    from baygrid.rulebooks.measures.book import NAMES, rulebook

    books = [rulebook(name) for name in NAMES]
    session.out.show(
        [
            {
                "name": book.name,
                "title": book.title,
                "original": book.original,
                "jurisdiction": book.jurisdiction,
                "status": book.status,
                "reference": book.reference,
                "clauses": [_clause(clause) for clause in book.clauses],
            }
            for book in books
        ],
        ("rulebook", "jurisdiction", "status", "clauses loaded", "title"),
        [
            [
                book.name,
                book.jurisdiction,
                book.status,
                f"{sum(clause.formula is not None for clause in book.clauses)} of {len(book.clauses)}",
                book.title,
            ]
            for book in books
        ],
        none="there is no rulebook",
    )


def facts(session: Session, rulebook: Book) -> None:
    """List the facts that a rulebook's clauses may ask for."""
    found = [
        {"name": fact.name, "kind": fact.kind.value, "question": fact.question, "choices": [*fact.choices]}
        for fact in _book(rulebook).facts.values()
    ]
    session.out.show(
        found,
        ("fact", "kind", "question"),
        [[it["name"], ", ".join(it["choices"]) or it["kind"], it["question"]] for it in found],
        none=f"no clause of {rulebook} is loaded, so none asks for anything",
    )


def check(session: Session, facts: Facts, rulebook: Book, as_of: Day = None) -> None:
    """Say for each clause whether the applicant is eligible, what must still be asked, and at most how much.
    Ceilings, never promises: who decides is the authority."""
    book, day = _book(rulebook), law_day(as_of)
    found = _findings(book, _document(facts), day)
    titles = {clause.id: clause.title for clause in book.clauses}
    if session.json:
        clauses = [_told(finding, titles[finding.clause]) for finding in found]
        session.out.json(
            {
                "rulebook": book.name,
                "rulebook_status": book.status,
                "as_of": str(day),
                "currency": book.currency,
                "clauses": clauses,
            }
        )
        return
    session.out.table(
        ("clause", "status", f"at most {book.currency}", "why"),
        [[it.clause, it.status.replace("_", " "), _amount(it), "; ".join(_why(it))] for it in found],
        right=(f"at most {book.currency}",),
    )
    if book.status != "in force":
        session.out.note(f"{book.name} is not in force today: {book.status}")


def diff(
    session: Session,
    before: Annotated[str, typer.Argument(metavar="RULEBOOK", help="The older one.")],
    after: Annotated[str, typer.Argument(metavar="RULEBOOK", help="The newer one.")],
    facts: Annotated[
        str | None, typer.Argument(metavar="[FACTS]", help="Of an applicant: what changes for it.")
    ] = None,
    as_of: Day = None,
) -> None:
    """Show what two rulebooks have differently. With an applicant's facts each is asked on the first day of
    its being in force, unless a day is said."""
    from baygrid.rulebooks.measures.difference import changes, outcomes

    older, newer = _book(before), _book(after)
    found = [*changes(older, newer)]
    if facts is not None:
        days = [_first_day(book) if as_of is None else law_day(as_of) for book in (older, newer)]
        given = _document(facts)
        found += outcomes(_findings(older, given, days[0], newer), _findings(newer, given, days[1], older))
    session.out.show(
        [{"what": it.what, "name": it.name, "before": it.before, "after": it.after} for it in found],
        ("what", "name", before, after),
        [[it.what, it.name, it.before or "-", it.after or "-"] for it in found],
        none="they do not differ",
    )


def calendar(
    session: Session,
    rulebook: Annotated[
        str | None, typer.Option("--rulebook", metavar="NAME", help="Only of this one.")
    ] = None,
) -> None:
    """Print when rulebooks come into force, are open and end, as iCalendar (RFC 5545); with --json a list."""
    from baygrid.rulebooks.measures.book import NAMES
    from baygrid.rulebooks.measures.calendar import ical, occasions

    names = [rulebook] if rulebook else [name for name in NAMES if _book(name).status != "example"]
    found = occasions([_book(name) for name in names])
    if session.json:
        session.out.json([{"day": str(it.day), "says": it.says, "rulebook": it.rulebook} for it in found])
    else:
        session.out.out.write(ical(found))


def simulate(
    session: Session,
    companies: Annotated[
        str, typer.Argument(metavar="CSV", help="A line for each company; facts by column; - is stdin.")
    ],
    rulebook: Book,
    as_of: Day = None,
) -> None:
    """Say what a rulebook would cost over a table of companies, if each applied for all on one day. Exact to
    the cent; an empty cell is a fact that is not known."""
    from baygrid.core.reading import DocumentError
    from baygrid.rulebooks.measures import simulation

    book, day = _book(rulebook), law_day(as_of)
    try:
        with _opened(companies) as lines:
            columns, count = simulation.read_table(lines, book.facts)
    except DocumentError as error:
        flaws = [Flaw(it.path, it.message) for it in error.problems]
        raise CliError(f"{companies}: {flaws[0]}", code="invalid", flaws=flaws) from None
    costs = simulation.simulate(book, columns, count, day)
    session.out.show(
        [
            {
                "clause": it.clause,
                "companies": {status.value: n for status, n in it.counts.items()},
                "ceilings": f"{it.ceilings:.2f}",
                "pool": None if it.pool is None else f"{it.pool:.2f}",
                "at_most": f"{it.at_most:.2f}",
            }
            for it in costs
        ],
        ("clause", "companies", f"ceilings {book.currency}", "pool", "at most"),
        [
            [
                it.clause,
                ", ".join(f"{n:,} {status.replace('_', ' ')}" for status, n in it.counts.items()),
                f"{it.ceilings:,.2f}",
                "-" if it.pool is None else f"{it.pool:,.2f}",
                f"{it.at_most:,.2f}",
            ]
            for it in costs
        ],
        none="the rulebook has no clause",
        right=(f"ceilings {book.currency}", "pool", "at most"),
    )


@contextmanager
def _opened(file: str) -> Iterator[Iterable[str]]:
    """Its lines."""
    if file == "-":
        yield sys.stdin
        return
    from baygrid.client.yamlfile import reading

    # Spreadsheets begin with a mark.
    with reading(file, "table"), Path(file).open(encoding="utf-8-sig", newline="") as lines:
        yield lines


def _book(name: str) -> "Rulebook":
    from baygrid.rulebooks.measures.book import NAMES, rulebook

    if name not in NAMES:
        raise CliError(
            f"there is no rulebook {name!r}", code="no-rulebook", cure=f"use one of {', '.join(NAMES)}"
        )
    return rulebook(name)


def _first_day(book: "Rulebook") -> date:
    days = [clause.validity.first for clause in book.clauses if clause.validity.first is not None]
    return min(days, default=law_day(None))


@dataclass(frozen=True)
class _Document:
    """A file of facts, and the line of each field."""

    name: str
    content: object
    lines: dict[str, int]


def _document(file: str) -> _Document:
    from baygrid.client.yamlfile import document_of, text_of

    name, _, text = text_of(file, "file of facts")
    return _Document(name, *document_of(name, text))


def _findings(
    book: "Rulebook", facts: _Document, day: date, beside: "Rulebook | None" = None
) -> "list[Finding]":
    from baygrid.client.yamlfile import line_of, mistakes
    from baygrid.core.law.clauses import find
    from baygrid.core.reading import DocumentError
    from baygrid.rulebooks.measures.applicant import applicant

    try:
        who = applicant(facts.content, book, beside)
    except DocumentError as error:
        flaws = [
            Flaw(it.path, it.message, line_of(it.path, it.message, facts.lines)) for it in error.problems
        ]
        raise mistakes(facts.name, flaws) from None
    return [find(clause, who, book.parameters, day) for clause in book.clauses]


def _told(finding: "Finding", title: str) -> dict[str, Any]:
    return {
        "id": finding.clause,
        "title": title,
        "status": finding.status.value,
        "ceiling": None if finding.ceiling is None else str(finding.ceiling),
        "missing": [*finding.missing],
        "reasons": [*finding.reasons],
        "reference": finding.reference,
        "trace": [{"says": it.says, "value": it.value, "reference": it.reference} for it in finding.steps],
    }


def _amount(finding: "Finding") -> str:
    return "-" if finding.ceiling is None else f"{finding.ceiling:,}"


def _why(finding: "Finding") -> list[str]:
    asked = [f"ask: {', '.join(finding.missing)}"] if finding.missing else []
    return [*asked, *finding.reasons]


def _clause(clause: "Clause") -> dict[str, Any]:
    return {
        "id": clause.id,
        "title": clause.title,
        "reference": clause.reference,
        "loaded": clause.formula is not None,
        "note": clause.note,
        "validity": _span(clause.validity),
        "window": _span(clause.window),
        "support": _span(clause.support),
        "once": clause.once,
    }


def _span(span: "Span") -> dict[str, str | None]:
    return {
        "from": None if span.first is None else str(span.first),
        "to": None if span.last is None else str(span.last),
    }
