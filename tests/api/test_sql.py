"""SQL over shared tables, over HTTP, with the real reader."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from baygrid.app import contracts
from baygrid.core.data.terms import Mode, Terms
from tests.api.sharing import HARMLESS, PROVIDER, Sharing

RAIN = pa.table(
    {
        "id": pa.array(range(100), pa.int64()),
        "place": ["SECRET" if n % 2 else "bay" for n in range(100)],
        "mm": pa.array([n * 10 for n in range(100)], pa.int32()),
    }
)
PATIENTS = pa.table(
    {"person": [f"p{n}" for n in range(30)], "ward": ["a"] * 20 + ["b"] * 9 + ["c"], "age": list(range(30))}
)


@dataclass
class Client:
    """A team of the project that reads."""

    world: Sharing
    http: TestClient

    def __call__(self, sql: str, who: str = "rival", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.world.secrets[who]}"} if who else {}
        return self.http.post("/v1/sql", json={"sql": sql, **more}, headers=headers)

    def rows(self, sql: str, **more: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        answer = self(sql, **more)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/vnd.apache.arrow.stream"
        batches: list[dict[str, Any]] = []
        said: dict[str, Any] = {}
        with pa.ipc.open_stream(io.BytesIO(answer.content)) as reader:
            for batch, metadata in reader.iter_batches_with_custom_metadata():
                batches += batch.to_pylist()
                said = said if metadata is None else json.loads(dict(metadata)[b"baygrid"])
        return batches, said

    def audit(self, kind: str) -> list[dict[str, Any]]:
        found = self.world.store.read(lambda tx: tx.audit.after(0, 10_000))
        return [dict(row.data) for row in found if row.kind == kind]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    world = Sharing(tmp_path_factory.mktemp("region"))
    rain = world.offer("rain", world.parquet("rain", RAIN))
    world.share(rain, share="weather", terms=Terms(("id", "place", "mm"), "place = 'bay'", {"mm": "mm / 10"}))
    labels = {"person": replace(HARMLESS, subject=True)}
    patients = world.offer("patients", world.parquet("patients", PATIENTS), labels=labels)
    figures = Terms(("ward", "age"), None, {}, Mode.AGGREGATE, 5)
    world.share(patients, share="wards", terms=figures)
    with TestClient(world.app, raise_server_exceptions=False) as http:
        yield Client(world, http)
    world.close()


def test_a_query_sees_what_the_contract_shows(client: Client) -> None:
    rows, said = client.rows(
        "SELECT count(*) AS n, max(mm) AS most, min(place) AS place FROM weather.demo.rain"
    )
    assert rows == [{"n": 50, "most": 98.0, "place": "bay"}]
    assert said == {"rows": 1, "more": False, "withheld": None}
    assert client.rows("SELECT id FROM rain WHERE id < 3 ORDER BY 1")[0] == [{"id": 0}, {"id": 2}]


def test_rows_are_bounded(client: Client) -> None:
    rows, said = client.rows("SELECT id FROM rain ORDER BY id", rows=2)
    assert rows == [{"id": 0}, {"id": 2}]
    assert said["more"] is True
    assert client("SELECT 1", rows=0).status_code == 422
    assert client("SELECT 1", rows=10**9).status_code == 422


def test_figures_only(client: Client) -> None:
    rows, said = client.rows("SELECT ward, count(*) AS n FROM patients GROUP BY ward ORDER BY ward")
    assert rows == [{"ward": "a", "n": 20}, {"ward": "b", "n": 9}]
    assert said["withheld"] is None  # one person is behind it: that there is a group is not told
    assert client.audit("query-answered")[-1]["withheld"] == 1
    assert client("SELECT ward FROM wards.demo.patients").status_code == 422


@pytest.mark.parametrize(
    ("sql", "status", "says"),
    [
        ("SELECT 1; SELECT 2", 422, "one query at a time"),
        ("SELECT * FROM read_csv('/etc/passwd')", 422, "read_csv"),
        ("SELECT * FROM nothing", 404, "there is no table nothing"),
        ("SELECT * FROM weather.other.rain", 404, "weather.other.rain"),
        ("SELECT bill FROM rain", 422, "bill"),
        ("SELECT CAST(place AS INT) FROM rain", 422, "bay"),
    ],
)
def test_what_is_wrong_is_a_problem(client: Client, sql: str, status: int, says: str) -> None:
    answer = client(sql)
    assert answer.status_code == status
    assert says in answer.json()["detail"]
    assert "SECRET" not in answer.text


def test_nobody_else_reads_it(client: Client) -> None:
    assert client("SELECT * FROM weather.demo.rain", who="team").status_code == 404
    assert client("SELECT * FROM rain", who="").status_code == 401
    assert client("SELECT * FROM rain", project="demo").status_code == 404


def test_a_name_of_two_tables_is_to_be_written_out(client: Client) -> None:
    client.world.share("demo/rain", share="again")
    answer = client("SELECT * FROM rain")
    assert answer.status_code == 422
    assert "again.demo.rain, weather.demo.rain" in answer.json()["detail"]
    assert client.rows("SELECT count(*) AS n FROM again.demo.rain")[0] == [{"n": 100}]
    both = "SELECT count(*) AS n FROM again.demo.rain a JOIN weather.demo.rain b USING (id)"
    assert client.rows(both)[0] == [{"n": 50}]
    ended = client.world.share("demo/rain", share="short")
    contracts.terminate(client.world.platform, PROVIDER, ended, "no more")
    assert client("SELECT * FROM short.demo.rain").status_code in (403, 404)


def test_the_audit_has_what_was_asked_and_how_much_was_answered(client: Client) -> None:
    client.rows("SELECT id FROM weather.demo.rain WHERE id IN (2, 4)")
    asked, answered = client.audit("query")[-1], client.audit("query-answered")[-1]
    assert asked["sql"] == "SELECT id FROM weather.demo.rain WHERE id IN (2, 4)"
    assert (answered["rows"], answered["sha256"]) == (2, asked["sha256"])
