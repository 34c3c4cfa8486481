"""Commands of the operator's placement policy."""

from typing import Annotated, Any

import typer

from baygrid.cli.errors import CliError, Flaw
from baygrid.cli.session import Session, command
from baygrid.cli.shapes import local

PolicyFile = Annotated[str, typer.Argument(metavar="FILE", help="The policy (YAML); - reads stdin.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(group, name="policy", help="Shares, queues with quotas, reservations, ratings, links.")
    command(group, "show")(show)
    command(group, "set")(set_)
    command(group, "history")(history)
    command(group, "check")(check)


def show(session: Session) -> None:
    """Show the policy in force, as a file that `policy set` takes."""
    found = session.client.get("/v1/policy")
    if session.json:
        session.out.json(found)
    elif found["id"] is None:
        session.out.note("nothing is declared: equal shares, no quotas")
    else:
        session.out.note(f"{found['id']}, since {local(found['valid_from'])}")
        print(_yaml(found["document"]), file=session.out.out)  # not wrapped: it is a file


def set_(
    session: Session,
    file: PolicyFile,
    valid_from: Annotated[
        str | None,
        typer.Option("--valid-from", metavar="TIME", help="For example 2026-12-01T00:00+08:00; else now."),
    ] = None,
) -> None:
    """Replace the policy. Nothing that runs is touched by it; what waits is placed by the new one."""
    from baygrid.client import yamlfile

    name, document, lines = _checked(file)
    body = {"document": document} | ({"valid_from": valid_from} if valid_from else {})
    try:
        made = session.client.send("PUT", "/v1/policy", json=body).json()
    except CliError as error:
        raise yamlfile.located(name, error, lines) from None
    if session.json:
        session.out.json(made)
    else:
        session.out.line(f"{made['id']} is in force from {local(made['valid_from'])}")


def history(session: Session) -> None:
    """List all policies, newest first; with --json, their documents too."""
    found = session.client.items("/v1/policy/history")
    session.out.show(
        found,
        ("policy", "from", "set at", "by", "declares"),
        [
            [p["id"], local(p["valid_from"]), local(p["set_at"]), p["set_by"], ", ".join(p["document"])]
            for p in found
        ],
        none="no policy was ever set",
    )


def check(session: Session, file: PolicyFile) -> None:
    """Check a policy file. Needs no server, so names are not compared with the region's."""
    name, document, _ = _checked(file)
    if session.json:
        session.out.json({"file": name, "document": document})
    else:
        session.out.line(f"{name} can be read: {', '.join(document) or 'it declares nothing'}")


def _checked(file: str) -> tuple[str, dict[str, Any], dict[str, int]]:
    """The name, the document as it will be kept, and the line of each of its fields. Raises CliError with all
    mistakes."""
    from baygrid.client.yamlfile import document_of, line_of, mistakes, text_of
    from baygrid.core.placement.policy_file import parse, to_document
    from baygrid.core.reading import DocumentError

    name, _, text = text_of(file, "policy file")
    document, lines = document_of(name, text)
    try:
        return name, to_document(parse(document)), lines
    except DocumentError as error:
        flaws = [Flaw(m.path, m.message, line_of(m.path, m.message, lines)) for m in error.problems]
        raise mistakes(name, flaws) from None


def _yaml(document: dict[str, Any]) -> str:
    import yaml

    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    return text.rstrip()
