"""A job file from the disk: YAML with the line of every field, checked before anything is packed or sent."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from baygrid.cli.errors import CliError, Flaw
from baygrid.core.jobs.spec import JobSpec, SpecError, parse

MOST_BYTES: Final = 1024 * 1024
"""The server takes no larger document."""
_UNKNOWN: Final = re.compile(r"unknown field '([^']+)'")
_IN_BATCH: Final = re.compile(r"jobs\[([0-9]+)\]\.?")


@dataclass(frozen=True, slots=True)
class JobFile:
    """`document` is what is sent once its paths are blobs; `folder` is where its paths start."""

    name: str
    folder: Path
    document: dict[str, Any]
    spec: JobSpec
    lines: Mapping[str, int]


class _Loader(yaml.SafeLoader):
    """Safe YAML in which a word like `2026-12-01` stays text: the job file has no dates of YAML's own."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(file: str, *, project: str | None = None) -> JobFile:
    """Reads and checks a job file ("-" is stdin). `project` replaces the file's; where neither names one, the
    token's own is found later. Raises CliError with all mistakes."""
    name, folder, text = _text(file)
    document, lines = _document(name, text)
    complete = document
    if isinstance(document, dict):
        if project:
            document["project"] = project
        complete = {**document, "project": document.get("project") or "the-tokens-own"}
    try:
        spec = parse(complete)
    except SpecError as error:
        flaws = [Flaw(p.path, p.message, _line(p.path, p.message, lines)) for p in error.problems]
        raise _mistakes(name, flaws) from None
    assert isinstance(document, dict)  # parse refuses everything else
    return JobFile(name, folder, document, spec, lines)


def with_lines(files: Sequence[JobFile], error: CliError) -> CliError:
    """What the server found wrong with documents, with the files and lines in which it stands."""
    if not error.flaws:
        return error
    flaws = []
    for flaw in error.flaws:
        number, path = _split(flaw.path)
        file = files[number] if number < len(files) else files[0]
        message = f"{file.name}: {flaw.message}" if len(files) > 1 else flaw.message
        flaws.append(Flaw(path, message, _line(path, flaw.message, file.lines)))
    names = ", ".join(dict.fromkeys(file.name for file in files))
    title = f"{names}: {error.title}" if error.title else ""
    return CliError(
        error.detail, code=error.code, title=title, status=error.status, flaws=flaws, cure=error.cure
    )


def _split(path: str) -> tuple[int, str]:
    """The number of the job in its batch, and the path in its document."""
    match = _IN_BATCH.match(path)
    return (int(match[1]), path[match.end() :]) if match else (0, path)


def _text(file: str) -> tuple[str, Path, str]:
    if file == "-":
        return "stdin", Path.cwd(), sys.stdin.read(MOST_BYTES + 1)
    path = Path(file)
    try:
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8") if size <= MOST_BYTES else ""
    except FileNotFoundError:
        raise CliError(f"there is no job file {file}", code="no-file", cure="check the path") from None
    except UnicodeDecodeError:
        raise CliError(f"{file} is not UTF-8 text", code="invalid", cure="save it as UTF-8") from None
    except OSError as error:
        raise CliError(f"{file} cannot be read: {error.strerror}", code="no-file") from None
    if size > MOST_BYTES:
        raise CliError(
            f"{file} is larger than 1 MiB",
            code="too-large",
            cure="put the data into the workdir or into an input",
        )
    return path.name, path.parent, text


def _document(name: str, text: str) -> tuple[object, dict[str, int]]:
    """The document, and the line of every path in it."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return {}, {}
            lines: dict[str, int] = {}
            flaws: list[Flaw] = []
            _visit(node, "", lines, flaws, set())
            document = loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        said = " ".join(part for part in (error.context, error.problem) if part) or "cannot be read"
        raise _mistakes(
            name, [Flaw("", f"not valid YAML: {said}", mark.line + 1 if mark else None)]
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _mistakes(name, [Flaw("", f"not valid YAML: {error}")]) from None
    if flaws:
        raise _mistakes(name, flaws)
    return document, lines


def _visit(node: yaml.Node, path: str, lines: dict[str, int], flaws: list[Flaw], seen: set[int]) -> None:
    """Notes the line of each field; YAML itself would silently keep the last of two equal ones."""
    if id(node) in seen:
        return  # an alias: its lines are those of its anchor
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            lines[f"{path}[{number}]"] = item.start_mark.line + 1
            _visit(item, f"{path}[{number}]", lines, flaws, seen)
    elif isinstance(node, yaml.MappingNode):
        here: set[str] = set()
        for key, value in node.value:
            word = key.value if isinstance(key, yaml.ScalarNode) else "?"
            at = f"{path}.{word}" if path else word
            line = key.start_mark.line + 1
            if word in here and word != "<<":
                flaws.append(Flaw(at, "is written twice: take one out", line))
            here.add(word)
            lines.setdefault(at, line)
            _visit(value, at, lines, flaws, seen)


def _line(path: str, message: str, lines: Mapping[str, int]) -> int | None:
    """The line of a path, else of the part of the document that it is missing from."""
    unknown = _UNKNOWN.match(message)
    if unknown:
        named = f"{path}.{unknown[1]}" if path else unknown[1]
        if named in lines:
            return lines[named]
    while path:
        if path in lines:
            return lines[path]
        path = re.sub(r"(\.[^.\[]*|\[[^\]]*\]|^[^.\[]*)$", "", path)
    return None


def _mistakes(name: str, flaws: Sequence[Flaw]) -> CliError:
    return CliError(f"{name}: {flaws[0]}", code="invalid", title=f"{name} has mistakes", flaws=flaws)
