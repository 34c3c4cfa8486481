"""A YAML file of the user's: its document, and the line of every field, so that mistakes say where."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import yaml

from baygrid.client.errors import BaygridError, Flaw

MOST_BYTES: Final = 1024 * 1024
"""The server takes no larger document."""
_BOOL, _INT, _TIMESTAMP = (f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "timestamp"))
_UNKNOWN: Final = re.compile(r"unknown field '([^']+)'")


class _Loader(yaml.SafeLoader):
    """Safe YAML in which `on`, `off`, `yes` and `no` are words, keys too: as in YAML 1.2 (its core schema,
    10.3.2) only true and false are truth values, and 10:30 is no number of base 60. `2026-12-01` is text,
    too, as files here have no dates of YAML's own, and so is 0100, which is 64 to some and 100 to others."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_BOOL, _INT, _TIMESTAMP)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile(r"(true|True|TRUE|false|False|FALSE)\Z"), list("tTfF"))
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*|0x[0-9a-fA-F]+)\Z")
_Loader.add_implicit_resolver(_INT, _WHOLE, list("-+0123456789"))


@contextmanager
def reading(file: str, what: str) -> Iterator[None]:
    """What may go wrong while a file of the user's is read in the block, as one clear error each."""
    try:
        yield
    except FileNotFoundError:
        raise BaygridError(f"there is no {what} {file}", code="no-file", cure="check the path") from None
    except UnicodeDecodeError:
        raise BaygridError(f"{file} is not UTF-8 text", code="invalid", cure="save it as UTF-8") from None
    except OSError as error:
        raise BaygridError(f"{file} cannot be read: {error.strerror}", code="no-file") from None


def text_of(file: str, what: str) -> tuple[str, Path, str]:
    """The file's name, its folder and its text ("-" is stdin). `what`: of a file that is not there."""
    if file == "-":
        text = sys.stdin.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise _too_large("stdin")
        return "stdin", Path.cwd(), text
    path = Path(file)
    with reading(file, what):
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8") if size <= MOST_BYTES else ""
    if size > MOST_BYTES:
        raise _too_large(file)
    return path.name, path.parent, text


def _too_large(name: str) -> BaygridError:
    cure = "keep the data of a job in its workdir or an input"
    return BaygridError(f"{name} is larger than 1 MiB", code="too-large", cure=cure)


def document_of(name: str, text: str) -> tuple[object, dict[str, int]]:
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
        raise mistakes(name, [Flaw("", f"not valid YAML: {said}", mark.line + 1 if mark else None)]) from None
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError) as error:
        raise mistakes(name, [Flaw("", f"not valid YAML: {error}")]) from None
    if flaws:
        raise mistakes(name, flaws)
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


def line_of(path: str, message: str, lines: Mapping[str, int]) -> int | None:
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


def located(name: str, error: BaygridError, lines: Mapping[str, int]) -> BaygridError:
    """What the server found wrong with a document, with the lines in which it stands."""
    if not error.flaws:
        return error
    return mistakes(name, [Flaw(f.path, f.message, line_of(f.path, f.message, lines)) for f in error.flaws])


def mistakes(name: str, flaws: Sequence[Flaw]) -> BaygridError:
    return BaygridError(f"{name}: {flaws[0]}", code="invalid", title=f"{name} has mistakes", flaws=flaws)
