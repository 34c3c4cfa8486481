"""Answers of the protocol: one JSON object a line, in its parquet format or its delta format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from baygrid.api.delta.asked import ResponseFormat
from baygrid.ports.basics import Instant


@dataclass(frozen=True, slots=True)
class Metadata:
    """Of a table as one grant shows it. `version`: told where the client named one."""

    id: str
    name: str
    schema_string: str
    changes: bool
    version: int | None = None
    size: int | None = None
    files: int | None = None


@dataclass(frozen=True, slots=True)
class FileLine:
    """`kind`: file, add, remove or cdf. `version` and `at`: told where the client named a version, and of
    changes. `until`: when the address ends."""

    kind: str
    url: str
    id: str
    size: int
    stats: Mapping[str, Any] | None
    until: Instant
    version: int | None = None
    at: Instant | None = None


def ndjson(lines: Iterable[Any], version: int, headers: Mapping[str, str]) -> Response:
    content = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    return Response(
        content,
        media_type="application/x-ndjson; charset=utf-8",
        headers={"delta-table-version": str(version), **headers},
    )


def protocol(format: ResponseFormat) -> dict[str, Any]:
    """Nothing in what is shared needs a newer reader: no deletion vectors, no renamed columns. A change data
    feed is of writers of version 4."""
    if format is ResponseFormat.DELTA:
        return {"protocol": {"deltaProtocol": {"minReaderVersion": 1, "minWriterVersion": 4}}}
    return {"protocol": {"minReaderVersion": 1}}


def metadata(it: Metadata, format: ResponseFormat) -> dict[str, Any]:
    inner: dict[str, Any] = {
        "id": it.id,
        "name": it.name,
        "format": {"provider": "parquet"},
        "schemaString": it.schema_string,
        "partitionColumns": [],
        "configuration": {
            "delta.enableChangeDataFeed" if format is ResponseFormat.DELTA else "enableChangeDataFeed": "true"
        }
        if it.changes
        else {},
    }
    beside = _given({"version": it.version, "size": it.size, "numFiles": it.files})
    if format is ResponseFormat.DELTA:
        inner["format"]["options"] = {}
        return {"metaData": {"deltaMetadata": inner, **beside}}
    return {"metaData": {**inner, "accessModes": ["url"], **beside}}


def file(it: FileLine, format: ResponseFormat) -> dict[str, Any]:
    stats = None if it.stats is None else orjson.dumps(it.stats).decode()
    told = _given({"version": it.version, "timestamp": it.at, "expirationTimestamp": it.until})
    if format is ResponseFormat.PARQUET:
        inner = {
            "url": it.url,
            "id": it.id,
            "partitionValues": {},
            "size": it.size,
            **_given({"stats": stats}),
        }
        return {it.kind: {**inner, **told}}
    action = {"file": "add", "cdf": "cdc"}.get(it.kind, it.kind)
    inner = {"path": it.url, "partitionValues": {}, "size": it.size}
    if action == "add":
        inner |= {"modificationTime": it.at or 0, "dataChange": True, **_given({"stats": stats})}
    elif action == "remove":
        inner |= {"deletionTimestamp": it.at or 0, "dataChange": True, "extendedFileMetadata": True}
    else:
        inner["dataChange"] = False
    return {"file": {"id": it.id, "size": it.size, **told, "deltaSingleAction": {action: inner}}}


def end(next: str | None, until: Instant | None) -> dict[str, Any]:
    """The last line, for who asked for it."""
    return {"endStreamAction": _given({"nextPageToken": next, "minUrlExpirationTimestamp": until})}


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
