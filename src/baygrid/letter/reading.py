"""How the files of an issue are read: YAML in which all is text as it is written, and no field unknown."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError


class Unreadable(ValueError):
    """A file of an issue cannot be read; the message names it, what is wrong and the cure."""


class Raw(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


M = TypeVar("M", bound=Raw)


class _Text(yaml.CSafeLoader):
    """Every scalar is text; a key that stands twice is a mistake, of which YAML itself would say nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                line = node.start_mark.line + 1
                raise yaml.YAMLError(f"{key!r} is written twice in the mapping of line {line}: take one out")
        return super().construct_mapping(node, deep)


_Text.yaml_implicit_resolvers = {}


def read_yaml(path: Path) -> Any:
    """Raises Unreadable."""
    try:
        return yaml.load(read_text(path), _Text) or {}
    except yaml.YAMLError as error:
        raise Unreadable(f"{path.name} is not valid YAML: {' '.join(str(error).split())}") from None


def read_text(path: Path) -> str:
    """Raises Unreadable."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Unreadable(f"there is no {path}: an issue needs it") from None
    except UnicodeDecodeError:
        raise Unreadable(f"{path.name} is not UTF-8 text: save it as UTF-8") from None


def model(kind: type[M], document: object, name: str) -> M:
    """Raises Unreadable with the first mistake."""
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise Unreadable(f"{name}: {where}: {first['msg']}{more}") from None
