"""The files a run leaves: labels as Parquet, its throughput as JSON. Each appears whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from baygrid.workloads.images.job import CENTRE_IMAGES_PER_HOUR, CENTRE_STATUS, Throughput
from baygrid.workloads.images.rows import Row

LABELS: Final = "labels.parquet"
CONTACT_SHEET: Final = "contact-sheet.png"
THROUGHPUT: Final = "throughput.json"

SCHEMA: Final = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        ("label", pa.string()),
        ("score", pa.float32()),
        ("class_index", pa.int16()),
        (
            "top5",
            pa.list_(
                pa.struct([("label", pa.string()), ("class_index", pa.int16()), ("score", pa.float32())])
            ),
        ),
        ("error", pa.string()),
    ]
)

ROWS_PER_GROUP: Final = 8192


class Labels:
    """Rows into a Parquet file, a group at a time; a run that fails leaves no file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._waiting: list[dict[str, Any]] = []

    def __enter__(self) -> Labels:
        self._writer = pq.ParquetWriter(self._part, SCHEMA, compression="zstd")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()
        if kind is None:
            self._part.replace(self._path)
        else:
            self._part.unlink()

    def write(self, rows: Iterable[Row]) -> None:
        self._waiting.extend(asdict(row) for row in rows)
        if len(self._waiting) >= ROWS_PER_GROUP:
            self._flush()

    def _flush(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._waiting, SCHEMA))
        self._waiting.clear()


def summary(throughput: Throughput) -> dict[str, Any]:
    """The throughput for programs; rates are images an hour, times seconds."""
    return {
        "workload": "images",
        "profile": "EfficientNet-Lite0 float32, ImageNet-1k, 224 x 224",
        "images_per_hour": round(throughput.rate_per_hour, 1),
        "classified": throughput.classified,
        **asdict(throughput),
        "share_of_centre": throughput.share_of_centre,
        "centre": {"images_per_hour": CENTRE_IMAGES_PER_HOUR, "pflops": 500, "status": CENTRE_STATUS},
    }


def write_throughput(path: Path, throughput: Throughput) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(summary(throughput), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    part.replace(path)
