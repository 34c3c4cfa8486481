"""What of a table a contract lets somebody see: these columns, these rows, some values behind masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

HASH: Final = "hash"
NULL: Final = "null"
"""Masks by name; any other is an SQL expression over the columns of the same row."""


class Mode(StrEnum):
    """ROWS: files and SQL show rows. AGGREGATE: only SQL, and only figures over at least `k` persons."""

    ROWS = "rows"
    AGGREGATE = "aggregate"


@dataclass(frozen=True, slots=True)
class Terms:
    """`columns` None: all of them. `filter`: an SQL condition over the table's own columns, true of the rows
    that are shared. `masks`: by column, HASH (salted by the contract), NULL, or an expression. `k`: of
    AGGREGATE."""

    columns: tuple[str, ...] | None = None
    filter: str | None = None
    masks: Mapping[str, str] = field(default_factory=dict)
    mode: Mode = Mode.ROWS
    k: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "columns": None if self.columns is None else list(self.columns),
            "filter": self.filter,
            "masks": dict(self.masks),
            "mode": self.mode.value,
            "k": self.k,
        }

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Terms:
        columns = document["columns"]
        return cls(
            None if columns is None else tuple(columns),
            document["filter"],
            dict(document["masks"]),
            Mode(document["mode"]),
            document["k"],
        )
