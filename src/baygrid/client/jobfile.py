"""A job file from the disk: YAML with the line of every field, checked before anything is packed or sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from baygrid.client.errors import BaygridError, Flaw
from baygrid.client.yamlfile import document_of, line_of, mistakes, text_of
from baygrid.core.jobs.spec import JobSpec, parse
from baygrid.core.reading import DocumentError

_IN_BATCH: Final = re.compile(r"jobs\[([0-9]+)\]\.?")


@dataclass(frozen=True, slots=True)
class JobFile:
    """`document` is what is sent once its paths are blobs; `folder` is where its paths start."""

    name: str
    folder: Path
    document: dict[str, Any]
    spec: JobSpec
    lines: Mapping[str, int]


def read(file: str, *, project: str | None = None, **fields: Any) -> JobFile:
    """Reads and checks a job file ("-" is stdin). `project` and `fields` replace the file's; where neither
    names a project, the token's own is found later. Raises BaygridError with all mistakes."""
    name, folder, text = text_of(file, "job file")
    document, lines = document_of(name, text)
    if isinstance(document, dict):
        document |= {**fields, **({"project": project} if project else {})}
    return _checked(name, folder, document, lines)


def of(document: Mapping[str, Any], folder: Path) -> JobFile:
    """A job file that is in no file; its paths start at `folder`. Raises BaygridError with all mistakes."""
    return _checked("the job", folder, dict(document), {})


def is_file(what: str) -> bool:
    """Whether this is meant as a job file, not as the id of a job."""
    return what == "-" or what.endswith((".yaml", ".yml", ".json")) or Path(what).exists()


def _checked(name: str, folder: Path, document: object, lines: Mapping[str, int]) -> JobFile:
    complete = document
    if isinstance(document, dict):
        complete = {**document, "project": document.get("project") or "the-tokens-own"}
    try:
        spec = parse(complete)
    except DocumentError as error:
        flaws = [Flaw(p.path, p.message, line_of(p.path, p.message, lines)) for p in error.problems]
        raise mistakes(name, flaws) from None
    assert isinstance(document, dict)  # parse refuses everything else
    return JobFile(name, folder, document, spec, lines)


def with_lines(files: Sequence[JobFile], error: BaygridError) -> BaygridError:
    """What the server found wrong with documents, with the files and lines in which it stands."""
    if not error.flaws:
        return error
    flaws = []
    for flaw in error.flaws:
        number, path = _split(flaw.path)
        file = files[number] if number < len(files) else files[0]
        message = f"{file.name}: {flaw.message}" if len(files) > 1 else flaw.message
        flaws.append(Flaw(path, message, line_of(path, flaw.message, file.lines)))
    names = ", ".join(dict.fromkeys(file.name for file in files))
    title = f"{names}: {error.title}" if error.title else ""
    return BaygridError(
        error.detail, code=error.code, title=title, status=error.status, flaws=flaws, cure=error.cure
    )


def _split(path: str) -> tuple[int, str]:
    """The number of the job in its batch, and the path in its document."""
    match = _IN_BATCH.match(path)
    return (int(match[1]), path[match.end() :]) if match else (0, path)
