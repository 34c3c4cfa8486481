"""The delta-sharing client, DuckDB and Polars as people install them, against a real server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from baygrid.app import contracts, recipients
from baygrid.core.data.terms import Terms
from baygrid.ports.reader import Format
from tests.api.sharing import CONSUMER, PROVIDER, Sharing
from tests.api.world import serving

SCRIPT = Path(__file__).parents[2] / "scripts" / "sharing.sh"
NOT_INSTALLED = 3  # scripts/sharing.sh says so
ROWS = pa.table(
    {
        "id": pa.array(range(30), pa.int64()),
        "区": ["南山" if n % 2 else "福田" for n in range(30)],
        "mm": [None if n == 3 else n / 4 for n in range(30)],
        "day": pa.array([20_000 + n for n in range(30)], pa.int32()).cast(pa.date32()),
        "at": pa.array([n * 1_000_000 for n in range(30)], pa.timestamp("us", "UTC")),
    }
)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def python() -> str:
    """Of the environment apart."""
    done = subprocess.run([SCRIPT, "install"], capture_output=True, text=True, timeout=600, check=False)
    if done.returncode == NOT_INSTALLED:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass
class Reader:
    world: Sharing
    address: str
    python: str

    def ask(self, *questions: tuple[str, dict[str, Any]], name: str = "anna") -> list[Any]:
        """The answers of a client that begins anew; [False, why] where one failed."""
        file = self.world.folder / f"{name}.share"
        if not file.exists():
            self.world.profile_file(name, self.address)
        asked = json.dumps([(what, {"profile": str(file), **given}) for what, given in questions])
        program = Path(__file__).with_name("real_client.py")
        done = subprocess.run(
            [self.python, program], input=asked, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        found: list[Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def reader(python: str, tmp_path: Path) -> Iterator[Reader]:
    world = Sharing(tmp_path)
    world.offer("rain", world.parquet("rain", ROWS))
    uri = world.delta("rides", ROWS.slice(0, 10))
    for start in (10, 20):
        world.delta("rides", ROWS.slice(start, 10), mode="append")
    world.offer("rides", uri, Format.DELTA)
    terms = Terms(filter="区 = '南山'", masks={"mm": "round(mm)"})
    world.share("demo/rain", "demo/rides", share="weather", terms=terms)
    with serving(world.app) as address, world.making():
        yield Reader(world, address, python)
    world.close()


def test_the_client_reads_what_may_be_seen(reader: Reader):
    rain: dict[str, Any] = {"table": "weather.demo.rain"}
    rides: dict[str, Any] = {"table": "weather.demo.rides"}
    leaves = [("column", "name", "id"), ("literal", "value", "10")]
    tree = {
        "op": "lessThan",
        "children": [{"op": op, name: value, "valueType": "long"} for op, name, value in leaves],
    }
    answers = reader.ask(
        ("lists", {}),
        ("metadata", rain),
        ("pandas", rain),
        ("pandas", rain | {"limit": 4}),
        ("pandas", {"table": "WEATHER.Demo.RAIN", "jsonPredicateHints": json.dumps(tree)}),
        ("pandas", rides),
        ("pandas", rides | {"version": 0}),
        ("pandas", rides | {"use_delta_format": True}),
        ("pandas", rides | {"convert_in_batches": True}),
        ("version", rides),
        ("version", rides | {"starting_timestamp": "1970-01-01T00:00:00Z"}),
        ("pandas", rides | {"version": 7}),
        ("pandas", {"table": "weather.demo.none"}),
    )
    wrong = [answer for ok, answer in answers[:-2] if not ok]
    assert not wrong, wrong
    lists, metadata, rain_, limited, hinted, newest, oldest, kernel, batches, now, first = (
        answer for _, answer in answers[:-2]
    )
    assert lists["shares"] == ["weather"]
    assert lists["schemas"] == [["weather", "demo"]]
    assert lists["tables"] == [["weather", "demo", "rain"], ["weather", "demo", "rides"]]
    names = ["id", "区", "mm", "day", "at"]
    assert [field["name"] for field in metadata["schema"]["fields"]] == names
    assert rain_["columns"] == names
    odd = list(range(1, 30, 2))
    assert [row[0] for row in rain_["data"]] == odd
    assert {row[1] for row in rain_["data"]} == {"南山"}
    assert [row[2] for row in rain_["data"]] == [None if n == 3 else float(round(n / 4)) for n in odd]
    assert [row[0] for row in limited["data"]] == odd[:4]
    assert [row[0] for row in hinted["data"]] == odd  # one file: a hint leaves out files
    assert sorted(row[0] for row in newest["data"]) == odd
    assert sorted(row[0] for row in oldest["data"]) == odd[:5]
    assert sorted(row[0] for row in kernel["data"]) == odd
    assert sorted(row[0] for row in batches["data"]) == odd
    assert (now, first) == (2, 0)
    for (ok, why), said in zip(
        answers[-2:], ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"), strict=True
    ):
        assert not ok
        assert said in why


def test_engines_read_the_addresses_by_ranges(reader: Reader):
    rain = {"table": "weather.demo.rain"}
    duckdb, polars = reader.ask(
        ("with_duckdb", rain | {"sql": "SELECT count(*), sum(id), min(区) FROM TABLE WHERE id > 4"}),
        ("with_polars", rain | {"columns": ["id", "区"]}),
    )
    assert duckdb == [True, [[13, sum(range(5, 30, 2)), "南山"]]]
    assert polars == [True, {"id": list(range(1, 30, 2)), "区": ["南山"] * 15}]


def test_whoever_lost_the_right_is_told_why(reader: Reader):
    rain = {"table": "weather.demo.rain"}
    (id,) = (row.id for row in reader.world.store.read(lambda tx: tx.contracts.of_consumer("other")))
    ((ok, _),) = reader.ask(("pandas", rain))
    assert ok
    contracts.suspend(reader.world.platform, PROVIDER, id, "a complaint is looked into")
    ((ok, why),) = reader.ask(("pandas", rain))
    assert not ok
    assert "PERMISSION_DENIED" in why
    assert "a complaint is looked" in why  # the client breaks lines
    recipients.revoke(reader.world.platform, CONSUMER, None, "anna")
    ((ok, why),) = reader.ask(("lists", {}))
    assert not ok
    assert "UNAUTHENTICATED" in why


def test_the_client_follows_changes(reader: Reader):
    uri = reader.world.delta("moves", ROWS.slice(0, 4))
    reader.world.share(
        reader.world.offer("moves", uri, Format.DELTA), share="moves", terms=Terms(("id", "mm"))
    )
    DeltaTable(uri.removeprefix("file://")).update(updates={"mm": "9"}, predicate="id = 2")
    DeltaTable(uri.removeprefix("file://")).delete("id = 1")
    moves: dict[str, Any] = {"table": "moves.demo.moves"}
    (whole_ok, whole), (some_ok, some), (kernel_ok, kernel) = reader.ask(
        ("changes", moves | {"starting_version": 0}),
        ("changes", moves | {"starting_version": 1, "ending_version": 1}),
        ("changes", moves | {"starting_version": 0, "use_delta_format": True}),
    )
    assert (whole_ok, some_ok) == (True, True), (whole, some)
    assert whole["columns"] == ["id", "mm", "_change_type", "_commit_version", "_commit_timestamp"]
    assert sorted((row[3], row[0], row[2]) for row in whole["data"]) == [
        *[(0, id, "insert") for id in range(4)],
        (1, 2, "update_postimage"),
        (1, 2, "update_preimage"),
        (2, 1, "delete"),
    ]
    assert {row[3] for row in some["data"]} == {1}
    assert kernel_ok, kernel
