"""`baygrid import`: job files of other systems."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command

if TYPE_CHECKING:
    from baygrid.core.jobs.importing.draft import Imported, Note


def register(app: typer.Typer) -> None:
    command(app, "import")(import_)


def import_(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A batch script or a task file; - is stdin.")],
    format: Annotated[
        str | None,
        typer.Option("--from", metavar="SYSTEM", help="sbatch, skypilot or dstack; else as it looks."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="A new file; else stdout.")
    ] = None,
) -> None:
    """Make a job file of an sbatch script, or of a task of SkyPilot or dstack.

    What could not be carried over stands with the reason in the first lines, and on stderr.
    """
    from baygrid.client.yamlfile import text_of

    name, _, text = text_of(file, "file")
    found, made = _converted(name, text, format)
    if session.json:
        session.out.json(_told(found, made))
    if out is not None:
        _save(out, _yaml(name, found, made))
    elif not session.json:
        session.out.out.write(_yaml(name, found, made))
    for what, notes in (("assumed", made.assumed), ("not carried over", made.left)):
        for note in notes:
            session.out.note(f"{what}: {_line(note)}")
    if out is not None:
        session.out.note(f"{out}: read it, then `baygrid explain {out}`")


def _converted(name: str, text: str, format: str | None) -> "tuple[str, Imported]":
    from baygrid.client.yamlfile import document_of
    from baygrid.core.jobs.importing import formats
    from baygrid.core.jobs.importing.draft import Unreadable

    if format is not None and format not in formats.FORMATS:
        raise typer.BadParameter(
            f"{format!r} is not one of {', '.join(formats.FORMATS)}", param_hint="--from"
        )
    stem = Path(name).name.partition(".")[0]
    try:
        if format == formats.SBATCH or (format is None and formats.looks_like_sbatch(text)):
            return formats.SBATCH, formats.of_script(text, stem)
        document, _ = document_of(name, text)
        return formats.of_document(document, stem, format)
    except Unreadable as error:
        raise CliError(
            f"{name} {error}",
            code="invalid",
            cure="say which system it is of with --from, or write a job file (docs/job-file.md)",
        ) from None


def _told(format: str, made: "Imported") -> dict[str, Any]:
    def notes(all: "tuple[Note, ...]") -> list[dict[str, Any]]:
        return [{"where": note.where, "line": note.line, "why": note.why} for note in all]

    return {
        "format": format,
        "document": dict(made.document),
        "left": notes(made.left),
        "assumed": notes(made.assumed),
    }


def _line(note: "Note") -> str:
    return f"{note.where}{f' (line {note.line})' if note.line else ''}: {note.why}"


def _yaml(name: str, format: str, made: "Imported") -> str:
    """The job file, under comments that say what it lacks."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Texts of several lines as they are read best."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    head = [f"Of {name} ({format}), by `baygrid import`."]
    for what, notes in (("Assumed:", made.assumed), ("Not carried over:", made.left)):
        head += [what, *(f"- {_line(note)}" for note in notes)] if notes else []
    comments = "".join(f"# {' '.join(line.split())}\n" for line in head)
    body = yaml.dump(dict(made.document), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    return comments + str(body)


def _save(out: Path, text: str) -> None:
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise CliError(
            f"there is a file {out} already", code="no-file", cure="name one that is not there yet"
        ) from None
