"""Papers about a contract for counsel to complete, as Markdown: what the platform knows, and a line for each
thing that it does not. No text of the law is in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

OPEN: Final = "(not established here: to be completed)"
_NOTE: Final = (
    "> Draft. Written by the platform from what is recorded there; to be completed and checked by counsel."
    " It is not legal advice, and not the official form."
)

_TOPICS: Final = (
    "The topics that SC Measures 5 (standard contract), the GBA SC Guidelines or PIPL 56 list are not loaded"
    " here. Counsel enters and answers each."
)


@dataclass(frozen=True, slots=True)
class Table:
    """One table as the contract shows it: each column with what it is in law."""

    ref: str
    place: str
    columns: Sequence[tuple[str, str]]
    filter: str | None
    masks: Mapping[str, str]
    figures_over: int | None


@dataclass(frozen=True, slots=True)
class Task:
    """An obligation. `due`: its last day, as text; `done`: who recorded what of it, and when."""

    says: str
    article: str
    by: str
    due: str
    done: str


@dataclass(frozen=True, slots=True)
class Matter:
    """All that the drafts rest on. `persons`: those of whom nothing sensitive is shown, those of whom
    something is, the exporter's of the year with this contract's; None: nobody asked."""

    id: str
    share: str
    day: str
    provider: str
    consumer: str
    exporter: Mapping[str, Any]
    recipient: Mapping[str, Any]
    purpose: str
    ground: str | None
    choice: str | None
    onward: bool
    start: str
    until: str | None
    outcome: str
    basis: Sequence[str]
    notes: Sequence[str]
    tables: Sequence[Table]
    persons: tuple[int, int] | None
    tasks: Sequence[Task]


def drafts(it: Matter) -> dict[str, str]:
    """By file name. The annex is that of the route which is chosen."""
    found = {
        "impact-assessment.md": _assessment(it),
        "filing-checklist.md": _checklist(it),
    }
    if it.choice == "sc":
        found["standard-contract-annex.md"] = _annex(
            it, "Annex to the standard contract", "SC Measures 6: the official text is used unaltered"
        )
    if it.choice == "gba_sc":
        found["gba-contract-annex.md"] = _annex(
            it,
            "Annex to the contract of the Greater Bay Area (Mainland, Hong Kong)",
            "GBA SC Guidelines: nothing is passed on outside the area; the contract with Macao is another",
        )
    return {name: "\n".join(lines) + "\n" for name, lines in sorted(found.items())}


def _assessment(it: Matter) -> list[str]:
    return [
        *_head(it, "Impact assessment on personal information (PIPL 55, 56)"),
        *_section(
            "Purpose and method", [f"Purpose: {it.purpose}", f"Ground: {it.ground or OPEN}", *_method(it)]
        ),
        *_section("What the law says today", _law(it)),
        *_section("Data", _data(it)),
        *_section("Persons", _persons(it)),
        *_section(
            "Topics of the article that applies",
            [
                _TOPICS,
                f"Lawfulness, legitimacy, necessity: {OPEN}",
                f"Effect on rights, and risks: {OPEN}",
                f"Law and practice at the recipient's place: {OPEN}",
                f"Conclusion, name and day: {OPEN}",
            ],
        ),
    ]


def _annex(it: Matter, title: str, rule: str) -> list[str]:
    return [
        *_head(it, title),
        *_section("Rule", [rule]),
        *_section(
            "Parties",
            [*_party("Exporter", it.provider, it.exporter), *_party("Recipient", it.consumer, it.recipient)],
        ),
        *_section("Transfer", [f"Purpose: {it.purpose}", *_method(it)]),
        *_section("Data", _data(it)),
        *_section("Persons", _persons(it)),
        *_section(
            "To be completed",
            [
                f"Name, address, representative and contact of each party: {OPEN}",
                f"How long the recipient keeps the data, and where: {OPEN}",
                f"To whom the recipient passes them on: {'nobody' if not it.onward else OPEN}",
                f"Security measures at the recipient: {OPEN}",
                f"Signatures and day: {OPEN}",
            ],
        ),
    ]


def _checklist(it: Matter) -> list[str]:
    rows = ["| what | article | by | last day | recorded |", "|---|---|---|---|---|"]
    rows += [
        f"| {_cell(task.says)} | {_cell(task.article)} | {_cell(task.by)} | {task.due} | {_cell(task.done)} |"
        for task in it.tasks
    ]
    return [*_head(it, "Checklist"), *_section("What the law says today", _law(it)), "## Tasks", "", *rows]


def _head(it: Matter, title: str) -> list[str]:
    return [f"# {title}", "", _NOTE, "", f"Contract {it.id}, share {it.share}, as of {it.day}.", ""]


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return [f"## {title}", "", *(f"- {line}" for line in lines), ""]


def _method(it: Matter) -> Iterator[str]:
    yield "Method: remote reading of tables over HTTPS, each read checked; files made for this contract only"
    yield f"From {it.start} to {it.until or 'no fixed end'}"
    yield f"Passed on by the recipient: {'yes' if it.onward else 'no'}"


def _law(it: Matter) -> list[str]:
    route = "none asked for" if it.choice is None else it.choice
    return [
        f"{it.outcome}: {', '.join(it.basis)}",
        f"Route: {route}",
        *(f"Note: {note}" for note in it.notes),
    ]


def _data(it: Matter) -> Iterator[str]:
    for table in it.tables:
        what = (
            "" if table.figures_over is None else f", figures over {table.figures_over} persons or more only"
        )
        yield f"{table.ref}, which lies in {table.place}{what}"
        yield f"  rows: {'all' if table.filter is None else f'those where `{table.filter}`'}"
        for name, labels in table.columns:
            mask = table.masks.get(name)
            yield f"  `{name}`: {labels}" + ("" if mask is None else f"; behind a mask ({mask})")


def _persons(it: Matter) -> list[str]:
    if it.persons is None:
        return [f"How many: {OPEN}; the law did not ask for it today"]
    plain, sensitive = it.persons
    return [
        "Distinct persons of the exporter since 1 January, with this contract's:",
        f"  of whom nothing sensitive is shown: {plain:,}",
        f"  of whom something sensitive is shown: {sensitive:,}",
    ]


def _party(role: str, name: str, facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"{role}: {name}"
    for fact, value in sorted(facts.items()):
        yield f"  {fact}: {value}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
