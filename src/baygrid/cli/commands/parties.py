"""Commands of parties: what an operator has verified of organisations that share or get data."""

from typing import Annotated, Any

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command, group
from baygrid.cli.shapes import local


def register(app: typer.Typer) -> None:
    group(app, "parties", parties, "Show what is verified of the organisations that share or get data.")
    verbs = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(verbs, name="party", help="Set and show what is verified of an organisation.")
    command(verbs, "set")(set_)
    command(verbs, "show")(show)


def parties(session: Session, context: typer.Context) -> None:
    found = session.client.get("/v1/parties")["items"]
    session.out.show(
        found,
        ("organisation", "jurisdiction", "city", "pilot institution", "facts", "version", "since"),
        [
            [
                it["organisation"],
                it["facts"].get("jurisdiction", "not said"),
                it["facts"].get("city", ""),
                _pilot(it["pilot"]),
                len(it["facts"]),
                it["version"],
                local(it["made_at"]),
            ]
            for it in found
        ],
        right=("facts", "version"),
        none="nothing is verified yet: an operator does it with `baygrid party set FILE`",
    )


def _pilot(pilot: dict[str, Any] | None) -> str:
    return "" if pilot is None else f"{pilot['from']} to {pilot['until']}"


def set_(
    session: Session,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="organisation, facts and perhaps pilot (YAML); - is stdin.")
    ],
) -> None:
    """Set what is verified of an organisation, in the place of what was said before (operators).

    What is left out is unknown, and the law asks for it."""
    from baygrid.client.yamlfile import document_of, located, text_of

    name, _, text = text_of(file, "file of facts")
    document, lines = document_of(name, text)
    if not isinstance(document, dict) or not isinstance(document.get("organisation"), str):
        raise CliError(
            f"{name} does not say of which organisation it is",
            code="invalid",
            cure="begin it with `organisation: NAME`, then `facts:` and what is verified",
        )
    body = {key: value for key, value in document.items() if key != "organisation"}
    try:
        made = session.client.send("PUT", f"/v1/parties/{document['organisation']}", json=body).json()
    except CliError as error:
        raise located(name, error, lines) from None
    said = f"{len(made['facts'])} facts" + (", a pilot institution" if made["pilot"] else "")
    session.out.answer(made, f"{made['organisation']}: {said} (version {made['version']})")


def show(session: Session, organisation: Annotated[str, typer.Argument(metavar="ORGANISATION")]) -> None:
    """Show what is verified of an organisation."""
    found = [it for it in session.client.get("/v1/parties")["items"] if it["organisation"] == organisation]
    if not found:
        raise CliError(
            f"nothing is verified of {organisation!r}",
            code="not-found",
            cure="`baygrid parties` lists those of which you may see it",
        )
    if session.json:
        session.out.json(found[0])
        return
    session.out.line(f"{organisation}, version {found[0]['version']} of {local(found[0]['made_at'])}")
    for name, value in found[0]["facts"].items():
        session.out.line(f"  {name}: {_told(value)}")
    for name, value in (found[0]["pilot"] or {}).items():
        session.out.line(f"  pilot, {name}: {_told(value)}")


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "; ".join(value) if isinstance(value, list) else str(value)
