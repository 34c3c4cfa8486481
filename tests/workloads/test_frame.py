"""Runs of an application: every shard once, on either engine, whatever is killed when. Real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

RAY = pytest.mark.xdist_group("ray-data")
ENGINES = ("local", pytest.param("ray", marks=RAY))
ENDS = [
    *(pytest.param("local", how) for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)),
    pytest.param("ray", signal.SIGKILL, marks=RAY),
    pytest.param("ray", signal.SIGTERM, marks=[RAY, pytest.mark.campaign]),
    pytest.param("ray", signal.SIGINT, marks=[RAY, pytest.mark.campaign]),
]


class Desk:
    """A folder to count in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "out"
        self._journal = folder / "journal"
        self._started: list[subprocess.Popen[str]] = []
        self.environment: dict[str, str] = {}

    def write(self, *lines: str) -> None:
        (self.folder / "in.txt").write_text("".join(f"{line}\n" for line in lines))

    def command(self, *more: str) -> list[str]:
        where = ["--input", str(self.folder / "in.txt"), "--output", str(self.output)]
        program = [sys.executable, "-m", "tests.workloads.counting", *where]
        return [*program, "--journal", str(self._journal), "--workers", "2", *more]

    def start(self, *more: str, silent: bool = False) -> subprocess.Popen[str]:
        own = {"PYTHONPATH": os.pathsep.join(sys.path), "RAY_AUTH_MODE": "disabled"}  # no token in the home
        environment = {**os.environ, **own, **self.environment}
        said = subprocess.DEVNULL if silent else subprocess.PIPE
        process = subprocess.Popen(
            self.command(*more), cwd=ROOT, env=environment, text=True,
            stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
        self._started.append(process)
        return process

    def clear(self) -> None:
        """After a test that failed: nothing of it goes on."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def run(self, *more: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*more)
        out, err = process.communicate(timeout=200)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def journal(self) -> Counter[str]:
        """How often each shard was begun."""
        if not self._journal.exists():
            return Counter()
        return Counter(line.split()[0] for line in self._journal.read_text().splitlines())

    def workers(self) -> set[int]:
        return {int(line.split()[1]) for line in self._journal.read_text().splitlines()}

    def parts(self) -> list[str]:
        return sorted(path.name[:6] for path in (self.output / "unfinished").glob("*.parquet"))

    def lines(self) -> list[str]:
        lines: list[str] = pq.read_table(self.output / "letters.parquet")["line"].to_pylist()
        return lines


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.clear()


def until(what: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 200
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def end(process: subprocess.Popen[str], how: signal.Signals) -> tuple[str, str]:
    process.send_signal(how)
    return process.communicate(timeout=60)


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_come_in_the_order_of_the_input_and_what_failed_is_named(desk: Desk, engine: str):
    desk.write("one", "two", "!bad", "four", "five")
    done = desk.run("--engine", engine, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert desk.lines() == ["one", "two", "four", "five"]
    assert (told["units"], told["unit"], told["engine"], told["workers"]) == (4, "images", engine, 2)
    assert told["failed"] == [{"input": "!bad", "reason": "bad"}]
    assert told["quality"] == {"letters": 14}
    assert told["units_per_hour"] > 0
    assert list(told["stages"]) == ["count"]
    assert told["outputs"] == {"letters": str(desk.output / "letters.parquet")}
    assert json.loads((desk.output / "result.json").read_text()) == told
    assert sorted(path.name for path in desk.output.iterdir()) == ["letters.parquet", "result.json"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_deep_temporary_folder_has_room_for_sockets(desk: Desk, engine: str):
    deep = desk.folder / ("deep" * 30)
    deep.mkdir()
    desk.environment["TMPDIR"] = str(deep)
    desk.write("one")
    done = desk.run("--engine", engine)
    assert done.returncode == 0, done.stderr
    assert desk.lines() == ["one"]


def test_neither_the_command_nor_its_workers_load_pandas(desk: Desk):
    """pyarrow would, where it is installed, with the first table; this one tells of it."""
    (desk.folder / "pandas.py").write_text("import os\nopen(os.environ['LOADED'], 'w').close()\n")
    desk.environment["PYTHONPATH"] = os.pathsep.join([str(desk.folder), *sys.path])
    desk.environment["LOADED"] = str(desk.folder / "loaded")
    desk.write("one")
    done = desk.run()
    assert done.returncode == 0, done.stderr
    assert desk.lines() == ["one"]
    assert not (desk.folder / "loaded").exists()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_worker_that_is_killed_loses_and_doubles_nothing(desk: Desk, engine: str):
    lines = [f"line {number}" for number in range(12)]
    lines[7] = f"!once {desk.folder / 'killed'}"
    desk.write(*lines)
    done = desk.run("--engine", engine, "--json")
    assert done.returncode == 0, done.stderr
    assert (desk.folder / "killed").exists()
    assert desk.lines() == lines
    assert json.loads(done.stdout)["units"] == 12


@pytest.mark.parametrize(("engine", "how"), ENDS)
def test_an_interrupted_run_goes_on_where_it_was(desk: Desk, engine: str, how: signal.Signals):
    gate = desk.folder / "gate"
    lines = [
        "a",
        "b",
        f"!wait {gate}",
        *"defghijkl",
    ]  # one worker waits, in whatever order they come; not both
    desk.write(*lines)
    first = desk.start("--engine", engine)
    until(lambda: len(desk.parts()) >= 2, first)
    kept = desk.parts()
    _, err = end(first, how)
    if how is not signal.SIGKILL:
        assert first.returncode == {signal.SIGTERM: 143, signal.SIGINT: 130}[how], err
        assert "goes on" in err
    gate.touch()
    begun = desk.journal()
    told = json.loads(desk.run("--engine", engine, "--json").stdout)
    assert desk.lines() == lines
    assert told["shards_resumed"] >= len(kept)
    again = desk.journal() - begun
    assert not set(again) & set(kept), "what was done is done again"


@pytest.mark.parametrize("engine", ENGINES)
def test_an_input_that_kills_its_worker_each_time_is_named_and_the_rest_goes_on(desk: Desk, engine: str):
    desk.write("one", "!die", "three", "four")
    done = desk.run("--engine", engine, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert desk.lines() == ["one", "three", "four"]
    assert [failed["reason"] for failed in told["failed"]] == ["a worker died of it, twice"]
    assert "!die" in told["failed"][0]["input"]


def test_a_shard_beside_which_another_died_is_not_given_up(desk: Desk):
    """Both workers die at once, of two inputs; neither dies again."""
    desk.write(f"!once {desk.folder / 'one'}", f"!once {desk.folder / 'two'}", "three")
    done = desk.run("--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["failed"] == []
    assert len(desk.lines()) == 3


def test_a_disk_that_is_full_is_told_in_words(desk: Desk):
    desk.write("one", "two")
    (desk.output / "letters.parquet").mkdir(parents=True)  # where the result should go
    done = desk.run()
    assert done.returncode == 2
    assert "letters.parquet" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(desk.parts()) == 2


def test_where_nothing_can_work_the_run_gives_up(desk: Desk):
    desk.write(*["!die"] * 9)
    done = desk.run()
    assert done.returncode == 2
    assert "workers keep dying" in done.stderr
    assert not (desk.output / "letters.parquet").exists()


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_wrong_with_a_worker_is_said_once_and_clearly(desk: Desk, engine: str):
    desk.write("one", "two")
    done = desk.run("--engine", engine, "--no-load")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().splitlines()[-1] == "counting: the model is not there"


def test_a_defect_in_a_worker_shows_where_it_is(desk: Desk):
    desk.write("one", "!raise")
    done = desk.run()
    assert done.returncode == 70
    assert "LookupError: nobody thought of this" in done.stderr
    assert desk.parts() == ["000000"]


def test_two_runs_do_not_write_into_one_folder(desk: Desk):
    gate = desk.folder / "gate"
    desk.write("one", f"!wait {gate}")
    first = desk.start()
    until(desk.parts, first)
    second = desk.run()
    assert (second.returncode, second.stdout) == (2, "")
    assert "another run is writing" in second.stderr
    gate.touch()
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert desk.lines() == ["one", f"!wait {gate}"]


def test_a_part_of_another_input_or_of_other_options_is_not_taken(desk: Desk):
    gate = desk.folder / "gate"
    desk.write("one", f"!wait {gate}")
    first = desk.start()
    until(desk.parts, first)
    end(first, signal.SIGKILL)
    gate.touch()
    desk.write("uno", "dos")
    assert desk.run().returncode == 0
    assert desk.lines() == ["uno", "dos"]


def test_workers_end_with_a_driver_that_is_killed(desk: Desk):
    desk.write("one", "two", *[f"!wait {desk.folder / 'never'}"] * 2)
    first = desk.start()
    until(lambda: len(desk.journal()) == 4, first)
    end(first, signal.SIGKILL)
    (desk.folder / "never").touch()  # what was in work may end; then there is nobody to hand it to
    deadline = time.monotonic() + 30
    while any(alive(pid) for pid in desk.workers()):
        assert time.monotonic() < deadline, "workers outlive their driver"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def test_no_input_is_one_clear_line(desk: Desk):
    done = desk.run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"counting: {desk.folder / 'in.txt'} is not there\n"


def test_progress_is_told_on_the_way(desk: Desk):
    desk.write(*map(str, range(20)))
    process = desk.start()
    lines: Sequence[str] = process.communicate(timeout=100)[0].splitlines()
    progress = [line for line in lines if line.startswith("BAYGRID_PROGRESS ")]
    assert json.loads(progress[0].partition(" ")[2])["total"] == 20
    result = [line for line in lines if line.startswith("BAYGRID_RESULT ")]
    assert json.loads(result[0].partition(" ")[2])["images_per_hour"] > 0


@RAY
def test_the_death_of_ray_itself_is_outlived_by_what_was_done(desk: Desk):
    """Its raylet is killed, and its workers with it; the next start does only what is missing."""
    gate = desk.folder / "gate"
    lines = ["a", "b", f"!wait {gate}", *"defghijkl"]
    desk.write(*lines)
    first = desk.start("--engine", "ray", silent=True)
    until(lambda: len(desk.parts()) >= 2, first)
    kept = desk.parts()
    (raylet,) = [pid for pid in children(first.pid) if b"/raylet/raylet" in program(pid)]
    os.kill(raylet, signal.SIGKILL)
    try:
        assert first.wait(timeout=60) != 0
    except subprocess.TimeoutExpired:  # it hopes for ever
        first.kill()
        first.wait()
    gate.touch()
    begun = desk.journal()
    told = json.loads(desk.run("--engine", "ray", "--json").stdout)
    assert desk.lines() == lines
    assert told["shards_resumed"] >= len(kept)
    assert not set(desk.journal() - begun) & set(kept)


def program(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]


def children(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for listed in threads for child in listed.read_text().split()]


def test_results_do_not_become_input(desk: Desk):
    folder = desk.folder / "pictures"
    folder.mkdir()
    for output in (folder, folder / "out"):
        asked = ["--input", str(folder), "--output", str(output), "--journal", str(desk.folder / "journal")]
        process = subprocess.run(
            [sys.executable, "-m", "tests.workloads.counting", *asked],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert process.returncode == 2
        assert "name a folder beside it" in process.stderr
        assert list(folder.iterdir()) == []
