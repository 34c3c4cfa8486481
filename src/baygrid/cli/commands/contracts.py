"""Commands of contracts about data: asked for, talked about, agreed, and what the law wants of them."""

import hashlib
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command, group
from baygrid.cli.shapes import local, time_of

Id = Annotated[str, typer.Argument(metavar="CONTRACT")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="The other side reads it.")]
Table = Annotated[
    list[str] | None, typer.Option("--table", "-t", metavar="PROJECT/TABLE", help="May be repeated.")
]
TermsFile = Annotated[
    str | None,
    typer.Option("--terms", metavar="FILE", help="Columns, filter, masks, mode by table (YAML); - is stdin."),
]
Purpose = Annotated[str | None, typer.Option("--purpose", help="What the data are for.")]
Ground = Annotated[
    str | None, typer.Option("--ground", help="contract, hr, emergency, legal_duty or other (consent).")
]
Choice = Annotated[str | None, typer.Option("--choice", help="The route: sc, cert or gba_sc.")]
Onward = Annotated[bool | None, typer.Option("--onward/--no-onward", help="It may be passed on.")]
Scope = Annotated[
    str | None, typer.Option("--scope", help="Of a pilot institution's, the one that this is in.")
]
Fact = Annotated[
    list[str] | None, typer.Option("--fact", metavar="NAME=VALUE", help="What the law asks; may be repeated.")
]
From = Annotated[str | None, typer.Option("--from", metavar="TIME", help="Else when it is final.")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Else without end.")]


def register(app: typer.Typer) -> None:
    group(app, "contracts", contracts, "Show the contracts about data of which your project is one side.")
    verbs = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(verbs, name="contract", help="Ask for data, agree, record what the law wants, end it.")
    for name, function in (
        ("request", request), ("offer", offer), ("accept", accept), ("agree", agree), ("verify", verify),
        ("finalize", finalize), ("suspend", suspend), ("resume", resume), ("terminate", terminate),
        ("renew", renew), ("show", show), ("obligations", obligations), ("record", record),
        ("documents", documents), ("odrl", odrl),
    ):  # fmt: skip
        command(verbs, name)(function)
    group(
        app, "persons", persons, "Show how many persons an exporter has shown this year, and what is ahead."
    )


def contracts(session: Session, context: typer.Context) -> None:
    found = session.client.items("/v1/contracts")
    session.out.show(
        found,
        ("contract", "state", "share", "provider", "consumer", "tables", "until"),
        [
            [
                it["id"],
                "suspended" if it["suspended"] else it["state"],
                it["share"],
                it["provider"],
                it["consumer"],
                ", ".join(grant["table"].partition("/")[2] for grant in it["grants"]),
                local(it["until"]),
            ]
            for it in found
        ],
        none="no contracts: ask for a table with `baygrid contract request --table PROJECT/TABLE`",
    )


def request(
    session: Session,
    table: Table = None,
    terms: TermsFile = None,
    purpose: Purpose = None,
    ground: Ground = None,
    choice: Choice = None,
    onward: Onward = None,
    scope: Scope = None,
    fact: Fact = None,
    start: From = None,
    until: Until = None,
    project: Annotated[
        str | None, typer.Option("--project", "-p", help="That is to read; else the token's own.")
    ] = None,
    share: Annotated[
        str | None, typer.Option("--share", help="Its name for who reads; else the provider's.")
    ] = None,
    again: Annotated[
        str | None,
        typer.Option("--again", metavar="CONTRACT", help="Ask for something else than was offered."),
    ] = None,
) -> None:
    """Ask another project for tables. Open ones are had at once."""
    body = _wanted(table, terms, purpose, ground, choice, onward, scope, fact, start, until)
    if again is not None:
        _told(session, session.client.post(f"/v1/contracts/{again}/request", body))
        return
    body |= {key: value for key, value in (("project", project), ("share", share)) if value is not None}
    _told(session, session.client.post("/v1/contracts", body, key=str(uuid.uuid4())))


def offer(
    session: Session,
    id: Id,
    table: Table = None,
    terms: TermsFile = None,
    purpose: Purpose = None,
    ground: Ground = None,
    choice: Choice = None,
    onward: Onward = None,
    scope: Scope = None,
    fact: Fact = None,
    start: From = None,
    until: Until = None,
) -> None:
    """Offer tables under terms (provider). What is left out stays as it was asked for."""
    body = _wanted(table, terms, purpose, ground, choice, onward, scope, fact, start, until)
    _told(session, session.client.post(f"/v1/contracts/{id}/offer", body))


def accept(session: Session, id: Id) -> None:
    """Take what was offered (consumer)."""
    _step(session, id, "accept")


def agree(session: Session, id: Id) -> None:
    """Agree (provider). The law is asked: a fact that it lacks is named."""
    _step(session, id, "agree")


def verify(session: Session, id: Id) -> None:
    """Confirm what was agreed (consumer)."""
    _step(session, id, "verify")


def finalize(session: Session, id: Id) -> None:
    """Let it be read from now on (provider), once all that the law wants first is recorded."""
    _step(session, id, "finalize")


def suspend(session: Session, id: Id, reason: Reason) -> None:
    """Stop reading until you resume it; each side has its own suspension."""
    _step(session, id, "suspend", {"reason": reason})


def resume(session: Session, id: Id) -> None:
    """Lift your own suspension; else that of the platform, if the law lets it."""
    _step(session, id, "resume")


def terminate(session: Session, id: Id, reason: Reason) -> None:
    """End it, at once and for good."""
    _step(session, id, "terminate", {"reason": reason})


def renew(session: Session, id: Id, until: Until = None) -> None:
    """Ask for the same again, from the end of this contract on (consumer)."""
    body = {} if until is None else {"until": time_of(until)}
    _told(session, session.client.post(f"/v1/contracts/{id}/renew", body, key=str(uuid.uuid4())))


def show(session: Session, id: Id) -> None:
    """Show a contract: what is read under which terms, its steps, and why it cannot be read, if so."""
    found = session.client.get(f"/v1/contracts/{id}")
    if session.json:
        session.out.json(found)
        return
    out = session.out
    out.line(f"{found['id']}, share {found['share']}: {found['consumer']} reads of {found['provider']}")
    out.line(f"{found['state']}, from {local(found['from'])}" + _until(found["until"]))
    out.line(f"for {found['purpose']}")
    out.line("it can be read now" if found["why"] is None else f"it cannot be read: {found['why']['text']}")
    out.line(f"law of {found['law']['as_of']}: {found['law']['outcome']}, {', '.join(found['law']['basis'])}")
    for missing in found["law"]["missing"]:
        out.line(f"  not known: {missing}")
    out.table(("table", "columns", "rows", "masks", "mode"), [_terms(it) for it in found["grants"]])
    out.table(
        ("when", "step", "side", "by", "why"),
        [
            [local(it["at"]), it["step"], it["side"], it["by"], it["data"].get("reason", "")]
            for it in found["steps"]
        ],
    )


def _until(until: str | None) -> str:
    return ", without end" if until is None else f" until before {local(until)}"


def _terms(grant: dict[str, Any]) -> list[Any]:
    terms = grant["terms"]
    columns = "all" if terms["columns"] is None else ", ".join(terms["columns"])
    masks = ", ".join(f"{name}: {mask}" for name, mask in terms["masks"].items())
    mode = terms["mode"] if terms["mode"] == "rows" else f"figures over {terms['k']}"
    return [grant["table"], columns, terms["filter"] or "all", masks, mode]


def obligations(session: Session, id: Id) -> None:
    """Show what the law wants of a contract today, and what of it is recorded."""
    found = session.client.get(f"/v1/contracts/{id}")
    session.out.show(
        found["obligations"],
        ("obligation", "when", "recorded", "article", "says"),
        [[it["id"], _when(it), _recorded(it), it["article"], it["says"]] for it in found["obligations"]],
        none=f"{found['law']['outcome']}: nothing is to be done",
    )


def _when(it: dict[str, Any]) -> str:
    return "before the first byte" if it["first"] else it["due"] or "while it runs"


def _recorded(it: dict[str, Any]) -> str:
    record = it["record"]
    return "" if record is None else f"{record['day']} by {record['by']}"


def record(
    session: Session,
    id: Id,
    obligation: Annotated[
        str, typer.Argument(metavar="OBLIGATION", help="`contract obligations` lists them.")
    ],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="The person who answers for it.")],
    document: Annotated[
        Path | None, typer.Option("--document", metavar="FILE", help="Its SHA-256 is kept, not the file.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option("--reference", help="By which it is found, instead.")
    ] = None,
    day: Annotated[str | None, typer.Option("--day", metavar="DATE", help="It was done; else today.")] = None,
    note: Annotated[str, typer.Option("--note")] = "",
) -> None:
    """Record that an obligation was met: by whom, when, and where that is written."""
    from datetime import datetime

    body = {
        "obligation": obligation,
        "by": by,
        "day": day or datetime.now().astimezone().date().isoformat(),
        "note": note,
    }
    if document is not None:
        body["sha256"] = _digest(document)
    if reference is not None:
        body["reference"] = reference
    made = session.client.post(f"/v1/contracts/{id}/records", body)
    left = [it["id"] for it in made["obligations"] if it["first"] and it["record"] is None]
    rest = (
        f"; before the first byte is left: {', '.join(left)}"
        if left
        else "; nothing is left before the first byte"
    )
    session.out.answer(made, f"{id}: {obligation} is recorded{rest}")


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise CliError(
            f"cannot read {file}: {error.strerror}", code="no-file", cure="name the document's file"
        ) from None


def documents(
    session: Session,
    id: Id,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Made if it is not there.")],
) -> None:
    """Write drafts for counsel: impact assessment, annex of the route, checklist with its clocks."""
    found = session.client.get(f"/v1/contracts/{id}/documents")["files"]
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, text in found.items():
            (output / Path(name).name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CliError(
            f"cannot write to {output}: {error.strerror}", code="no-folder", cure="name another folder"
        ) from None
    session.out.answer(
        {"files": sorted(found)}, f"{output}: {', '.join(sorted(found))}; drafts, not legal advice"
    )


def odrl(session: Session, id: Id) -> None:
    """Print the contract as other dataspaces read it (Dataspace Protocol, ODRL)."""
    session.out.json(session.client.get(f"/v1/contracts/{id}/odrl"))


def persons(
    session: Session,
    context: typer.Context,
    organisation: Annotated[
        str | None, typer.Option("--organisation", "-o", help="Of an operator; else your own.")
    ] = None,
) -> None:
    found = session.client.get("/v1/persons", organisation=organisation)
    if session.json:
        session.out.json(found)
        return
    out = session.out
    out.line(f"{found['exporter']}, since {local(found['since'])}")
    out.table(
        ("persons", "not sensitive", "sensitive"),
        [[name, f"{found[name]['pi']:,}", f"{found[name]['spi']:,}"] for name in ("exposed", "observed")],
        right=("not sensitive", "sensitive"),
    )
    out.table(
        ("ahead", "threshold", "have", "near", "reached on"),
        [
            [
                "sensitive" if it["kind"] == "spi" else "not sensitive",
                f"{it['threshold']:,}",
                f"{it['persons']:,}",
                "yes" if it["near"] else "",
                it["day"] or "not this year",
            ]
            for it in found["ahead"]
        ],
        right=("threshold", "have"),
    )


def _step(session: Session, id: str, step: str, body: dict[str, Any] | None = None) -> None:
    _told(session, session.client.post(f"/v1/contracts/{id}/{step}", body))


def _told(session: Session, made: dict[str, Any]) -> None:
    why = "" if made["why"] is None else f"; it cannot be read yet: {made['why']['text']}"
    session.out.answer(made, f"{made['id']} is {made['state']}{why}")


def _wanted(
    tables: list[str] | None,
    terms: str | None,
    purpose: str | None,
    ground: str | None,
    choice: str | None,
    onward: bool | None,
    scope: str | None,
    facts: list[str] | None,
    start: str | None,
    until: str | None,
) -> dict[str, Any]:
    """The body of a request or an offer; what was not said is left out."""
    said = {
        "tables": _tables(tables, terms),
        "purpose": purpose,
        "ground": ground,
        "choice": choice,
        "onward": onward,
        "scope": scope,
        "facts": None if facts is None else dict(map(_fact, facts)),
        "from": time_of(start),
        "until": time_of(until),
    }
    return {name: value for name, value in said.items() if value is not None}


def _tables(tables: list[str] | None, file: str | None) -> dict[str, Any] | None:
    from baygrid.client.yamlfile import document_of, text_of

    found: dict[str, Any] = {ref: {} for ref in tables or []}
    if file is not None:
        name, _, text = text_of(file, "file of terms")
        document, _ = document_of(name, text)
        if not isinstance(document, dict):
            raise CliError(
                f"{name} has no terms",
                code="invalid",
                cure="write PROJECT/TABLE: and below it columns, filter, masks",
            )
        found |= document
    return found or None


def _fact(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r} says no value: write NAME=VALUE")
    return name, {"true": True, "false": False, "unknown": None}.get(value, value)
