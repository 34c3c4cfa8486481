"""YAML as people write it: its document, and the line of every field, so that mistakes say where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import yaml

_BOOL, _INT, _TIMESTAMP = (f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "timestamp"))
_UNKNOWN: Final = re.compile(r"unknown field '([^']+)'")


@dataclass(frozen=True, slots=True)
class Fault:
    """`path` as of `core.reading.Problem`; `line` from 1, None where it is not known."""

    path: str
    message: str
    line: int | None = None


class BadYaml(ValueError):
    """A text that is no document."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(faults)
        self.faults = faults


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


def document_of(text: str) -> tuple[object, dict[str, int]]:
    """The document, and the line of every path in it. Raises BadYaml with all faults."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return {}, {}
            lines: dict[str, int] = {}
            faults: list[Fault] = []
            _visit(node, "", lines, faults, set())
            document = loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        said = " ".join(part for part in (error.context, error.problem) if part) or "cannot be read"
        raise BadYaml((Fault("", f"not valid YAML: {said}", mark.line + 1 if mark else None),)) from None
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError) as error:
        raise BadYaml((Fault("", f"not valid YAML: {error}"),)) from None
    if faults:
        raise BadYaml(tuple(faults))
    return document, lines


def _visit(node: yaml.Node, path: str, lines: dict[str, int], faults: list[Fault], seen: set[int]) -> None:
    """Notes the line of each field; YAML itself would silently keep the last of two equal ones."""
    if id(node) in seen:
        return  # an alias: its lines are those of its anchor
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            lines[f"{path}[{number}]"] = item.start_mark.line + 1
            _visit(item, f"{path}[{number}]", lines, faults, seen)
    elif isinstance(node, yaml.MappingNode):
        here: set[str] = set()
        for key, value in node.value:
            word = key.value if isinstance(key, yaml.ScalarNode) else "?"
            at = f"{path}.{word}" if path else word
            line = key.start_mark.line + 1
            if word in here and word != "<<":
                faults.append(Fault(at, "is written twice: take one out", line))
            here.add(word)
            lines.setdefault(at, line)
            _visit(value, at, lines, faults, seen)


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
