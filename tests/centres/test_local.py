"""The local driver: the common behaviour, and what only a driver of processes can do wrong."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from baygrid.centres.folder.files import Files, key_of
from baygrid.centres.local import BadNode, LocalCentre, parse_nodes, processes
from baygrid.centres.local.spawn import SHELL, SUPERVISOR
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import NodeReport, PartitionReport
from tests.centres import behaviour
from tests.centres.site import NODES as NODE_NAMES
from tests.centres.site import (
    RUNNING,
    look,
    no_fetch,
    order,
    start,
    stop_of,
    until,
    until_log,
    whole_log,
)

PATIENCE_S = 40
NODES = parse_nodes([f"{name}:cpus=8,memory=8,H100=8" for name in NODE_NAMES])
PATH = f"{Path(sys.executable).parent}:/usr/bin:/bin"


class LocalSite:
    """Waits for the kernel, not for a while."""

    managed = True

    def __init__(self, root: Path, nodes: tuple[PartitionReport, ...] = NODES) -> None:
        self._root, self._nodes = root, nodes
        self.patience(PATIENCE_S)
        self.centre = self._new()

    def patience(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def wait(self) -> None:
        assert time.monotonic() < self._end, "nothing happened for too long"
        at = self.centre.wake_at(self.now())
        pause = 20 if at is None else min(20, max(0, at - self.now()))  # a log may grow unseen
        select.select([self.centre], [], [], pause / 1000)

    def restart(self) -> None:
        self.centre.close()
        self.centre = self._new()

    def files(self, token: str) -> Files:
        return Files(str(self._root / key_of(token)))

    def end(self) -> None:
        """Nothing of it goes on."""
        for attempt in list(self.centre._lifecycle.attempts.values()):
            if attempt.pid:
                processes.signal_group(attempt.pid, signal.SIGKILL)
        self.centre.close()

    def _new(self) -> LocalCentre:
        return LocalCentre(self._root, self._nodes, sample_ms=20, path=PATH)


@pytest.fixture
def site(tmp_path):
    site = LocalSite(tmp_path / "root")
    yield site
    site.end()


class TestLocalCentre(behaviour.Behaviour):
    capabilities = frozenset(
        {"gang", "out-of-memory", "accelerators", "parts", "checkpoint", "secrets", "exec"}
    )


def alive(pid):
    process = processes.look(pid)
    return process is not None and process.state != "Z"


def supervisor_of(site, one):
    """Its pid."""
    until(site, one, RUNNING)
    claim = site.files(one.token).claim()
    assert claim is not None
    assert claim.pid is not None
    return claim.pid


def test_of_twenty_supervisors_one_runs(site):
    one = order("echo ran")
    site.centre.prepare(one, no_fetch)
    files = site.files(one.token)
    given = (
        '{"order":{"attempt":"att-1","time_ms":0,"grace_ms":0,"memory_kib":0,"outputs":[]},'
        '"share":{"devices":[["n1",null,[]]],"cpus":[],"port":20000}}'
    )
    command = [SHELL, SUPERVISOR, files.dir, given, "", "echo ran", ""]
    with Path(files.path("log")).open("ab") as log:
        racers = [
            subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True) for _ in range(20)
        ]
        codes = sorted(racer.wait(PATIENCE_S) for racer in racers)
    assert codes == [0] + [73] * 19
    assert whole_log(site, one) == b"ran\n", "losers leave without a trace"
    site.restart()
    assert until(site, one).state is AttemptState.SUCCEEDED


def test_two_drivers_that_start_the_same_run_it_once(site):
    """An agent died between the start of a supervisor and its claim; the next one starts it again."""
    orders = [order("echo ran; exec sleep 600", n) for n in range(4)]
    first = site.centre
    for one in orders:
        first.prepare(one, no_fetch)
        first.start(one, site.now())
        site.centre = site._new()
        start(site, one)
        until_log(site, one, b"ran")
        site.centre.stop(stop_of(one), site.now())
        assert until(site, one).state is AttemptState.CANCELLED
        assert whole_log(site, one) == b"ran\n"
        site.centre.close()
    first.close()
    site.centre = site._new()


def test_a_killed_supervisor_is_an_interruption_and_leaves_nothing_behind(site):
    one = order("trap '' TERM; echo $$; while :; do sleep 0.05; done")
    start(site, one)
    until_log(site, one, b"\n")
    os.kill(supervisor_of(site, one), signal.SIGKILL)
    seen = until(site, one)
    assert (seen.state, seen.cause) == (AttemptState.FAILED, "interrupted")
    assert not alive(int(whole_log(site, one)))
    start(site, one)
    assert until(site, one).cause == "interrupted", "it is never run again"


def test_a_supervisor_killed_while_no_agent_looked_is_an_interruption(site):
    one = order("echo $$; exec sleep 600")
    start(site, one)
    until_log(site, one, b"\n")
    pid = supervisor_of(site, one)
    site.centre.close()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    site.centre = site._new()
    assert until(site, one).cause == "interrupted"
    assert not alive(int(whole_log(site, one)))


def test_what_a_job_leaves_in_the_background_goes_with_it(site):
    one = order("sleep 600 & echo $!; (trap '' TERM; exec sleep 600) & echo $!", grace_s=0)
    start(site, one)
    assert until(site, one).state is AttemptState.SUCCEEDED
    pids = [int(pid) for pid in whole_log(site, one).split()]
    assert len(pids) == 2
    assert not any(map(alive, pids))


@pytest.fixture
def other_boot(monkeypatch):
    """The machine has restarted: whatever was running is gone."""

    def reboot(site, *pids):
        for pid in pids:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        monkeypatch.setattr(processes, "boot_id", lambda: "another-boot")
        site.restart()

    return reboot


def test_after_a_reboot_what_ran_was_interrupted_and_what_ended_has_ended(site, other_boot):
    running, done = order("echo up; exec sleep 600", 1), order("exit 3", 2)
    published = order("exit 0", 3, outputs=("labels",))
    start(site, running, done, published)
    until_log(site, running, b"up")
    until(site, done)
    until(site, published)
    other_boot(site, supervisor_of(site, running))
    seen = look(site, running)
    assert seen is not None
    assert (seen.state, seen.cause) == (AttemptState.FAILED, "interrupted")
    assert seen.ended_at is not None
    assert seen.ended_at <= site.now()
    start(site, running)
    assert until(site, running).cause == "interrupted", "it is never run again"
    assert until(site, done).exit_code == 3
    assert until(site, published).cause == "interrupted", "nobody knows whether its outputs reached the disk"


def test_half_a_claim_is_waited_for_and_then_given_up(site):
    one = order("echo ran")
    site.centre.prepare(one, no_fetch)
    files = site.files(one.token)
    files.write("claim", b"123 (sh) R 1")
    start(site, one)
    waiting = look(site, one)
    assert waiting is not None
    assert waiting.state is AttemptState.WAITING
    assert site.centre.observe([one], site.now() + 6_000)[one.token].cause == "interrupted"
    assert whole_log(site, one) == b""


def test_half_an_exit_line_is_no_end(site):
    one = order("exec sleep 600")
    start(site, one)
    pid = supervisor_of(site, one)
    site.files(one.token).write("exit", b"0m0.0s 0m0.0s\n0m0.0s 0m0.0s\nexit 0 ru")
    os.killpg(pid, signal.SIGKILL)
    assert until(site, one).cause == "interrupted"


def test_times_are_read_from_the_supervisors_line(site):
    files = site.files("x")
    Path(files.dir).mkdir()
    files.write("exit", b"0m0.010000s 0m0.020000s\n1m2.500s 0m0.470s\nexit 0 run\n")
    ended = files.exit()
    assert ended is not None
    assert (ended.code, ended.phase, ended.cpu_seconds) == (0, "run", 63.0)


@pytest.mark.parametrize(
    "change",
    [
        {"envs": {"A=B": "x"}},
        {"envs": {"A": "x\0y"}},
        {"envs": {"A": "x" * 200_000}},
        {"partition": "elsewhere"},
        {"accelerator": "H100", "accelerators": 9},
        {"accelerator": "A800", "accelerators": 1},
        {"nodes": ()},
        {"image": "docker:python:3.11"},
    ],
    ids=str,
)
def test_what_can_never_start_is_refused_with_a_reason(site, change):
    one = order("echo ran", **change)
    start(site, one)
    seen = until(site, one)
    assert (seen.state, seen.cause) == (AttemptState.FAILED, "refused")
    assert seen.detail
    assert whole_log(site, one) == b""


def test_a_script_with_its_own_interpreter_runs_in_it(site):
    one = order("#!/usr/bin/env python3\nimport sys\nprint(sys.version_info[0])\n")
    start(site, one)
    assert until(site, one).state is AttemptState.SUCCEEDED
    assert whole_log(site, one) == b"3\n"


COUNT_CPUS = "exec python3 -c 'import os; print(len(os.sched_getaffinity(0)))'"


def test_on_a_real_node_a_job_may_use_the_cpus_it_asked_for(tmp_path):
    ours = len(os.sched_getaffinity(0))
    site = LocalSite(tmp_path, parse_nodes([f"n1:cpus={ours},memory=8"]))
    orders = [order(COUNT_CPUS, n, cpus=1) for n in range(3)]
    start(site, *orders)
    for one in orders:
        until(site, one)
        assert whole_log(site, one) == b"1\n"
    assert len(os.sched_getaffinity(0)) == ours, "the agent keeps its own"
    site.centre.close()


def test_on_a_virtual_node_jobs_are_not_crowded(site):
    one = order(COUNT_CPUS, cpus=1)
    start(site, one)
    until(site, one)
    assert int(whole_log(site, one)) == len(os.sched_getaffinity(0))


def test_directories_are_the_owners_only_and_do_not_show_the_token(site):
    one = order("echo 1")
    start(site, one)
    until(site, one)
    directory = Path(site.files(one.token).dir)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert directory.parent.stat().st_mode & 0o777 == 0o700
    assert one.token not in str(directory)
    assert not [
        path for path in directory.rglob("*") if path.is_file() and one.token.encode() in path.read_bytes()
    ]


def test_what_is_forgotten_is_removed_a_little_at_a_time(site, tmp_path):
    one = order("mkdir a b; for d in a b; do (cd $d; seq 400 | xargs touch); done; chmod 0 a")
    start(site, one)
    until(site, one)
    site.centre.forget(one)
    trash = tmp_path / "root" / ".trash"
    steps = 0
    while list(trash.iterdir()):
        assert site.centre.untidy
        site.centre.tidy()
        steps += 1
    assert 3 <= steps <= 8
    assert not site.centre.untidy


def test_a_running_attempt_is_not_forgotten(site):
    one = order("exec sleep 600")
    start(site, one)
    until(site, one, RUNNING)
    site.centre.forget(one)
    assert until(site, one, RUNNING).state is RUNNING


def test_nodes_are_read_from_texts():
    assert parse_nodes(["n1:cpus=8,memory=64,H100=8", "gpu/n2:memory=512MiB,A800-80G=4"]) == (
        PartitionReport("main", (NodeReport("n1", 8, 65_536, {"H100": 8}),)),
        PartitionReport("gpu", (NodeReport("n2", 1, 512, {"A800-80G": 4}),)),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "n1",
        "n 1:cpus=1",
        "n1:cpus",
        "n1:cpus=x",
        "n1:cpus=0",
        "n1:memory=x",
        "n1:H100=-1",
        "n1:cpus=1,cpus=2",
        "n1:H100-=1",
        "/:",
    ],
)
def test_a_node_that_cannot_be_read_is_refused(text):
    with pytest.raises(BadNode):
        parse_nodes([text])


def test_a_node_is_declared_once():
    with pytest.raises(BadNode):
        parse_nodes(["n1:cpus=1", "other/n1:cpus=1"])


def test_the_line_of_its_end_is_not_written_through_a_link(site, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    one = order(f"ln -s {precious} ../exit; exit 3")
    start(site, one)
    seen = until(site, one)
    assert (seen.state, seen.exit_code) == (AttemptState.FAILED, 3)
    assert precious.read_text() == "mine"
