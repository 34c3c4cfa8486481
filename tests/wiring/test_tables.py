"""The reader of a server, by its operator's rules."""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from baygrid.ports.reader import Format, ReadFailed, Source
from baygrid.wiring import tables
from baygrid.wiring.tables import reader_of


def rules(tmp_path: Path, text: str) -> Path:
    (tmp_path / "rules.yaml").write_text(text)
    return tmp_path / "rules.yaml"


@pytest.mark.slow
def test_tables_below_a_folder_of_all_projects_are_read(tmp_path: Path):
    for name in ("data", "own", "other"):
        (tmp_path / name).mkdir()
        pq.write_table(pa.table({"n": [1, 2]}), tmp_path / name / "t.parquet")
    left = tmp_path / "state/reading-killed"
    left.mkdir(parents=True)
    text = f"folders: [{tmp_path}/data, {{path: {tmp_path}/own, projects: [a]}}]"
    reader = reader_of(tmp_path / "state", rules(tmp_path, text), str(tmp_path / "objects"))
    assert reader is not None
    assert reader.look(Source(Format.PARQUET, f"file://{tmp_path}/data/t.parquet")).rows == 2
    for name in ("own", "other"):
        with pytest.raises(ReadFailed, match="below which folders"):
            reader.look(Source(Format.PARQUET, f"file://{tmp_path}/{name}/t.parquet"))
    assert not left.exists()


def test_nothing_is_loaded_before_something_is_read(tmp_path: Path):
    loaded = set(sys.modules)
    assert reader_of(tmp_path / "state", None, str(tmp_path / "objects")) is not None
    assert not (tmp_path / "state").exists()
    assert set(sys.modules) == loaded


@pytest.mark.parametrize(("text", "why"), [("folder: x", "folder"), ("[", "rules.yaml")])
def test_rules_that_state_nothing(tmp_path: Path, text: str, why: str):
    with pytest.raises(ValueError, match=why):
        reader_of(tmp_path / "state", rules(tmp_path, text), str(tmp_path / "objects"))


def test_without_the_extra_no_table_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tables, "_NEEDS", ("duckdb", "nowhere_to_be_found"))
    assert reader_of(tmp_path / "state", None, str(tmp_path / "objects")) is None
