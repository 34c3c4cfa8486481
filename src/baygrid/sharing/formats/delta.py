"""Delta tables, read by deltalake: the log is copied beside the reader, data files are read where they lie.

A version's time is that of its commit's file, or what the commit itself says where the table has in-commit
timestamps (Delta's protocol, "In-Commit Timestamps").
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import pyarrow as pa

from baygrid.ports.reader import Look, ReadFailed
from baygrid.sharing.formats import files
from baygrid.sharing.formats.files import Part
from baygrid.sharing.places.place import Entry, Place, bring
from baygrid.sharing.types import columns_of

if TYPE_CHECKING:
    from deltalake import DeltaTable

LOG: Final = "_delta_log"
_COMMIT: Final = re.compile(rf"{LOG}/(\d{{20}})\.json")
_CHECKPOINT: Final = re.compile(
    rf"{LOG}/(\d{{20}})\.checkpoint(?:\.(\d{{10}})\.(\d{{10}})|\.[0-9a-f-]{{36}})?\.(parquet|json)"
)
_FEATURES: Final = frozenset({"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"})


class Delta:
    """Implements `Table`, at one version."""

    def __init__(self, place: Place, scratch: Path, version: int | None) -> None:
        """`scratch`: an empty folder, for copies of the log. Raises ReadFailed."""
        from deltalake.exceptions import DeltaError  # only here, as `_table`

        self.place, self.mirror = place, scratch / "log"
        self.log = Log(place)
        self.log.bring(self.mirror, self.log.wanted(version))
        try:
            self.table = _table(self.mirror, version)
            check_features(self.table)
            self.schema = pa.schema(self.table.schema().to_arrow())
            self._files = pa.table(self.table.get_add_actions(flatten=True)).sort_by("path")
        except (DeltaError, OSError) as error:
            raise ReadFailed(f"it cannot be read as a Delta table ({type(error).__name__})") from None
        self._look = self._looked()

    @property
    def look(self) -> Look:
        return self._look

    def batches(self, columns: Sequence[str]) -> pa.RecordBatchReader:
        chosen = set(columns) or {self.schema.names[0]}
        schema = pa.schema([each for each in self.schema if each.name in chosen])
        return files.stream(self.place, self._parts(), schema)

    def had_feed(self, version: int) -> bool:
        """Whether the change feed was on at another version. Raises ReadFailed."""
        beside = self.mirror.parent / f"log-{version}"
        self.log.bring(beside, self.log.wanted(version))
        return feed_is_on(_table(beside, version).metadata().configuration)

    def _parts(self) -> list[Part]:
        names = list(self.table.metadata().partition_columns)
        constants = [self._files[f"partition.{name}"].to_pylist() for name in names]
        return [
            Part(unquote(path), dict(zip(names, values, strict=True)))
            for path, *values in zip(self._files["path"].to_pylist(), *constants, strict=True)
        ]

    def _looked(self) -> Look:
        metadata, protocol = self.table.metadata(), self.table.protocol()
        counts = self._files["num_records"].to_pylist()
        configuration = dict(metadata.configuration)
        delta: Mapping[str, Any] = {
            "id": str(metadata.id),
            "partition_columns": list(metadata.partition_columns),
            "configuration": configuration,
            "change_feed": feed_is_on(configuration),
            "protocol": {
                "reader": protocol.min_reader_version,
                "writer": protocol.min_writer_version,
                "reader_features": list(protocol.reader_features or ()),
                "writer_features": list(protocol.writer_features or ()),
            },
            "made_at": {str(version): at for version, at in self.log.times(self.mirror).items()},
        }
        return Look(
            columns_of(self.schema),
            self.table.version(),
            f"{metadata.id}-{self.table.version()}",
            None if None in counts else sum(counts),
            delta,
        )


def _table(mirror: Path, version: int | None) -> DeltaTable:
    from deltalake import DeltaTable  # it starts threads, which a copy of the nursery would not have

    return DeltaTable(mirror, version=version)


def feed_is_on(configuration: Mapping[str, str | None]) -> bool:
    return (configuration.get("delta.enableChangeDataFeed") or "").lower() == "true"


def check_features(table: DeltaTable) -> None:
    """Raises ReadFailed for what is not read: rows that are deleted in a file beside, renamed columns."""
    wanted = set(table.protocol().reader_features or ()) - _FEATURES
    if table.metadata().configuration.get("delta.columnMapping.mode", "none") == "none":
        wanted.discard("columnMapping")
    else:
        wanted.add("columnMapping")
    if wanted:
        cure = (
            "write it anew without (for deletion vectors: REORG TABLE ... APPLY (PURGE), and switch them off)"
        )
        raise ReadFailed(f"its Delta table has {', '.join(sorted(wanted))}, which is not read: {cure}")


class Log:
    """Which commits and checkpoints a table has."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._commits: dict[int, Entry] = {}
        self._checkpoints: dict[int, list[Entry]] = {}
        self._sidecars: list[Entry] = []
        parts: dict[int, int] = {}
        for entry in place.entries(LOG):
            if match := _COMMIT.fullmatch(entry.path):
                self._commits[int(match[1])] = entry
            elif match := _CHECKPOINT.fullmatch(entry.path):
                self._checkpoints.setdefault(int(match[1]), []).append(entry)
                parts[int(match[1])] = int(match[3] or 1)
            elif entry.path.startswith(f"{LOG}/_sidecars/"):
                self._sidecars.append(entry)
        for version, needed in parts.items():
            if len(self._checkpoints[version]) < needed:
                del self._checkpoints[version]
        if not self._commits and not self._checkpoints:
            raise ReadFailed("there is no Delta table: its folder has no _delta_log")

    @property
    def newest(self) -> int:
        return max(self._commits.keys() | self._checkpoints.keys())

    @property
    def oldest(self) -> int:
        """The first that can still be read: logs are cleaned up behind a checkpoint."""
        return 0 if 0 in self._commits else min(self._checkpoints, default=0)

    def wanted(self, version: int | None) -> list[Entry]:
        """What tells a version: the newest checkpoint before it, and the commits since. Raises ReadFailed for
        one that is not there."""
        last = self.newest if version is None else version
        start = max((at for at in self._checkpoints if at <= last), default=0)
        commits = [entry for at, entry in sorted(self._commits.items()) if start <= at <= last]
        needed = range(start + 1, last + 1) if start in self._checkpoints else range(last + 1)
        if last > self.newest or any(at not in self._commits for at in needed):
            raise ReadFailed(f"it has no version {last}: it has those from {self.oldest} to {self.newest}")
        return [*self._checkpoints.get(start, ()), *self._sidecars, *commits]

    def bring(self, into: Path, entries: Sequence[Entry]) -> None:
        for entry in entries:
            copy = into / entry.path
            if not copy.exists():
                bring(self._place, entry.path, copy)
                os.utime(copy, ns=(entry.at * 1_000_000,) * 2)

    def times(self, brought: Path) -> dict[int, int]:
        """Milliseconds since 1970 by version, of all that can be read. They only grow, as the protocol
        has it: where a clock went back, a millisecond after the one before."""
        found: dict[int, int] = {}
        last = 0
        for version, entry in sorted(self._commits.items()):
            last = max(self._stated(brought / entry.path) or entry.at, last + 1)
            if version >= self.oldest:
                found[version] = last
        return found

    def actions(self, version: int, brought: Path) -> list[dict[str, Any]]:
        """What a commit says, as Delta's protocol writes it. Raises ReadFailed where it is gone."""
        entry = self._commits.get(version)
        if entry is None:
            raise ReadFailed(f"what version {version} changed is not known any more")
        self.bring(brought, [entry])
        with (brought / entry.path).open("rb") as lines:
            return [json.loads(line) for line in lines if line.strip()]

    @staticmethod
    def _stated(commit: Path) -> int | None:
        if not commit.exists():
            return None
        with commit.open("rb") as file:
            info = json.loads(file.readline() or b"{}").get("commitInfo", {})
        stated = info.get("inCommitTimestamp")
        return stated if isinstance(stated, int) else None
