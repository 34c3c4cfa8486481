"""What commits of a Delta table changed, row by row ("Change Data Files" of Delta's protocol): rows in files
of changes say themselves what happened to them; where a commit has none, the files that it added were
inserted, those that it removed deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

import pyarrow as pa

from baygrid.ports.reader import ReadFailed
from baygrid.sharing.formats import files
from baygrid.sharing.formats.delta import Delta, feed_is_on
from baygrid.sharing.formats.files import Part

CHANGE: Final = "_change_type"


class Feed:
    """Of a table that was opened at the last version that is asked for; rows have the columns of that one."""

    def __init__(self, table: Delta, first: int) -> None:
        """Raises ReadFailed where the feed was off at one of the versions, or is not known any more."""
        self._table = table
        known = table.log.times(table.mirror)
        self._first, last = first, table.look.version
        if first > last or first not in known:
            raise ReadFailed(
                f"it has no changes from version {first} to {last}: its versions begin at {table.log.oldest}"
            )
        self._check(last)

    def batches(self, version: int, columns: Sequence[str]) -> pa.RecordBatchReader | None:
        """The changed rows of one version, with `_change_type`; None: there are none."""
        parts = self._parts(version)
        if not parts:
            return None
        chosen = [each for each in self._table.schema if each.name in columns]
        return files.stream(self._table.place, parts, pa.schema([*chosen, pa.field(CHANGE, pa.string())]))

    def _parts(self, version: int) -> list[Part]:
        actions = self._table.log.actions(version, self._table.mirror)
        if changes := [each["cdc"] for each in actions if "cdc" in each]:
            return [self._part(each, {}) for each in changes]
        found = []
        for name, change in (("add", "insert"), ("remove", "delete")):
            mine = (each[name] for each in actions if name in each)
            found += [self._part(each, {CHANGE: change}) for each in mine if each.get("dataChange", True)]
        return sorted(found, key=lambda part: part.path)

    def _part(self, action: Mapping[str, Any], constants: Mapping[str, Any]) -> Part:
        if action.get("deletionVector"):
            raise ReadFailed("its Delta table has deletionVectors, which are not read")
        names = self._table.table.metadata().partition_columns
        values = action.get("partitionValues") or {}
        if missing := [name for name in names if name not in values]:
            raise ReadFailed(f"a commit does not say the {missing[0]} of its rows")
        return Part(
            unquote(action["path"]),
            {name: self._typed(name, values[name]) for name in names} | dict(constants),
        )

    def _typed(self, name: str, value: str | None) -> Any:
        """A partition's value, which the log has as text."""
        if value in (None, ""):
            return None
        return pa.scalar(value).cast(self._table.schema.field(name).type)

    def _check(self, last: int) -> None:
        on = self._table.had_feed(self._first)
        for version in range(self._first, last + 1):
            for action in self._table.log.actions(version, self._table.mirror):
                if "metaData" in action:
                    on = feed_is_on(action["metaData"].get("configuration", {}))
            if not on:
                raise ReadFailed(f"its change feed was off at version {version}: read its rows instead")
