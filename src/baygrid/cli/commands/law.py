"""Commands of the law across the border: what it says of a transfer, what it asks, what has changed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from baygrid.cli.days import law_day
from baygrid.cli.errors import CliError, Flaw
from baygrid.cli.session import Session, command

if TYPE_CHECKING:
    from baygrid.core.law.decisions import Decision, Looked
    from baygrid.rulebooks.cross_border.lists import Lists
    from baygrid.rulebooks.cross_border.standing import Standing

Day = Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="The day; else today.")]
ListFile = Annotated[
    Path | None,
    typer.Option("--lists", metavar="FILE", help="Negative and white lists (YAML); else none is loaded."),
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(group, name="law", help="The law of data across the border: decisions with their articles.")
    command(group, "decide")(decide)
    command(group, "facts")(facts)
    command(group, "rules")(rules)
    command(group, "diff")(diff)
    command(group, "changes")(changes)


def decide(
    session: Session,
    facts: Annotated[
        str, typer.Argument(metavar="FACTS", help="What is known of the transfer (YAML); - is stdin.")
    ],
    as_of: Day = None,
    lists: ListFile = None,
) -> None:
    """Say what the law makes of a transfer on a day: outcome, ways that are open, what must be done, and each
    rule that was looked at. Not legal advice."""
    from baygrid.client.yamlfile import document_of, line_of, mistakes, text_of
    from baygrid.core.law.plan import NotLoaded
    from baygrid.core.reading import DocumentError
    from baygrid.rulebooks import cross_border

    name, _, text = text_of(facts, "file of facts")
    document, lines = document_of(name, text)
    try:
        decision = cross_border.decide_stated(document, law_day(as_of), _lists(lists))
    except DocumentError as error:
        flaws = [Flaw(it.path, it.message, line_of(it.path, it.message, lines)) for it in error.problems]
        raise mistakes(name, flaws) from None
    except NotLoaded as error:
        _not_loaded(error)
    if session.json:
        session.out.json(decision.to_json())
    else:
        _tell(session, decision)


def facts(session: Session) -> None:
    """List what the law may ask."""
    from baygrid.rulebooks.cross_border.book import facts as known

    found = [
        {"name": fact.name, "kind": fact.kind.value, "question": fact.question, "choices": [*fact.choices]}
        for fact in known()[0].values()
    ]
    session.out.show(
        found,
        ("fact", "kind", "question"),
        [[it["name"], ", ".join(it["choices"]) or it["kind"], it["question"]] for it in found],
        none="the law asks for nothing",
    )


def rules(session: Session, as_of: Day = None, lists: ListFile = None) -> None:
    """List rules in their order, ways, obligations and lists, as they stand on a day."""
    from baygrid.core.law.plan import NotLoaded
    from baygrid.rulebooks.cross_border.standing import standing

    try:
        found = standing(law_day(as_of), _lists(lists))
    except NotLoaded as error:
        _not_loaded(error)
    session.out.show(
        [_standing(it) for it in found],
        ("table", "kind", "name", "comes to", "if or what", "by"),
        [[it.table, it.kind, it.name, it.comes_to or "-", it.says, ", ".join(it.basis)] for it in found],
        none="no rule is in force",
    )


def diff(
    session: Session,
    before: Annotated[str, typer.Argument(metavar="DATE", help="The earlier day.")],
    after: Annotated[str, typer.Argument(metavar="DATE", help="The later day.")],
    lists: ListFile = None,
) -> None:
    """Show what the law has on one day and not on the other, and what it has differently."""
    from baygrid.core.law.plan import NotLoaded
    from baygrid.rulebooks.cross_border.standing import changes

    try:
        found = changes(law_day(before, "DATE"), law_day(after, "DATE"), _lists(lists))
    except NotLoaded as error:
        _not_loaded(error)
    sides = [(it.before, it.after, it.after or it.before) for it in found]
    session.out.show(
        [
            {
                "before": None if older is None else _standing(older),
                "after": None if newer is None else _standing(newer),
            }
            for older, newer, _ in sides
        ],
        ("table", "kind", "name", before, after),
        [
            [it.table, it.kind, it.name, _words(older), _words(newer)]
            for older, newer, it in sides
            if it is not None
        ],
        none="nothing has changed",
    )


def changes(
    session: Session,
    since: Annotated[str, typer.Option("--since", metavar="DATE", help="What was so on this day is known.")],
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="The last day, may be ahead; else today.")
    ] = None,
) -> None:
    """List what changed after a day in the law across the border and in public support: what stood and
    stands, whom it is for, what they have to do and by when. Not legal advice."""
    from baygrid.core.law.plan import NotLoaded
    from baygrid.rulebooks.changes import changes as changed
    from baygrid.rulebooks.things import all_books

    first, last = law_day(since, "--since"), law_day(until, "--until")
    if last < first:
        raise CliError(
            f"--until {last} is before --since {first}", code="bad-settings", cure="turn them round"
        )
    try:
        found = changed(all_books(), first, last)
    except NotLoaded as error:
        _not_loaded(error)
    session.out.show(
        [it.to_json() for it in found],
        ("since", "what", "before", "after", "article", "for", "to do", "by"),
        [
            [
                str(it.since),
                it.what,
                it.before or "-",
                it.after or "-",
                it.article,
                it.who,
                it.todo or "-",
                it.by or "-",
            ]
            for it in found
        ],
        none="nothing has changed",
    )


def _tell(session: Session, decision: "Decision") -> None:
    out = session.out
    by = f" by {decision.rule} ({', '.join(decision.basis)})" if decision.rule else ""
    out.line(f"{decision.outcome} on {decision.as_of}{by}")
    for what, names in (
        ("ask", decision.missing),
        ("open", decision.options),
        ("open if a person signs", decision.review),
        ("refused", (decision.refused,) if decision.refused else ()),
        ("note", decision.notes),
    ):
        if names:
            out.line(f"{what}: {', '.join(names)}")
    if decision.obligations:
        out.line()
        rows = [duty.to_json() for duty in decision.obligations]
        out.table(
            ("when", "for", "what must be done", "by", "basis"),
            [
                [
                    it["when"].replace("_", " "),
                    it["option"] or "-",
                    it["what"],
                    it["by"],
                    ", ".join(it["basis"]),
                ]
                for it in rows
            ],
        )
    if decision.trace:
        out.line()
        out.table(
            ("rule", "holds", "read", "if"),
            [[it.asked.id, _held(it), _read(it, decision) or "-", it.asked.says] for it in decision.trace],
        )
    out.note("what the law says by Baygrid's tables (docs/law.md); not legal advice")


def _held(looked: "Looked") -> str:
    return {True: "yes", False: "no", None: "unknown"}[looked.held]


def _read(looked: "Looked", decision: "Decision") -> str:
    """Facts, and the numbers and lists that they were compared with."""
    line = looked.to_json(decision.facts)
    facts = [f"{name} {_value(value)}" for name, value in line["read"].items()]
    law = [f"{name} {_value(it['value'])}" for name, it in line["against"].items()]
    return "; ".join(filter(None, (", ".join(facts), ", ".join(law))))


def _value(value: object) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _standing(it: "Standing") -> dict[str, Any]:
    return {
        "table": it.table,
        "kind": it.kind,
        "name": it.name,
        "says": it.says,
        "comes_to": it.comes_to,
        "basis": [*it.basis],
    }


def _words(it: "Standing | None") -> str:
    if it is None:
        return "-"
    comes_to = f"{it.comes_to}: " if it.comes_to else ""
    return f"{comes_to}{it.says} ({', '.join(it.basis)})"


def _lists(file: Path | None) -> "Lists":
    from baygrid.client.yamlfile import reading
    from baygrid.core.reading import DocumentError
    from baygrid.rulebooks.cross_border.lists import NONE, load_lists

    if file is None:
        return NONE
    try:
        with reading(str(file), "file of lists"):
            return load_lists(file.read_text(encoding="utf-8"))
    except DocumentError as error:
        flaws = [Flaw(it.path, it.message) for it in error.problems]
        raise CliError(f"{file}: {flaws[0]}", code="invalid", flaws=flaws) from None


def _not_loaded(error: Exception) -> NoReturn:
    raise CliError(str(error), code="not-loaded", cure="ask for a later day") from None
