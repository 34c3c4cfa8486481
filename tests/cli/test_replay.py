"""`baygrid replay`: what it says of wrong calls and files, and what it prints."""

import datetime as dt
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from baygrid.cli.bar import bar
from baygrid.cli.output import Output
from tests.cli.conftest import Call


@pytest.mark.parametrize(
    ("arguments", "said", "cure"),
    [
        ("", "no format is named", "openb, muri, philly, swf"),
        ("--format pbs f", "there is no format 'pbs'", "openb, muri, philly, swf"),
        ("--format openb --nodes f", "--format openb needs --pods", "--nodes NODES.csv --pods PODS.csv"),
        ("--format openb f --nodes f --pods f", "FILE is not for --format openb", "muri, philly, swf"),
        ("--format openb --nodes f --pods f --policy fifo", "--policy is not for", "muri, philly"),
        ("--format muri", "--format muri needs FILE", "baygrid replay --format muri FILE.csv"),
        ("--format muri f --seed 3", "--seed is not for --format muri", "openb, swf"),
        ("--format philly f", "--format philly needs --vc", "--vc VC.csv"),
        ("--format muri f --federated", "--federated is not for --format muri", "--format swf"),
        ("--format swf f --stale 5", "--stale is not for --format swf", "swf --federated"),
        ("--format swf f --federated", "needs --capacity", "--capacity 0.2"),
        ("--format swf f --federated --capacity 1 --processors 4", "--processors is not for", "swf"),
    ],
)  # fmt: skip
def test_a_wrong_call_says_what_is_wrong_and_what_is_right(
    call: Call, tmp_path: Path, arguments: str, said: str, cure: str
) -> None:
    (tmp_path / "f").touch()
    code, out, err = call("replay", *arguments.split())
    error, told, *_ = err.splitlines()
    assert (code, out) == (2, "")
    assert said in error
    assert told.startswith("cure: ")
    assert cure in told


@pytest.mark.parametrize(("name", "said"), [("gone.swf", "is not there"), (".", "is a folder")])
def test_a_file_that_cannot_be_read_is_named_with_its_option(call: Call, name: str, said: str) -> None:
    code, out, err = call("replay", "--format", "swf", name)
    assert (code, out) == (1, "")
    assert f"FILE: {name} {said}" in err


def test_with_json_a_wrong_call_is_a_problem(call: Call) -> None:
    code, out, err = call("replay", "--format", "swf", "--json")
    assert (code, out) == (2, "")
    assert json.loads(err)["code"] == "wrong-call"


@pytest.mark.parametrize(
    ("plot", "said"),
    [("nowhere/out.png", "no folder nowhere"), (".", ". is a folder"), ("out.txt", ".png, .svg")],
)
def test_where_no_plot_can_be_drawn_is_told_before_the_replay(
    call: Call, tmp_path: Path, plot: str, said: str
) -> None:
    (tmp_path / "f").touch()
    code, _, err = call("replay", "--format", "swf", "f", "--plot", plot)
    assert code == 2
    assert said in err


def test_other_commands_do_not_load_what_a_replay_needs() -> None:
    loaded = (
        "import sys, baygrid.cli.entry; print([m for m in ('numpy', 'numba', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


OPENB = {
    "nodes.csv": "sn,cpu_milli,memory_mib,gpu,model\nn0,64000,262144,2,P100\nn1,64000,262144,4,T4\n",
    "pods.csv": "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,"
    "deletion_time,scheduled_time\np0,12000,16384,1,1000,,LS,Running,0,1253,0\np1,6000,12288,1,460,,LS,Running,4,1290,4\n",
}  # fmt: skip
MURI = {
    "t.csv": "job_id,num_gpu,submit_time,iterations,model_name,batch_size,duration,interval,iteration_time,"
    "resource_time_0,resource_time_1,resource_time_2,priority\n"
    "0,1,0,10,dqn,128,60000,0,490,446,8,0,1\n1,4,1000,10,dqn,128,90000,1000,509,435,8,0.5,0\n",
}  # fmt: skip
PHILLY = {
    "t.csv": "timestamp,duration,num_gpus,gpu_time,cluster\n2017-10-09 07:01:55,66.0,1,66.0,a\n"
    "2017-10-09 07:03:03,295.0,8,2360.0,a\n",
    "vc.csv": "vc,node num\na,1\n",
}
SWF = {
    "t.swf": "; MaxProcs: 2\n; UnixStartTime: 1132444805\n"
    + "\n".join(
        f"{n} {n * 7} -1 {40 + n * 13 % 50} 1 -1 -1 1 500 -1 1 {n % 3} 1 1 1 {1 + n % 2} -1 -1"
        for n in range(40)
    )
}
FLOW = {"mean_jct_s", "p99_jct_s", "makespan_s", "mean_wait_s", "jobs", "jobs_per_cpu_s"}
QUEUE = FLOW | {"mean_bounded_slowdown", "p999_wait_s", "utilisation"}
BESIDE = {"pooled_fifo_wait_s", "isolated_wait_s"}
CALLS = [
    pytest.param(
        OPENB, "openb --nodes nodes.csv --pods pods.csv --seed 1 --placement fgd",
        {"allocation_at_100", "allocation_at_130", "placed", "failed", "decisions_per_cpu_s",
         "decision_p50_us", "decision_p99_us"},
        marks=pytest.mark.slow,  # where its kernel is not compiled yet
    ),
    (MURI, "muri t.csv --cluster 1x4 --policy srsf", FLOW),
    (PHILLY, "philly t.csv --vc vc.csv --policy tiresias", FLOW),
    (SWF, "swf t.swf --policy easy", QUEUE),
    (SWF, "swf t.swf --policy fifo --processors 1", QUEUE),
    (SWF, "swf t.swf --federated --capacity 0.5 --stale 60", QUEUE | BESIDE),
]  # fmt: skip


@pytest.mark.parametrize(("files", "arguments", "figures"), CALLS)
def test_each_format_prints_its_figures_as_json_and_for_people(
    call: Call, tmp_path: Path, files: dict[str, str], arguments: str, figures: set[str]
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    code, out, err = call("replay", "--format", *arguments.split(), "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert figures <= told.keys()
    assert all(isinstance(told[name], int | float | None) for name in figures)  # None: no such load came
    code, out, _ = call("replay", "--format", *arguments.split())
    assert code == 0
    assert {line.split()[0] for line in out.splitlines()} >= figures


def test_a_bad_row_is_named(call: Call, tmp_path: Path) -> None:
    (tmp_path / "t.swf").write_text("; MaxProcs: 2\n1 2 3\n")
    code, out, err = call("replay", "--format", "swf", "t.swf", "--policy", "fifo", "--json")
    assert (code, out) == (1, "")
    assert json.loads(err)["code"] == "bad-trace"
    assert "t.swf:2" in json.loads(err)["detail"]


def test_an_unknown_policy_is_told_with_those_that_there_are(call: Call, tmp_path: Path) -> None:
    (tmp_path / "t.swf").write_text(SWF["t.swf"])
    code, _, err = call("replay", "--format", "swf", "t.swf", "--policy", "tiresias")
    assert code == 2
    assert "say one of fifo, sjf, easy" in err


@pytest.mark.parametrize("capacity", ["0", "nan", "1000"])
def test_a_capacity_that_cannot_be_is_refused(call: Call, tmp_path: Path, capacity: str) -> None:
    (tmp_path / "t.swf").write_text(SWF["t.swf"])
    code, _, err = call("replay", "--format", "swf", "t.swf", "--federated", "--capacity", capacity)
    assert code == 2
    assert "above 0" in err


CARBON = ("swf", "t.swf", "--federated", "--capacity", "0.5", "--carbon")


def test_with_carbon_series_it_is_told_what_was_saved(call: Call, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="needs the extra `replay`")
    from pyarrow.parquet import write_table

    (tmp_path / "t.swf").write_text(SWF["t.swf"])
    hours = [dt.datetime(2022, 1, 1) + dt.timedelta(hours=hour) for hour in range(24 * 365)]
    for name, grams in (("carbon_a", 20.0), ("carbon_b", 400.0)):
        series = {"timestamp": hours, "carbon_intensity": [grams] * len(hours)}
        write_table(pyarrow.table(series), tmp_path / f"{name}.parquet")
    code, out, _ = call("replay", "--format", *CARBON, ".", "--json")
    told = json.loads(out)
    assert code == 0
    assert 0 < told["gco2_kg"] <= told["gco2_blind_kg"]
    assert {"mean_wait_blind_s", "gco2_saved_percent"} <= told.keys()


def test_what_is_not_installed_is_named_with_its_cure(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.swf").write_text(SWF["t.swf"])
    (tmp_path / "c.parquet").touch()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, _, err = call("replay", "--format", *CARBON, "c.parquet")
    assert code == 1
    assert "pyarrow" in err
    assert "pip install 'baygrid[replay]'" in err


@pytest.mark.slow
def test_the_plot_is_drawn(call: Call, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `replay`")
    (tmp_path / "t.swf").write_text(SWF["t.swf"])
    code, out, err = call("replay", "--format", "swf", "t.swf", "--policy", "fifo", "--plot", "out.png")
    assert code == 0
    assert "mean_wait_s" in out
    assert "drawn in out.png" in err
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_on_a_terminal_only() -> None:
    drawn, silent = Terminal(), io.StringIO()
    for err in (drawn, silent):
        with bar(Output(out=io.StringIO(), err=err), "jobs") as progress:
            progress(1, 2)
            progress(2, 2)
    assert "jobs" in drawn.getvalue()
    assert silent.getvalue() == ""


def test_jobs_that_were_dropped_are_told(call: Call, tmp_path: Path) -> None:
    lines = (f"{n} 0 -1 5 {count} -1 -1 {count} 5 -1 1 1 1 -1 -1 -1 -1 -1" for n, count in enumerate((1, 9)))
    (tmp_path / "t.swf").write_text("\n".join(lines))
    code, out, _ = call("replay", "--format", "swf", "t.swf", "--policy", "fifo", "--processors", "4")
    assert code == 0
    assert re.search(r"^skipped +1$", out, re.MULTILINE)
