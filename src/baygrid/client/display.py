"""How what the client answers looks in a notebook: plain tables, every word escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from fractions import Fraction
from html import escape
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")


class Shown:
    """A dataclass that a notebook shows as a table of its fields; in a listing as a row of `COLUMNS`."""

    __slots__ = ()
    COLUMNS: ClassVar[tuple[str, ...]]

    def _repr_html_(self) -> str:
        names = [field.name for field in fields(self)]  # type: ignore[arg-type]
        known = [(name, value) for name in names if (value := getattr(self, name)) not in (None, "", ())]
        rows = "".join(f"<tr><th scope='row'>{_words(name)}</th>{_cell(value)}</tr>" for name, value in known)
        return f"<table><tbody>{rows}</tbody></table>"


class Listing(tuple[T, ...]):
    """A tuple that a notebook shows as a table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        if not self:
            return "<p>none</p>"
        columns = getattr(self[0], "COLUMNS", ())
        head = "".join(f"<th scope='col'>{_words(name)}</th>" for name in columns)
        rows = "".join(f"<tr>{''.join(_cell(getattr(item, name)) for name in columns)}</tr>" for item in self)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _words(name: str) -> str:
    return escape(name.rstrip("_").replace("_", " "))


def _cell(value: Any) -> str:
    if isinstance(value, Shown | Listing):
        return f"<td>{value._repr_html_()}</td>"
    return f"<td>{escape(_text(value))}</td>"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    if isinstance(value, Fraction):
        return f"{float(value):.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_text(each)}" for key, each in value.items())
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(map(_text, value))
    return str(value)
