"""What a paper says, before it is a page: texts in its reader's language, in the order of reading."""

from __future__ import annotations

from dataclasses import dataclass

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """`figures`: to the right, as numbers are. `wide`: takes what room is left, and breaks its lines."""

    title: str
    figures: bool = False
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """`main`: what the paper is about."""

    label: str
    amount: str
    main: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """`mark`: what must not be overlooked, such as that it is a sample ("" for nothing)."""

    language: str
    title: str
    number: str
    page: str
    mark: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    sums: tuple[Sum, ...]
    notes: tuple[str, ...]
