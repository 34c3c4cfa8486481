"""`baygrid sql`, against a real server with real tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from baygrid.core.data.terms import Mode, Terms
from tests.api.sharing import Sharing
from tests.api.world import serving
from tests.cli.conftest import Call

RAIN = pa.table({"id": [1, 2, 3], "place": ["bay, west", None, "岛"], "wet": [True, False, None]})


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sharing]:
    made = Sharing(tmp_path)
    rain = made.offer("rain", made.parquet("rain", RAIN))
    made.share(rain, share="weather", terms=Terms(None, "id > 1"))
    made.share(rain, share="figures", terms=Terms(None, None, {}, Mode.AGGREGATE, 2))
    with serving(made.app) as address:
        monkeypatch.setenv("BAYGRID_SERVER", address)
        monkeypatch.setenv("BAYGRID_TOKEN", made.secrets["rival"])
        yield made
    made.close()


def test_rows_as_a_table_json_csv_and_a_file(call: Call, world: Sharing, tmp_path: Path) -> None:
    query = "SELECT * FROM weather.demo.rain ORDER BY id"
    code, out, error = call("sql", query)
    assert code == 0, error
    assert [line.split() for line in out.splitlines()] == [
        ["id", "place", "wet"],
        ["2", "-", "false"],
        ["3", "岛", "-"],
    ]
    code, out, error = call("sql", query, "--json")
    assert json.loads(out) == {
        "columns": ["id", "place", "wet"],
        "rows": [[2, None, False], [3, "岛", None]],
        "more": False,
        "withheld": None,
    }, error
    assert call("sql", query, "--csv")[1] == "id,place,wet\n2,,false\n3,岛,\n"
    file = tmp_path / "rain.arrow"
    assert call("sql", query, "--arrow", str(file))[0] == 0
    with pa.ipc.open_stream(file) as reader:
        assert reader.read_all()["id"].to_pylist() == [2, 3]


def test_json_has_what_json_knows_and_one_form_is_given(call: Call, world: Sharing) -> None:
    query = (
        "SELECT 'nan'::DOUBLE AS a, {'b': '-inf'::DOUBLE} AS b, INTERVAL '14 months 3 days 4.5 seconds' AS c,"
        " TIMESTAMP '2026-11-23 10:00:00' AS d, 1.50::DECIMAL(4, 2) AS e"
    )
    code, out, error = call("sql", query, "--json")
    assert code == 0, error
    found = json.loads(out, parse_constant=pytest.fail)
    assert found["rows"] == [[None, {"b": None}, "P1Y2M3DT4.5S", "2026-11-23T10:00:00", "1.50"]]
    for other in (["--json"], ["--arrow", "x"]):
        code, _, error = call("sql", query, "--csv", *other)
        assert code == 1
        assert "one form only" in error


def test_that_there_is_more_and_what_is_withheld_is_said_beside_the_rows(call: Call, world: Sharing) -> None:
    code, out, error = call("sql", "SELECT id FROM weather.demo.rain ORDER BY id", "--rows", "1")
    assert (code, out.split()) == (0, ["id", "2"])
    assert "there are more than these 1 rows" in error
    query = "SELECT place, count(*) AS n FROM figures.demo.rain GROUP BY place"
    code, out, error = call("sql", query)
    assert (code, out.split()) == (0, ["place", "n"])
    assert "3 groups are of too few persons" in error


def test_what_is_wrong_is_said(call: Call, world: Sharing) -> None:
    code, out, error = call("sql", "SELECT * FROM read_text('/etc/passwd')")
    assert (code, out) == (1, "")
    assert "read_text" in error
    assert "there is no table nothing" in call("sql", "SELECT * FROM nothing")[2]
