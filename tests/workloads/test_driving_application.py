"""The driving application: what a run of it leaves, and the same on any way through its shards."""

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("mcap_ros2")
pytest.importorskip("duckdb")

from baygrid.workloads.application import ApplicationError, Done, Outcome, Shard, Totals
from baygrid.workloads.driving import rows, values
from baygrid.workloads.driving.application import Driving
from baygrid.workloads.driving.results import index, map, report, statistics
from baygrid.workloads.driving.results.tables import BATCH, written
from baygrid.workloads.driving.results.words import words
from baygrid.workloads.driving.synthetic.drive import drive
from baygrid.workloads.driving.synthetic.writing import write
from baygrid.workloads.driving.worker import DrivingWorker
from tests.workloads.test_driving_recording import speeds
from tests.workloads.test_driving_recording import written as written_speeds

MINUTE = Path(__file__).parents[3] / "shared" / "data" / "comma2k19"


@dataclass
class Run:
    """A run as the frame makes it, in this process."""

    application: Driving
    made: list[tuple[Shard, Done]]

    @property
    def totals(self) -> Totals:
        units = sum(done.units for _, done in self.made)
        failed = tuple(failure for _, done in self.made for failure in done.failed)
        return Totals(units, units, 1.0, {"lidar": 1.0}, failed, len(self.made), 0, 1, "here")

    def __iter__(self) -> Iterator[tuple[Shard, Done]]:
        return iter(self.made)

    def finish(self, output: Path) -> Outcome:
        output.mkdir()
        return self.application.finish(self, output)


def run(application: Driving) -> Run:
    worker: DrivingWorker = application.loading()()
    return Run(application, [(shard, worker(shard)) for shard in application.shards()])


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drive with every scenario."""
    path = tmp_path_factory.mktemp("street") / "street.mcap"
    write(drive(1), path, camera=False)
    return path


@pytest.fixture(scope="module")
def finished(street: Path) -> SimpleNamespace:
    output = street.parent / "out"
    made = run(Driving(str(street), report="2026-11-23"))
    return SimpleNamespace(run=made, output=output, outcome=made.finish(output))


def figures(output: Path) -> Any:
    return json.loads((output / "statistics.json").read_text())


@pytest.mark.slow
def test_a_synthetic_drive_is_found_as_it_is(finished: SimpleNamespace) -> None:
    truth = finished.outcome.quality["truth"]
    assert truth["boxes"]["vehicle"]["recall"] > 0.93
    assert truth["boxes"]["vehicle"]["precision"] > 0.93
    assert truth["boxes"]["pedestrian"]["recall"] > 0.8
    assert truth["boxes"]["switches_per_km"] < 60
    for kind in values.EVENTS:
        assert truth["scenarios"]["by_kind"][kind] == {"planted": 1, "found": 1, "missed": 0, "false": 0}
    assert truth["ego"]["position_rms_m"] < 1.2
    assert truth["ego"]["distance_error"] < 0.01
    assert finished.run.totals.failed == ()
    assert finished.run.totals.units == pytest.approx(0.5026, rel=0.005)


@pytest.mark.slow
def test_the_tables_hold_what_the_schemas_tell(finished: SimpleNamespace) -> None:
    for name, schema in (("labels", rows.LABELS), ("events", rows.EVENTS), ("ego", rows.EGO)):
        table = pq.read_table(finished.outcome.outputs[name])
        assert table.schema.equals(schema)
        assert table.num_rows > 0
        assert set(table["drive"].to_pylist()) == {"street.mcap"}
    events = pq.read_table(finished.outcome.outputs["events"]).to_pylist()
    assert {event["kind"] for event in events} == {*values.EVENTS, "intervention"}
    assert all(22 < event["latitude"] < 22.3 and 113.8 < event["longitude"] < 114.1 for event in events)
    assert not list(finished.output.glob("*.part"))


@pytest.mark.slow
def test_statistics_tell_what_a_kilometre_holds(finished: SimpleNamespace) -> None:
    told = figures(finished.output)
    assert told["drives"] == 1
    assert told["km"] == pytest.approx(0.5026, rel=0.005)
    assert told["events_per_km"]["stop"] == pytest.approx(1 / told["km"], rel=0.01)
    assert told["interventions"] == 1
    assert told["engaged_km"] < told["km"] - 0.01
    assert told["each"][0]["sweeps"] == 650
    assert told["each"][0]["sensors"] == ["fix", "imu", "manual", "sweep", "wheel"]


@pytest.mark.slow
def test_scenarios_are_found_by_sql_and_nothing_else_is(finished: SimpleNamespace) -> None:
    columns, found = index.find(
        finished.output,
        "select e.drive, e.kind, e.begin, t.kind from events e join tracks t using (drive, track)"
        " where e.kind = 'cut_in' and t.fastest > 5",
    )
    assert columns == ["drive", "kind", "begin", "kind"]
    assert [(row[0], row[3]) for row in found] == [("street.mcap", "vehicle")]
    assert index.find(finished.output, "select count(*) from ego")[1][0][0] == pytest.approx(65, abs=1)
    (finished.output / "secret.csv").write_text("a,b\n1,2\n")
    for question in (
        f"select * from read_csv('{finished.output}/secret.csv')",
        f"select * from '{finished.output}/labels.parquet'",
        "select * from read_text('/etc/hostname')",
        f"copy events to '{finished.output}/stolen.csv'",
        f"attach '{finished.output}/other.duckdb'",
        "delete from events",
        "set enable_external_access = true",
        "install httpfs",
        "select 1; select 2",
        "select * from nothing",
        "",
    ):
        with pytest.raises(ApplicationError):
            index.find(finished.output, question)
    with pytest.raises(ApplicationError, match=r"no index\.duckdb"):
        index.find(finished.output / "elsewhere", "select 1")
    assert not (finished.output / "stolen.csv").exists()


@pytest.mark.slow
def test_pages_load_nothing_and_show_every_event(finished: SimpleNamespace) -> None:
    for name in ("map", "report"):
        text = finished.outcome.outputs[name].read_text()
        assert not re.search(r"( src=|href=|url\(|@import|<script)", text)
        assert re.findall(r"https?://[^\"' ]+", text) == ["http://www.w3.org/2000/svg"] * text.count("<svg")
        for kind in (*values.EVENTS, "intervention"):
            assert f"{words()[kind]} at " in text
    report = finished.outcome.outputs["report"].read_text()
    assert "Made on 2026-11-23" in report
    assert "synthetic drive: it proves software, not a vehicle" in report
    assert re.search(r"street\.mcap</td><td>[0-9a-f]{64}</td>", report)
    assert "{" not in re.sub(r"<style>.*?</style>", "", report, flags=re.DOTALL)


@pytest.mark.slow
def test_the_same_rows_in_any_order_of_work(finished: SimpleNamespace) -> None:
    worker = finished.run.application.loading()()
    for shard, done in reversed(finished.run.made[::3]):
        assert worker(shard).rows.equals(done.rows)


def test_a_table_knows_which_row_groups_are_a_drive_s(tmp_path: Path) -> None:
    event = values.Event("stop", 0.0, 2.0, None, 2.0, 0.0, 0.0)
    counts = {"a": BATCH + 1, "b": 2, "c": 1}
    with written(tmp_path / "events.parquet", rows.EVENTS) as table:
        for drive_, count in counts.items():
            for _ in range(count):
                table.add(drive_, event, latitude=None, longitude=None)
    assert table.groups == {"a": [0, 1], "b": [2], "c": [3]}
    file = pq.ParquetFile(tmp_path / "events.parquet")
    for drive_, groups in table.groups.items():
        assert file.read_row_groups(groups)["drive"].to_pylist() == [drive_] * counts[drive_]


def test_every_kind_of_event_has_its_words_and_its_mark() -> None:
    for kind in statistics.KINDS:
        assert words()[kind]
        assert words()[f"{kind}.value"].format(1.0, 1.0)
        assert kind in map.MARKS
        assert f"--{kind}:" in map.STYLE


def still(n: int) -> values.Trajectory:
    nought = np.zeros(n)
    return values.Trajectory(np.arange(n, dtype=np.float64) * 0.05, *[nought] * 8)


@pytest.mark.parametrize("n", [1, 2, 50])
def test_a_drive_that_does_not_move_can_be_drawn(n: int) -> None:
    event = values.Event("stop", 0.0, 2.0, None, 2.0, 0.0, 0.0)
    drawn = map.svg("<a> & b", still(n), [event] * 60, words())
    assert "&lt;a&gt; &amp; b" in drawn
    assert "nan" not in drawn
    assert drawn.count("<title>") == 60


def test_drives_without_the_sensors_leave_what_can_be_told(tmp_path: Path) -> None:
    """A file that is none beside one that is."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "none.mcap").write_bytes(b"")
    short = drive(2, 6.0)
    write(short, tmp_path / "in" / "short.mcap", camera=False)
    outcome = (made := run(Driving(str(tmp_path / "in"), report="2026-11-23"))).finish(tmp_path / "out")
    assert [failure.input for failure in made.totals.failed] == ["none.mcap"]
    told = figures(tmp_path / "out")
    assert [each["drive"] for each in told["each"]] == ["none.mcap", "short.mcap"]
    assert told["each"][0]["km"] == 0
    assert told["each"][1]["km"] == pytest.approx(0.06, rel=0.05)
    assert "none.mcap" in outcome.outputs["report"].read_text()


def test_the_report_names_every_file_of_a_drive_by_its_hash(tmp_path: Path) -> None:
    bag = tmp_path / "in" / "bag"
    bag.mkdir(parents=True)
    (bag / "metadata.yaml").write_text("")
    files = [written_speeds(bag / f"bag_{n}.mcap", speeds(*range(n, n + 3))) for n in (0, 3, 10)]
    (bag / "bag_2.mcap").write_bytes(b"")
    write(drive(2, 2.0), tmp_path / "in" / "street.mcap", camera=False)
    outcome = run(Driving(str(tmp_path / "in"), report="2026-11-23")).finish(tmp_path / "out")
    report = outcome.outputs["report"].read_text()
    found = re.findall(r"<td>([^<]+)</td><td>([0-9a-f]{64})</td>", report)
    files.insert(1, bag / "bag_2.mcap")
    wanted = [(f"bag/{file.name}", hashlib.sha256(file.read_bytes()).hexdigest()) for file in files]
    street = (tmp_path / "in" / "street.mcap").read_bytes()
    assert found == [*wanted, ("street.mcap", hashlib.sha256(street).hexdigest())]


def test_a_file_that_is_gone_does_not_cost_the_report(tmp_path: Path) -> None:
    ((name, digest),) = report.hashes("gone.mcap", str(tmp_path / "gone.mcap"))
    assert name == "gone.mcap"
    assert digest.startswith("cannot be read: ")


def test_nothing_but_broken_files_ends_well(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "none.mcap").write_bytes(b"\x89MCAP0\r\n")
    made = run(Driving(str(tmp_path / "in"), report="2026-11-23"))
    outcome = made.finish(tmp_path / "out")
    assert made.totals.units == 0
    assert outcome.quality["truth"] is None
    assert all(path.exists() for path in outcome.outputs.values())


@pytest.mark.skipif(not MINUTE.exists(), reason="needs ../shared")
def test_the_real_minute_through_the_application(tmp_path: Path) -> None:
    shutil.copytree(MINUTE, tmp_path / "minute")
    made = run(Driving(str(tmp_path), report="2026-11-23"))
    outcome = made.finish(tmp_path / "out")
    assert made.totals.units == pytest.approx(1.0118, rel=0.01)
    assert outcome.quality["distance_error"] < 0.001
    assert outcome.quality["position_rms_m"] < 1.2
    assert outcome.quality["position_rms_without_mean_m"] < 0.4
    each = figures(tmp_path / "out")["each"][0]
    assert each["sensors"] == ["fix", "imu", "place", "wheel"]
    assert "do not tell who drove" in outcome.outputs["report"].read_text()


def test_options_that_cannot_be(tmp_path: Path) -> None:
    impossible: list[dict[str, Any]] = [{"input": None}, {"lidar_height": -1.0}]
    for options in impossible:
        with pytest.raises(ApplicationError):
            Driving(**{"input": str(tmp_path), **options})
