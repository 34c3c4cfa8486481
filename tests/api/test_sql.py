"""SQL over shared tables, over HTTP, with the real reader."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from baygrid.app import contracts, sql
from baygrid.app.contract_view import Contract
from baygrid.app.grants import ReadRefused
from baygrid.app.on_the_way import AGAIN_BYTES, AGAIN_MS
from baygrid.core.data.terms import Mode, Terms
from tests.api.sharing import CONSUMER, HARMLESS, PROVIDER, Sharing

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


def running(client: Client, share: str, rows: int, waits: Callable[[], bool]) -> tuple[Generator[bytes], str]:
    """A query over so many rows of a contract of its own, and that contract."""
    world = client.world
    long = world.offer(share, world.parquet(share, pa.table({"n": pa.array(range(rows), pa.int64())})))
    contract = world.share(long, share=share)
    return sql.query(
        world.platform, CONSUMER, None, f"SELECT n FROM {share}.demo.{share}", rows, waits
    ), contract


def test_what_ends_while_a_query_is_computed_is_not_answered(client: Client) -> None:
    def waits() -> bool:
        """Asked while the query runs: once it may, its contract ends."""
        begun = [it["sql"] for it in client.audit("query")]
        if not ended and "SELECT n FROM brief.demo.brief" in begun:
            ended.append(contracts.terminate(client.world.platform, PROVIDER, contract, "no more"))
        return True

    ended: list[Contract] = []
    pieces, contract = running(client, "brief", 10, waits)
    with pytest.raises(ReadRefused):
        next(pieces)
    assert ended
    answered = client.audit("query-answered")[-1]
    assert (answered["rows"], answered["cut"]) == (0, client.audit("read-refused")[-1]["reason"])


@pytest.mark.parametrize("later_ms", [0, AGAIN_MS])
def test_what_ends_while_an_answer_is_sent_breaks_it_off(client: Client, later_ms: int) -> None:
    rows = 4 * AGAIN_BYTES // 8
    pieces, contract = running(client, f"long{later_ms}", rows, lambda: True)
    sent = len(next(pieces))
    contracts.terminate(client.world.platform, PROVIDER, contract, "no more")
    client.world.clock.ahead_ms += later_ms
    more: list[int] = []
    with pytest.raises(ReadRefused, match="TERMINATED"):
        more.extend(map(len, pieces))
    assert not (later_ms and more)
    assert sent + sum(more) < 2 * AGAIN_BYTES
    answered = client.audit("query-answered")[-1]
    assert 0 < answered["rows"] < rows / 2
    assert answered["cut"] == client.audit("read-refused")[-1]["reason"]
