"""Delta Sharing's protocol (PROTOCOL.md), sentence by sentence where it binds a server, over HTTP."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from starlette.testclient import TestClient

from baygrid.core.data.terms import Mode, Terms
from baygrid.ports.reader import Format
from tests.api.sharing import Sharing

RAIN = pa.table(
    {
        "id": pa.array(range(100), pa.int64()),
        "区": ["南山" if n % 2 else "福田" for n in range(100)],
        "mm": [n / 4 for n in range(100)],
    }
)
TABLE = "/shares/weather/schemas/demo/tables/rain"
RIDES = "/shares/weather/schemas/demo/tables/rides"


@dataclass
class Client:
    """A recipient's."""

    world: Sharing
    http: TestClient
    token: str

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {
            "Authorization": f"Bearer {self.token}",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        return self.http.request(method, f"/delta-sharing{path}", json=body, headers=sent)

    def lines(self, path: str, body: Any = None, **headers: str) -> list[dict[str, Any]]:
        """Of a query or a GET that succeeds."""
        answer = self("GET" if body is None else "POST", path, body, **headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/x-ndjson; charset=utf-8"
        assert int(answer.headers["delta-table-version"]) >= 0
        return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    world = Sharing(tmp_path_factory.mktemp("region"))
    rain = world.offer("rain", world.parquet("rain", RAIN))
    uri = world.delta("rides", RAIN.slice(0, 10))
    for start in (10, 20):
        world.delta("rides", RAIN.slice(start, 10), mode="append")
    rides = world.offer("rides", uri, Format.DELTA)
    hidden = world.offer("hidden", world.parquet("hidden", RAIN))
    world.share(rain, rides, share="weather", terms=Terms(filter="id < 60"))
    world.share(rain, share="places", terms=Terms(("区",)))
    world.share(hidden, share="figures", terms=Terms(mode=Mode.AGGREGATE, k=10))
    with TestClient(world.app, base_url="http://test") as http, world.making():
        yield Client(world, http, world.profile("anna")["bearerToken"])
    world.close()


def everything(client: Client, path: str, most: int) -> list[Any]:
    """All pages of a list."""
    found, token = [], ""
    while True:
        answer = client("GET", f"{path}?maxResults={most}" + (f"&pageToken={token}" if token else "")).json()
        assert len(answer["items"]) <= most
        found += answer["items"]
        token = answer.get("nextPageToken", "")
        if not token:
            return found


def test_lists_have_what_the_recipient_may_read(client: Client):
    shares = client("GET", "/shares")
    assert shares.headers["content-type"].startswith("application/json")
    assert shares.json() == {"items": [{"name": "places"}, {"name": "weather"}]}
    assert client("GET", "/shares/weather").json() == {"share": {"name": "weather"}}
    assert client("GET", "/shares/weather/schemas").json() == {
        "items": [{"name": "demo", "share": "weather"}]
    }
    tables = client("GET", "/shares/weather/schemas/demo/tables").json()["items"]
    assert [(it["name"], it["schema"], it["share"]) for it in tables] == [
        ("rain", "demo", "weather"),
        ("rides", "demo", "weather"),
    ]
    assert all(it["accessModes"] == ["url"] for it in tables)
    assert client("GET", "/shares/weather/all-tables").json()["items"] == tables
    assert tables == client("GET", "/shares/weather/all-tables").json()["items"]  # ids stay


@pytest.mark.parametrize("path", ["/shares", "/shares/weather/all-tables"])
def test_lists_have_pages(client: Client, path: str):
    whole = client("GET", path).json()["items"]
    assert everything(client, path, 1) == whole
    assert len(whole) >= 2
    nothing = client("GET", f"{path}?maxResults=0").json()
    assert nothing["items"] == []
    after = client("GET", f"{path}?pageToken={nothing['nextPageToken']}").json()
    assert after["items"] == whole
    assert "nextPageToken" not in after


@pytest.mark.parametrize("query", ["maxResults=-1", "maxResults=x", "maxResults=2147483648", "pageToken=x"])
def test_a_page_that_is_none_is_malformed(client: Client, query: str):
    answer = client("GET", f"/shares?{query}")
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "INVALID_PARAMETER_VALUE"


def test_what_the_protocol_does_not_know_is_passed_over(client: Client):
    assert client("GET", "/shares?tomorrow=1").status_code == 200
    assert client.lines(f"{TABLE}/query", {"tomorrow": {"a": 1}})
    assert client.lines(f"{TABLE}/metadata?tomorrow=1")


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/shares/none", "share 'none'"),
        ("/shares/none/schemas", "share 'none'"),
        ("/shares/weather/schemas/none/tables", "schema 'none'"),
        ("/shares/weather/schemas/demo/tables/none/version", "weather.demo.none"),
        ("/shares/weather/schemas/demo/tables/none/metadata", "weather.demo.none"),
        ("/shares/figures/schemas/demo/tables/none/metadata", "figures.demo.none"),
        ("/none", "nothing at"),
    ],
)
def test_what_is_not_there_does_not_exist(client: Client, path: str, what: str):
    answer = client("GET", path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"errorCode", "message"}
    assert answer.json()["errorCode"] == "RESOURCE_DOES_NOT_EXIST"
    assert what in answer.json()["message"]


def test_figures_are_no_table(client: Client):
    answer = client("POST", "/shares/figures/schemas/demo/tables/hidden/query", {})
    assert answer.status_code == 403
    assert answer.json()["errorCode"] == "PERMISSION_DENIED"
    assert "SQL" in answer.json()["message"]


@pytest.mark.parametrize("token", ["", "x", "bgs_" + "0" * 32])
def test_a_token_that_is_none_is_unauthenticated(client: Client, token: str):
    answer = client.http.get("/delta-sharing/shares", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.json()["errorCode"] == "UNAUTHENTICATED"


def test_a_team_s_token_reads_no_share(client: Client):
    for who in ("team", "rival", "operator"):
        answer = client.http.get("/delta-sharing/shares", headers=client.world.headers(who))
        assert answer.status_code == 401


@pytest.mark.parametrize("name", ["Weather/schemas/DEMO/tables/Rain", "WEATHER/schemas/demo/tables/RAIN"])
def test_names_ignore_case(client: Client, name: str):
    answer = client("GET", f"/shares/{name}/version")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["delta-table-version"] == "0"


def test_a_share_has_only_its_columns(client: Client):
    lines = client.lines("/shares/places/schemas/demo/tables/rain/metadata")
    assert [field["name"] for field in json.loads(lines[1]["metaData"]["schemaString"])["fields"]] == ["区"]


def test_the_version_is_the_newest(client: Client):
    assert client("GET", f"{RIDES}/version").headers["delta-table-version"] == "2"
    assert client("HEAD", RIDES).headers["delta-table-version"] == "2"


def test_a_version_is_the_earliest_at_or_after_a_time(client: Client):
    def ask(at: str) -> Any:
        return client("GET", f"{RIDES}/version?startingTimestamp={at}")

    assert ask("1970-01-01T00:00:00Z").headers["delta-table-version"] == "0"
    for wrong in ("2100-01-01T00:00:00Z", "yesterday", "2026-01-01T00:00:00"):
        assert ask(wrong).status_code == 400
    assert "startingTimestamp" in ask("yesterday").json()["message"]


def test_metadata_is_two_lines(client: Client):
    protocol, metadata = client.lines(f"{RIDES}/metadata")
    assert protocol == {"protocol": {"minReaderVersion": 1}}
    told = metadata["metaData"]
    assert told["format"] == {"provider": "parquet"}
    assert told["partitionColumns"] == []
    assert told["configuration"] == {"enableChangeDataFeed": "true"}
    assert "version" not in told
    assert json.loads(told["schemaString"]) == {
        "type": "struct",
        "fields": [
            {"name": "id", "type": "long", "nullable": True, "metadata": {}},
            {"name": "区", "type": "string", "nullable": True, "metadata": {}},
            {"name": "mm", "type": "double", "nullable": True, "metadata": {}},
        ],
    }
    assert client.lines(f"{RIDES}/metadata?version=1")[1]["metaData"]["version"] == 1
    for wrong in (
        "version=9",
        "version=-1",
        "version=x",
        "timestamp=x",
        "version=0&timestamp=2026-01-01T00:00:00Z",
    ):
        assert client("GET", f"{RIDES}/metadata?{wrong}").status_code == 400


def rows(client: Client, lines: list[dict[str, Any]], kind: str = "file") -> list[int]:
    """The ids of all rows of the files."""
    found: list[int] = []
    for line in lines[2:]:
        content = client.http.get(line[kind]["url"]).content
        assert len(content) == line[kind]["size"]
        found += pq.read_table(io.BytesIO(content))["id"].to_pylist()
    return sorted(found)


def test_a_query_gives_files_of_what_may_be_seen(client: Client):
    lines = client.lines(f"{TABLE}/query", {})
    assert [list(line) for line in lines] == [["protocol"], ["metaData"], ["file"]]
    told = lines[2]["file"]
    assert told.keys() == {"url", "id", "partitionValues", "size", "stats", "expirationTimestamp"}
    assert told["partitionValues"] == {}
    assert json.loads(told["stats"])["numRecords"] == 60
    assert rows(client, lines) == list(range(60))
    again = client.lines(f"{TABLE}/query", {})[2]["file"]
    assert again["id"] == told["id"]
    assert again["expirationTimestamp"] - client.world.clock() <= 3_600_000


def test_an_empty_body_asks_for_everything(client: Client):
    answer = client.http.post(
        f"/delta-sharing{TABLE}/query", headers={"Authorization": f"Bearer {client.token}"}
    )
    assert len(answer.text.splitlines()) == 3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "MALFORMED_REQUEST"),
        (b"[]", "MALFORMED_REQUEST"),
        (b'{"limitHint": -1}', "INVALID_PARAMETER_VALUE"),
        (b'{"version": 1, "timestamp": "2026-01-01T00:00:00Z"}', "INVALID_PARAMETER_VALUE"),
        (b'{"version": 9}', "INVALID_PARAMETER_VALUE"),
        (b'{"timestamp": "1970-01-01T00:00:00Z"}', "INVALID_PARAMETER_VALUE"),
        (b'{"startingVersion": 0}', "INVALID_PARAMETER_VALUE"),
        (b'{"pageToken": "x"}', "INVALID_PARAMETER_VALUE"),
        (b'{"maxFiles": 0}', "INVALID_PARAMETER_VALUE"),
    ],
)
def test_a_query_that_cannot_be_is_refused(client: Client, body: bytes, code: str):
    answer = client.http.post(
        f"/delta-sharing{TABLE}/query", content=body, headers={"Authorization": f"Bearer {client.token}"}
    )
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == code


def test_a_query_is_of_a_version_or_a_time(client: Client):
    assert rows(client, client.lines(f"{RIDES}/query", {})) == list(range(30))
    for version in range(3):
        lines = client.lines(f"{RIDES}/query", {"version": version})
        assert rows(client, lines) == list(range(10 * version + 10))
        assert lines[1]["metaData"]["version"] == version
        assert {line["file"]["version"] for line in lines[2:]} == {version}
        (at,) = {line["file"]["timestamp"] for line in lines[2:]}
        text = f"{pa.scalar(at, pa.timestamp('ms', 'UTC')).as_py().isoformat()}"
        assert rows(client, client.lines(f"{RIDES}/query", {"timestamp": text})) == rows(client, lines)
        answer = client("POST", f"{RIDES}/query", {"version": version})
        assert answer.headers["delta-table-version"] == str(version)
    assert rows(client, client.lines(f"{RIDES}/query", {"timestamp": "2100-01-01T00:00:00Z"})) == list(
        range(30)
    )


def test_hints_leave_out_files_and_never_decide(client: Client):
    def files(**hints: Any) -> int:
        return len(client.lines(f"{RIDES}/query", hints)) - 2

    tree = {
        "op": "equal",
        "children": [
            {"op": "column", "name": "ID", "valueType": "long"},
            {"op": "literal", "value": "77", "valueType": "long"},
        ],
    }
    assert files(predicateHints=["id > 40"]) == 0
    assert files(predicateHints=["id > 20", "nonsense ("]) == 1
    assert files(jsonPredicateHints=json.dumps(tree)) == 0
    assert files(jsonPredicateHints="{") == 1
    assert files(limitHint=0) == 0
    assert files(limitHint=5) == 1


def test_pages_of_files_are_one_answer(client: Client):
    body: dict[str, Any] = {"maxFiles": 1}
    lines = client.lines(f"{RIDES}/query", body)
    end = lines.pop()["endStreamAction"]
    assert end.keys() == {"minUrlExpirationTimestamp"}  # there is one file only
    assert rows(client, lines) == list(range(30))


def test_the_end_of_the_stream_is_told_to_who_asks(client: Client):
    asks = {"delta_sharing_capabilities": "responseformat=parquet;includeEndStreamAction=true"}
    answer = client("POST", f"{TABLE}/query", {}, **asks)
    assert "includeendstreamaction=true" in answer.headers["delta-sharing-capabilities"]
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert (
        lines[-1]["endStreamAction"]["minUrlExpirationTimestamp"] == lines[2]["file"]["expirationTimestamp"]
    )
    plain = client("POST", f"{TABLE}/query", {})
    assert plain.headers["delta-sharing-capabilities"] == "responseformat=parquet"
    assert "endStreamAction" not in plain.text


def test_the_response_format_is_the_one_that_was_asked_for(client: Client):
    for said, found in (
        ("responseformat=delta", "delta"),
        ("responseformat=delta,parquet;readerfeatures=deletionvectors", "parquet"),
        ("responseFormat=PARQUET", "parquet"),
    ):
        for answer in (
            client("GET", f"{TABLE}/metadata", delta_sharing_capabilities=said),
            client("POST", f"{TABLE}/query", {}, delta_sharing_capabilities=said),
        ):
            assert f"responseformat={found}" in answer.headers["delta-sharing-capabilities"]
            assert ("deltaProtocol" in answer.text) == (found == "delta")
    wrong = client("GET", f"{TABLE}/metadata", delta_sharing_capabilities="responseformat=arrow")
    assert wrong.status_code == 400


def test_a_file_s_id_is_of_a_scheme(client: Client):
    for said in ("parquet", "Delta"):
        answers = [client("POST", f"{TABLE}/query", {}, fileidhash=said) for _ in range(2)]
        assert {answer.headers["fileidhash"] for answer in answers} == {said.lower()}
        assert len({json.loads(answer.text.splitlines()[2])["file"]["id"] for answer in answers}) == 1
    assert "fileidhash" not in client("POST", f"{TABLE}/query", {}).headers
    assert client("POST", f"{TABLE}/query", {}, fileidhash="sha1").status_code == 400


def test_a_table_without_a_feed_tells_no_changes(client: Client):
    answer = client("GET", f"{TABLE}/changes?startingVersion=0")
    assert answer.status_code == 400
    assert "change data feed" in answer.json()["message"]
    assert client("GET", f"{RIDES}/changes").status_code == 400


def changed(client: Client, lines: list[dict[str, Any]]) -> list[tuple[int, str, int, str]]:
    """(version, kind of line, id, what happened)."""
    found: list[tuple[int, str, int, str]] = []
    for line in lines[2:]:
        ((kind, told),) = line.items()
        assert told.keys() >= {"url", "id", "partitionValues", "size", "timestamp", "version"}
        table = pq.read_table(io.BytesIO(client.http.get(told["url"]).content))
        found += [(told["version"], kind, row["id"], row["_change_type"]) for row in table.to_pylist()]
    return sorted(found)


@pytest.fixture(scope="module")
def moving(client: Client) -> str:
    """A table of which rows came, changed, left the filter and were deleted; its path."""
    world = client.world
    uri = world.delta("moves", RAIN.slice(0, 4))
    table = world.offer("moves", uri, Format.DELTA)
    world.share(table, share="moves", terms=Terms(("id", "mm"), "mm < 100"))
    for updates, predicate in (({"mm": "50"}, "id = 1"), ({"mm": "500"}, "id = 2")):
        DeltaTable(uri.removeprefix("file://")).update(updates=updates, predicate=predicate)
    DeltaTable(uri.removeprefix("file://")).delete("id = 3")
    return "/shares/moves/schemas/demo/tables/moves"


def test_changes_are_told_row_by_row(client: Client, moving: str):
    lines = client.lines(f"{moving}/changes?startingVersion=0")
    assert [list(line) for line in lines[:2]] == [["protocol"], ["metaData"]]
    assert changed(client, lines) == [
        *[(0, "cdf", id, "insert") for id in range(4)],
        (1, "cdf", 1, "update_postimage"),
        (1, "cdf", 1, "update_preimage"),
        (2, "cdf", 2, "delete"),  # it left the filter
        (3, "cdf", 3, "delete"),
    ]
    answer = client("GET", f"{moving}/changes?startingVersion=1&endingVersion=2")
    assert answer.headers["delta-table-version"] == "1"
    found = changed(client, [json.loads(line) for line in answer.text.splitlines()])
    assert {version for version, *_ in found} == {1, 2}
    whole = client.lines(
        f"{moving}/changes?startingTimestamp=1970-01-01T00:00:00Z&endingTimestamp=2100-01-01T00:00:00Z"
    )
    assert changed(client, whole) == changed(client, lines)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "endingVersion=1",
        "startingVersion=9",
        "startingVersion=2&endingVersion=1",
        "startingVersion=0&startingTimestamp=1970-01-01T00:00:00Z",
        "startingTimestamp=2100-01-01T00:00:00Z",
        "startingVersion=0&endingTimestamp=1970-01-01T00:00:00Z",
    ],
)
def test_changes_that_cannot_be_are_refused(client: Client, moving: str, query: str):
    answer = client("GET", f"{moving}/changes?{query}")
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "INVALID_PARAMETER_VALUE"


def test_a_query_since_a_version_gives_files_that_came_and_went(client: Client, moving: str):
    lines = client.lines(f"{moving}/query", {"startingVersion": 1, "endingVersion": 2})
    assert changed(client, lines) == [
        (1, "add", 1, "update_postimage"),
        (1, "remove", 1, "update_preimage"),
        (2, "remove", 2, "delete"),
    ]


def test_pages_of_changes_are_the_changes(client: Client, moving: str):
    whole = client.lines(f"{moving}/changes?startingVersion=0")
    found, token = whole[:2], ""
    while True:
        page = client.lines(
            f"{moving}/changes?startingVersion=0&maxFiles=2" + (f"&pageToken={token}" if token else "")
        )
        assert page[:2] == whole[:2]
        end = page.pop()["endStreamAction"]
        assert len(page) <= 4
        found += page[2:]
        token = end.get("nextPageToken", "")
        if not token:
            break
    assert [line["cdf"]["id"] for line in found[2:]] == [line["cdf"]["id"] for line in whole[2:]]
    assert len(whole) > 6


def test_a_page_of_another_table_or_question_is_refused(client: Client, moving: str):
    page = client.lines(f"{moving}/changes?startingVersion=0&maxFiles=1")
    token = page[-1]["endStreamAction"]["nextPageToken"]
    for path in (f"{moving}/changes?startingVersion=1", f"{RIDES}/changes?startingVersion=0"):
        answer = client("GET", f"{path}&maxFiles=1&pageToken={token}")
        assert answer.status_code == 400


def test_a_table_that_changes_has_another_version(client: Client):
    world = client.world
    table = world.offer("wind", world.parquet("wind", RAIN.slice(0, 5)))
    world.share(table, share="wind")
    path = "/shares/wind/schemas/demo/tables/wind"
    first = client("POST", f"{path}/query", {})
    world.parquet("wind", RAIN.slice(0, 9))
    world.clock.ahead_ms += 10_000
    second = client("POST", f"{path}/query", {})
    assert (first.headers["delta-table-version"], second.headers["delta-table-version"]) == ("0", "1")
    lines = [json.loads(line) for line in second.text.splitlines()]
    assert rows(client, lines) == list(range(9))
    assert client("POST", f"{path}/query", {"version": 0}).status_code == 400


def test_a_table_that_is_away_is_told_without_detail(client: Client):
    world = client.world
    table = world.offer("snow", world.parquet("snow", RAIN))
    world.share(table, share="snow")
    (world.data / "snow" / "part.parquet").unlink()
    answer = client("POST", "/shares/snow/schemas/demo/tables/snow/query", {})
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.json()["errorCode"] == "TEMPORARILY_UNAVAILABLE"
    assert "part" not in answer.text
