"""Commands of papers: the close that issues them, invoices, settlements, claims, credit notes, statements."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from baygrid.cli.commands.bundles import of_claim, of_paper
from baygrid.cli.errors import CliError
from baygrid.cli.options import End, Number, Output, Start
from baygrid.cli.paper import show
from baygrid.cli.saving import save
from baygrid.cli.session import Session, command, group
from baygrid.cli.shapes import local, money, time_of

FORMATS = ("table", "json", "csv", "pdf", "beancount")

Project = Annotated[str | None, typer.Option("--project", "-p", help="Else the token's own; of all.")]
Centre = Annotated[str | None, typer.Option("--centre", "-c", help="Else the token's own; of all.")]
Pool = Annotated[str | None, typer.Option("--pool", help="Else of all.")]
InMonth = Annotated[str | None, typer.Option("--month", metavar="YYYY-MM", help="Of one month only.")]
Format = Annotated[
    str, typer.Option("--format", "-f", help="table, json, csv or pdf; of an invoice beancount.")
]
Language = Annotated[
    str, typer.Option("--language", metavar="LANGUAGE", help="Of csv and pdf: en, zh-Hans, zh-Hant or ja.")
]
Sample = Annotated[
    bool, typer.Option("--sample", help="The region's data is synthetic: a PDF says so on each page.")
]


def register(app: typer.Typer) -> None:
    command(app, "close")(close)
    command(app, "closes")(closes)
    nouns = group(app, "invoices", invoices, "List what projects are invoiced; show one.")
    command(nouns, "list")(list_invoices)
    command(nouns, "show")(showing("invoices", "Show an invoice, line by line."))
    command(nouns, "bundle")(of_paper("invoices"))
    nouns = group(
        app, "credit-notes", credit_notes, "List what was taken back of invoices; show, create one."
    )
    command(nouns, "list")(list_credit_notes)
    command(nouns, "show")(showing("credit-notes", "Show a credit note."))
    command(nouns, "bundle")(of_paper("credit-notes"))
    command(nouns, "create")(create_credit_note)
    nouns = group(app, "settlements", settlements, "List what centres earned; show one.")
    command(nouns, "list")(list_settlements)
    command(nouns, "show")(showing("settlements", "Show a settlement, charge by charge."))
    command(nouns, "bundle")(of_paper("settlements"))
    nouns = group(app, "claims", claims, "List what payers of vouchers are asked for; show one (operators).")
    command(nouns, "list")(list_claims)
    command(nouns, "show")(showing("claims", "Show a claim, share by share."))
    command(nouns, "bundle")(of_claim)
    command(app, "statement")(statement)


def close(
    session: Session,
    month: Annotated[str, typer.Argument(metavar="YYYY-MM", help="A month that is over (UTC+8).")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would issue.")] = False,
) -> None:
    """Close a month: its invoices, settlements and claims are issued, and it stays as it is."""
    done = session.client.post("/v1/closes", {"month": month, "dry_run": dry_run})
    if session.json:
        session.out.json(done)
        return
    _show(session, done["papers"], "nothing was used: it has no papers")
    for words in done["missing"]:
        session.out.note(words)
    at = done["closed_at"]
    session.out.line(f"{month} would be closed so" if at is None else f"{month} is closed since {local(at)}")


def closes(session: Session) -> None:
    """List the months that are closed (operators)."""
    found = session.client.get("/v1/closes")["items"]
    session.out.show(
        found,
        ("month", "closed"),
        [[it["month"], local(it["closed_at"])] for it in found],
        none="no month is closed yet: `baygrid close YYYY-MM`",
    )


def invoices(
    session: Session, context: typer.Context, project: Project = None, month: InMonth = None
) -> None:
    if not context.invoked_subcommand:
        list_invoices(session, project, month)


def list_invoices(session: Session, project: Project = None, month: InMonth = None) -> None:
    """List invoices."""
    _list(session, "invoices", month, project=project)


def credit_notes(
    session: Session, context: typer.Context, project: Project = None, month: InMonth = None
) -> None:
    if not context.invoked_subcommand:
        list_credit_notes(session, project, month)


def list_credit_notes(session: Session, project: Project = None, month: InMonth = None) -> None:
    """List credit notes."""
    _list(session, "credit-notes", month, project=project)


def create_credit_note(
    session: Session,
    invoice: Annotated[str, typer.Argument(metavar="INVOICE")],
    amount: Annotated[str, typer.Option("--amount", help='With its tax, such as "12.34 CNY".')],
    reason: Annotated[str, typer.Option("--reason", help="The credit note says it.")],
) -> None:
    """Take back part of an invoice (operators): never more than is left of it."""
    body = {"amount": amount, "reason": reason}
    path = f"/v1/invoices/{invoice}/credit-notes"
    made = session.client.post(path, body, key=str(uuid.uuid4()))
    document = made["document"]
    said = f"{document['forgiven']} of it is no longer due, {document['returned']} is the project's again"
    session.out.answer(made, f"credit note {made['number']} of invoice {invoice}: {said}")


def settlements(
    session: Session, context: typer.Context, centre: Centre = None, month: InMonth = None
) -> None:
    if not context.invoked_subcommand:
        list_settlements(session, centre, month)


def list_settlements(session: Session, centre: Centre = None, month: InMonth = None) -> None:
    """List settlements."""
    _list(session, "settlements", month, centre=centre)


def claims(session: Session, context: typer.Context, pool: Pool = None, month: InMonth = None) -> None:
    if not context.invoked_subcommand:
        list_claims(session, pool, month)


def list_claims(session: Session, pool: Pool = None, month: InMonth = None) -> None:
    """List claims."""
    _list(session, "claims", month, pool=pool)


def showing(noun: str, what: str) -> Callable[..., None]:
    """The command that shows a paper of a kind."""

    def show_paper(
        session: Session,
        number: Number,
        format: Format = "table",
        language: Language = "en",
        output: Output = None,
        sample: Sample = False,
    ) -> None:
        _one(session, f"/v1/{noun}/{number}", Look(format, language, output, sample))

    show_paper.__doc__ = what
    return show_paper


def statement(
    session: Session,
    project: Annotated[str | None, typer.Argument(metavar="PROJECT", help="Else the token's own.")] = None,
    start: Start = None,
    end: End = None,
    format: Format = "table",
    language: Language = "en",
    output: Output = None,
    sample: Sample = False,
) -> None:
    """Show how a project's money moved: what it may spend, and what it owes for invoices."""
    look = Look(format, language, output, sample)
    form, times = _form(session, look, FORMATS[:-1]), {"from": time_of(start), "to": time_of(end)}
    path = f"/v1/projects/{project or session.own_project()}/statement"
    if form in ("csv", "pdf"):
        _pages(session, path, look, **times)
        return
    found = session.client.get(path, **times)
    if form == "json":
        session.out.json(found)
        return

    def row(at: str, what: str, of: dict[str, Any]) -> list[str]:
        return [local(at) or "", what, money(of["prepaid"]), money(of["due"])]

    rows = [
        row(found["from"], "opening balance", found["opening"]),
        *(row(it["at"], it["what"], it) for it in found["movements"]),
        row(found["to"], "closing balance", found["closing"]),
    ]
    session.out.table(("at", "what", "prepaid", "due"), rows, ("prepaid", "due"))


def _list(session: Session, path: str, month: str | None, **subject: str | None) -> None:
    found = session.client.items(f"/v1/{path}", None, month=month, **subject)
    if session.json:
        session.out.json(found)
    else:
        _show(session, found, "there are none yet: a month's papers are issued when it is closed")


def _show(session: Session, papers: list[dict[str, Any]], none: str) -> None:
    amounts = ("total", "due", "left")
    session.out.show(
        papers,
        ("kind", "number", "of", *amounts, "issued"),
        [
            [
                it["kind"],
                it["number"],
                it["subject"],
                *(money(it[a]) for a in amounts),
                local(it["issued_at"]),
            ]
            for it in papers
        ],
        right=amounts,
        none=none,
    )


@dataclass(frozen=True)
class Look:
    """How a paper is wanted: `form` of `FORMATS`; a PDF in a language, marked as a sample or not."""

    form: str
    language: str
    output: Path | None
    sample: bool


def _one(session: Session, address: str, look: Look) -> None:
    form = _form(session, look, FORMATS if address.startswith("/v1/invoices/") else FORMATS[:-1])
    if form in ("csv", "pdf"):
        _pages(session, address, look)
    elif form == "beancount":
        save(session, session.client.send("GET", address, params={"format": form}).content, look.output)
    elif form == "json":
        session.out.json(session.client.get(address))
    else:
        show(session.out, session.client.get(address))


def _form(session: Session, look: Look, known: tuple[str, ...]) -> str:
    form = "json" if session.json else look.form
    if form not in known:
        raise typer.BadParameter(f"{form!r} is not one of {', '.join(known)}", param_hint="--format")
    if form == "pdf" and look.output is None:
        raise CliError("a PDF goes to a file", code="no-output", cure="say --output FILE")
    return form


def _pages(session: Session, address: str, look: Look, **params: str | None) -> None:
    query = {**params, "format": look.form, "language": look.language, "sample": look.sample or None}
    save(session, session.client.send("GET", f"{address}/pages", params=query).content, look.output)
