"""`baygrid whatif`: the table, the JSON, the picture, and mistakes in files with their lines."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.replay.whatif_report import compare
from tests.api.world import World, job, serving
from tests.cli.conftest import Call

CENTRE = """\
name: new
jurisdiction: HK
partitions:
- name: main
  nodes: [{count: 4, cpus: 32, memory: 128GiB}]
offers:
- {partition: main, currency: CNY, cpu_hour: "0.05"}
"""


@pytest.fixture
def operator(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Commands of an operator, to a real server whose region has run one job for an hour."""
    monkeypatch.setattr("baygrid.api.policies.apart", _here)
    (tmp_path / "region").mkdir()
    world = World(tmp_path / "region")
    with serving(world.app) as address:
        _run_a_job(world, call, address, tmp_path)
        yield lambda *given: call(*given, "--server", address, "--token", world.secrets["operator"])
    world.close()


def _here(*given: Any, stop: object) -> dict[str, Any]:
    """Without a process of its own."""
    return compare(*given)


def _run_a_job(world: World, call: Call, address: str, folder: Path) -> None:
    (folder / "job.yaml").write_text(json.dumps(job(resources={"cpus": 10, "memory": 10})))
    asked = ("--json", "--server", address, "--token", world.secrets["team"])
    _, out, _ = call("submit", "job.yaml", *asked)
    world.place()
    (attempt,) = world.attempts(json.loads(out)[0]["id"])
    started = attempt.placed_at
    world.clock.ahead_ms += 3_600_000
    world.report(
        "far", attempt, AttemptState.SUCCEEDED, started_at=started, ended_at=started + 3_600_000, exit_code=0
    )


def test_the_table(operator: Call):
    code, out, err = operator("whatif", "--price", "far-cpu=0.4")
    assert (code, err) == (0, "")
    assert "1 jobs since" in out
    lines = {line.split("  ")[0]: line.split()[-3:] for line in out.splitlines()}
    assert lines["mean wait, s"] == ["0.000", "0.000", "+0.000"]
    assert lines["cost, CNY"] == ["2.10", "4.10", "+2.00"]  # 10 cpus and 10 GiB at 0.01
    assert lines["cost of demo, CNY"] == lines["cost, CNY"]


@pytest.mark.slow
def test_the_json_and_the_picture(operator: Call, tmp_path: Path):
    pytest.importorskip("matplotlib", reason="needs the extra `replay`")
    (tmp_path / "new.yaml").write_text(CENTRE)
    code, out, _ = operator("whatif", "--add-centre", "new.yaml", "--json", "--plot", "waits.png")
    told = json.loads(out)
    assert code == 0
    assert told["after"]["cost"]["total"] == {"CNY": 50}
    assert (tmp_path / "waits.png").read_bytes().startswith(b"\x89PNG")


def test_mistakes_are_told_with_file_and_line(operator: Call, tmp_path: Path):
    (tmp_path / "new.yaml").write_text(CENTRE.replace("cpus: 32", "cpus: many"))
    (tmp_path / "p.yaml").write_text("reserve: 1\ncentres:\n  hup: {}\n")
    code, _, err = operator("whatif", "--add-centre", "new.yaml")
    assert code == 1
    assert "line 5, new.yaml: partitions[0].nodes[0].cpus: must be a whole number" in err
    code, _, err = operator("whatif", "--policy", "p.yaml")
    assert "line 3, p.yaml: centres.hup: there is no centre 'hup': did you mean 'hub'?" in err
    code, _, err = operator("whatif", "--price", "far-cup=1")
    assert "prices.far-cup: there is no offer 'far-cup': did you mean 'far-cpu'?" in err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--price", "far"], 2, "write --price OFFER=AMOUNT"),
        (["--policy", "none.yaml"], 1, "there is no policy file none.yaml"),
        (["--price", "a=1", "--plot", "no/where.png"], 2, "there is no folder no"),
        (["--price", "a=1", "--plot", "."], 2, "--plot: . is a folder"),
        (["--price", "a=1", "--plot", "waits"], 2, "is of no known kind of picture"),
    ],
)
def test_wrong_calls(call: Call, arguments: list[str], code: int, says: str):
    ended, _, err = call("whatif", *arguments)
    assert ended == code
    assert says in err


def test_it_asks_for_a_change(operator: Call):
    code, _, err = operator("whatif")
    assert (code, "say what would be otherwise" in err) == (1, True)
