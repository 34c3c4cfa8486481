"""Commands of figures in prose: what the numbers of a text are, and which of them cannot be so."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command

if TYPE_CHECKING:
    from baygrid.core.prose.found import Found
    from baygrid.core.prose.gazetteer import Named


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(group, name="figure", help="Figures and names in prose, and which of them cannot be so.")
    command(group, "read")(read)


def read(
    session: Session,
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="What to read; - is stdin.")] = None,
    lang: Annotated[
        str | None, typer.Option("--lang", metavar="LANG", help="ja, zh-Hans, zh-Hant or en.")
    ] = None,
    file: Annotated[str | None, typer.Option("--file", metavar="FILE", help="Read this instead.")] = None,
) -> None:
    """Read the figures of a text: value, unit, and for one that cannot be so its other readings, with the one
    that a source supports. Names of places are checked too. Without --lang the text must leave no doubt."""
    from baygrid.core.prose.gazetteer import names
    from baygrid.core.prose.reader import read as figures_of

    prose = _prose(text, file)
    found = figures_of(prose, _language(lang, prose))
    doubtful = [name for name in names(prose) if name.flag]
    if session.json:
        session.out.json({"figures": [*map(_figure, found)], "names": [*map(_name, doubtful)]})
        return
    if found:
        columns = ("text", "value", "unit", "flag", "what it may be")
        session.out.table(columns, [*map(_row, found)], right=("value",))
        session.out.out.flush()  # what is doubtful comes behind it, also where both go to one file
    else:
        session.out.note("there is no figure in this text")
    for figure in found:
        if figure.why:
            session.out.note(f"{figure.text}: {figure.why}")
        if figure.source:
            session.out.note(f"{figure.text}: {figure.source.original}: {figure.source.reference}")
    for name in doubtful:
        session.out.note(f"{name.text}: {name.why}: write {name.right}")


def _prose(text: str | None, file: str | None) -> str:
    if (text is None) == (file is None):
        raise CliError("say what to read", code="usage", cure="give a text, or --file FILE", exit_code=2)
    from baygrid.client.yamlfile import reading

    if file is not None:
        with reading(file, "file"):
            return Path(file).read_text(encoding="utf-8")
    if text == "-":
        with reading("stdin", "file"):
            return sys.stdin.read()
    return text or ""


def _language(lang: str | None, prose: str) -> str:
    from baygrid.core.prose.found import LANGUAGES
    from baygrid.core.prose.language import guess

    cure = f"say --lang with one of {', '.join(LANGUAGES)}"
    if lang is None:
        if guessed := guess(prose):
            return guessed
        raise CliError("this text may be in more than one language", code="no-language", cure=cure)
    if lang not in LANGUAGES:
        raise CliError(f"no figures are read in {lang!r}", code="no-language", cure=cure)
    return lang


def _figure(found: "Found") -> dict[str, Any]:
    from baygrid.core.prose.found import decimal, exactly

    source = found.source
    return {
        "text": found.text,
        "value": decimal(found.value),
        "unit": found.unit,
        "flag": found.flag,
        "suggestion": found.suggestion,
        "exact": exactly(found.value),
        "start": found.start,
        "part": found.part,
        "why": found.why,
        "note": found.note,
        "readings": [
            {"rule": it.rule, "value": decimal(it.value), "plausible": it.plausible} for it in found.readings
        ],
        "source": source
        and {
            "value": decimal(source.value),
            "unit": source.unit,
            "original": source.original,
            "reference": source.reference,
        },
    }


def _name(named: "Named") -> dict[str, Any]:
    return {
        "text": named.text,
        "flag": named.flag,
        "suggestion": named.right,
        "why": named.why,
        "id": named.entity.id,
        "start": named.start,
    }


def _row(found: "Found") -> list[str]:
    """The last cell: what a source says, then what others would read."""
    from baygrid.core.prose.found import decimal, exactly
    from baygrid.core.prose.units import shown

    value = exactly(found.value) or decimal(found.value)
    others = [f"{shown(decimal(it.value), found.unit)} by {it.rule}" for it in found.readings[1:]]
    known = [f"{found.suggestion} by its source"] if found.source else []
    part = f" ({found.part})" if found.part else ""
    return [found.text + part, value, found.unit or "", found.flag or "", "; ".join(known + others)]
