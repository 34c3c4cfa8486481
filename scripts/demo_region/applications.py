"""The reference applications as jobs at all three centres: the same rows everywhere."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from scripts.demo.region import BIN, Region, expect
from scripts.demo_region.centres import CENTRES
from scripts.demo_region.jobs import Wanted
from scripts.demo_region.queue import Queue

ROWS: Final = {"images": "labels.parquet", "speech": "segments.parquet", "driving": "labels.parquet"}
"""Application: the file that must be the same wherever it ran."""
PICTURES: Final = {"images": "contact-sheet.png", "speech": "page.html", "driving": "map.html"}
KM: Final = "0.2"

NEAR: Final = 1e-4
"""By how much scores may differ: unlike processors round unlike."""


def _options(folder: Path) -> dict[str, list[str]]:
    return {"images": ["--count", "60"], "speech": [], "driving": ["--input", str(folder / "drive")]}


def prepare(region: Region, models: Path) -> None:
    """Each runs here once: its models are converted into the folder `models`, the synthetic drive written."""
    for name, options in _options(region.folder).items():
        out = region.folder / f"{name}-here"
        synthetic = ["--synthetic", KM] if name == "driving" else []
        command = [str(BIN / "baygrid"), "app", name, *options, *synthetic, "--output", str(out), "--json"]
        environment = region.environment() | {"BAYGRID_CACHE": str(models)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        expect(done.returncode == 0, f"{name}: {done.stderr}")


def jobs(folder: Path, models: Path) -> Iterator[Wanted]:
    """Each application at each centre; at the Ray centre on Ray."""
    for name, options in _options(folder).items():
        for one in CENTRES:
            engine = "ray" if one.engine == "ray" else "local"
            words = [
                "env",
                f"BAYGRID_CACHE={models}",
                str(BIN / "baygrid"),
                "app",
                name,
                *options,
                "--engine",
                engine,
                "--workers",
                "2",
            ]
            yield Wanted(
                f"{name}-{one.centre}",
                {
                    "run": f'{shlex.join(words)} --output "$BAYGRID_OUTPUTS/found"',
                    "outputs": {"found": f"{name}-{one.centre}"},
                    "resources": {"cpus": 2, "memory": 4},
                    "infra": one.centre,
                    "time": "10m",
                },
                frozenset({one.centre}),
            )


def compare(region: Region, queue: Queue, who: str, folder: Path) -> None:
    """Fetches what the jobs found. Raises Failed where one found something else, or has no picture of it."""
    table = []
    for name, file in ROWS.items():
        found = {}
        for one in CENTRES:
            into = folder / f"{name}-{one.centre}"
            region.run(who, "outputs", queue.id_of(into.name), "--to", str(into))
            (rows,) = into.rglob(file)
            (picture,) = into.rglob(PICTURES[name])
            expect(picture.stat().st_size > 0, f"{picture} is empty")
            found[one.centre] = pq.read_table(rows)
        first = found[CENTRES[0].centre]
        expect(first.num_rows > 0, f"{name} found nothing")
        for centre, other in list(found.items())[1:]:
            different = differences(first, other)
            expect(not different, f"{name} at {centre}: {different}")
        table.append([name, f"{first.num_rows:,}", ", ".join(found), "the same"])
    region.screen.table(["application", "rows", "centres", "rows are"], table, right=(1,))


def differences(one: pa.Table, other: pa.Table) -> str:
    """Where two tables differ by more than rounding; empty where they do not."""
    if one.schema != other.schema:
        return f"columns {one.schema} and {other.schema}"
    if one.num_rows != other.num_rows:
        return f"{one.num_rows} rows and {other.num_rows}"
    for number, (left, right) in enumerate(zip(one.to_pylist(), other.to_pylist(), strict=True)):
        if not _near(left, right):
            return f"row {number}: {left} and {right}"
    return ""


def _near(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return abs(left - right) <= NEAR * max(1.0, abs(left))
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_near, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_near(left[key], right[key]) for key in left)
    return bool(left == right)
