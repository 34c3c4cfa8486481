"""A table of 10,000,000 rows, shared with a row filter and masks: what reading it costs beside reading the
same rows directly.

The files are made by a real reader in processes of its own, read from disk, and served by a real server.
DuckDB, as people install it, reads them by signed addresses, with range requests, every one of which is
checked against contract and law; and beside that a Parquet file that it wrote itself of the same rows and
masks, on this disk. Warm: the files are made once, and both sides are read once before the clock starts.
"""

from __future__ import annotations

import json
import resource
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from baygrid.app.persons import salt_of
from baygrid.core.data.terms import Terms
from baygrid.ports.reader import Format, Source
from baygrid.sharing.shown import shown
from tests.api.sharing import Sharing
from tests.api.world import serving

ROWS, PERSONS, TIMES = 10_000_000, 2_000_000, 5
SCRIPT = Path(__file__).parents[1] / "scripts/sharing.sh"
READER = Path(__file__).with_name("peers") / "shared_reads.py"
TERMS = Terms(
    filter="region IN ('SZ', 'HK')",
    masks={"person": "hash", "amount": "round(amount / 10) * 10", "phone": "null"},
)
EVERY_COLUMN = (
    "SELECT count(*), max(id), max(person), max(region), round(sum(amount)), max(seen), max(phone), max(code)"
    " FROM TABLE"
)


def measure() -> dict[str, Any]:
    """Rows a second, and seconds."""
    installed = subprocess.run([SCRIPT, "install"], capture_output=True, text=True, check=True)
    with tempfile.TemporaryDirectory(prefix="baygrid-bench-") as folder:
        world = Sharing(Path(folder), apart=True)
        _source(world.data / "people.parquet")
        uri = f"file://{world.data}/people.parquet"
        world.offer("people", uri)
        contract = world.share("demo/people", share="city", terms=TERMS)
        row = world.store.read(lambda tx: tx.contracts.get(contract))
        assert row is not None
        salt = salt_of(world.platform, row)
        figures, files = _writing(world, Source(Format.PARQUET, uri), salt)
        with serving(world.app) as address, world.making():
            profile = world.profile_file("anna", address)
            kinds = {
                "by_http": {"profile": str(profile), "table": "city.demo.people"},
                "from_disk": {"files": [str(file) for file in files]},
                "directly": {"files": [str(_directly(world, uri, salt))]},
            }
            asked = json.dumps({"kinds": kinds, "sql": EVERY_COLUMN, "times": TIMES})
            done = subprocess.run(
                [installed.stdout.strip(), READER], input=asked, capture_output=True, text=True, check=True
            )
        world.close()
    seconds = {kind: median(times) for kind, times in json.loads(done.stdout).items()}
    rates = {f"{kind}_rows_per_s": round(figures["shown_rows"] / it) for kind, it in seconds.items()}
    return {
        "rows": ROWS,
        **figures,
        **rates,
        "by_http_over_directly": round(seconds["directly"] / seconds["by_http"], 3),
        "from_disk_over_directly": round(seconds["directly"] / seconds["from_disk"], 3),
    }


def _source(path: Path) -> None:
    """By DuckDB, as a lake has it; the same every time."""
    columns = (
        "i AS id",
        f"lpad((hash(i) % {PERSONS})::VARCHAR, 18, '4403051990') AS person",
        "['SZ', 'HK', 'GZ', 'ZH'][1 + (hash(i + 1) % 4)::INT] AS region",
        "(hash(i + 2) % 1000000) / 100.0 AS amount",
        "TIMESTAMP '2026-01-01' + to_seconds((hash(i + 3) % 31536000)::BIGINT) AS seen",
        "'138' || lpad((hash(i + 4) % 100000000)::VARCHAR, 8, '0') AS phone",
        "(hash(i + 5) % 1000)::INT AS code",
    )
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as database:
        rows = f"SELECT {', '.join(columns)} FROM range({ROWS}) t(i)"  # noqa: S608 - our own
        database.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")


def _writing(world: Sharing, source: Source, salt: bytes) -> tuple[dict[str, Any], list[Path]]:
    """What it costs to make the files, and to count whom they show."""
    began = time.perf_counter()
    files = world.files.write(source, TERMS, salt, world.folder / "once", None)
    wrote = time.perf_counter()
    persons = sum(len(piece) for piece in world.files.persons(source, TERMS, "person", b"key")) // 16
    counted = time.perf_counter()
    figures = {
        "shown_rows": sum(file.rows for file in files),
        "written_mib": sum(file.size for file in files) >> 20,
        "write_s": round(wrote - began, 1),
        "persons": persons,
        "persons_s": round(counted - wrote, 1),
        "most_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10,
    }
    return figures, [file.path for file in files]


def _directly(world: Sharing, uri: str, salt: bytes) -> Path:
    """The same rows and masks, written by DuckDB itself."""
    into = world.folder / "direct.parquet"
    columns = world.files.look(Source(Format.PARQUET, uri)).columns
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as database:
        select = shown(columns, TERMS, salt).select(f"read_parquet('{uri.removeprefix('file://')}')")
        database.execute(f"COPY ({select}) TO '{into}' (FORMAT parquet)")
    return into
