"""What an engine, a disk and a job can do wrong to a queued centre."""

import os
import signal as signals
from dataclasses import replace

import pytest

from baygrid.centres.engine import Sight, Stand
from baygrid.centres.folder import owners
from baygrid.centres.folder.files import Files, key_of
from baygrid.centres.queued.attempt import name_of
from baygrid.centres.queued.notes import Notes
from baygrid.centres.queued.verdict import Told, verdict
from baygrid.core.jobs.lifecycle import AttemptState
from tests.centres.fifo import LAUNCH, Faulty
from tests.centres.site import RUNNING, look, order, start, stop_of, until, until_log, whole_log
from tests.centres.test_queued import QueuedSite

UNKNOWN, SUCCEEDED, CANCELLED = AttemptState.UNKNOWN, AttemptState.SUCCEEDED, AttemptState.CANCELLED


@pytest.fixture
def site(tmp_path):
    site = QueuedSite(tmp_path / "root")
    yield site
    site.close()


def counting(tmp_path, number: object = 1, **more):
    """A job that leaves a line each time that it runs."""
    return order(f"echo ran >>{tmp_path}/runs-{number}", number, **more)


def runs(tmp_path, number: object = 1) -> int:
    path = tmp_path / f"runs-{number}"
    return len(path.read_text().splitlines()) if path.exists() else 0


def name(one) -> str:
    return name_of(key_of(one.token))


def folder(site, one) -> Files:
    return Files(str(site.root / key_of(one.token)))


def pump(site, one, done) -> None:
    """Time passes until `done`."""
    while not done():
        look(site, one)
        site.wait()


@pytest.mark.parametrize("fault", ["lost before", "lost after", "part"])
def test_a_submission_whose_answer_is_lost_runs_once(site, tmp_path, fault):
    site.engine.faults = [("submit", fault)]
    one = counting(tmp_path)
    start(site, one)
    assert until(site, one).state is SUCCEEDED
    assert runs(tmp_path) == 1
    assert len(site.engine.submitted) == 1, "it is looked for before it is repeated"
    assert site.engine.calls["submit"] == (2 if fault == "lost before" else 1)


def test_a_task_that_is_there_twice_runs_once_and_the_other_goes(site, tmp_path):
    holder = order("echo up; exec sleep 600", 7, cpus=8)
    start(site, holder, order("exec sleep 600", 8, cpus=8))
    until_log(site, holder, b"up")
    one = counting(tmp_path, cpus=8)
    site.engine.hidden.add(name(one))  # neither list nor accounting shows the first
    site.engine.faults = [("submit", "lost after")]
    start(site, one)
    pump(site, one, lambda: len(site.engine.find(name(one))) == 2)
    site.engine.hidden.clear()
    site.centre.stop(stop_of(holder), site.now())
    assert until(site, one).state is SUCCEEDED
    assert runs(tmp_path) == 1
    pump(site, one, lambda: all(held.stand is Stand.ENDED for held in site.engine.find(name(one))))


def test_many_starts_are_one_submission_and_one_look_sees_them_all(site):
    orders = [order("echo up; exec sleep 600", n, cpus=0) for n in range(30)]
    start(site, *orders)
    for one in orders:
        until_log(site, one, b"up")
    pump(site, orders[0], lambda: all(until(site, one, RUNNING) for one in orders))
    assert site.engine.calls["submit"] == 1
    looks = site.engine.looks
    pump(site, orders[0], lambda: site.engine.looks >= looks + 3)
    assert "account" not in site.engine.calls


def test_an_end_is_known_from_its_folder_while_the_engine_is_silent(site):
    one = order("echo up; until [ -e go ]; do sleep 0.01; done; exit 3")
    start(site, one)
    until_log(site, one, b"up")
    until(site, one, RUNNING)
    site.engine.silent = True
    with open(folder(site, one).path("work/go"), "w"):  # noqa: PTH123
        pass
    seen = until(site, one)
    assert (seen.state, seen.exit_code, seen.cause) == (AttemptState.FAILED, 3, "exit-code")
    assert site.centre.trouble == "the engine is down"


def test_an_engine_that_lists_what_has_ended_needs_no_accounting(tmp_path):
    site = QueuedSite(tmp_path / "root", Faulty(lists_ended=True, launch=replace(LAUNCH, id="")))
    try:
        orders = [order(f"exit {n}", n) for n in range(3)]
        start(site, *orders)
        assert [until(site, one).exit_code for one in orders] == [0, 1, 2]
        site.restart()
        assert [until(site, one).exit_code for one in orders] == [0, 1, 2]
        assert "account" not in site.engine.calls
    finally:
        site.close()


def test_a_word_that_is_not_known_is_unknown_for_that_one_alone(site):
    odd, other = order("echo up; exec sleep 600", 1), order("echo up; exec sleep 600", 2)
    start(site, odd, other)
    for one in (odd, other):
        until_log(site, one, b"up")
        until(site, one, RUNNING)
    site.engine.odd.add(name(odd))
    seen = until(site, odd, UNKNOWN)
    assert seen.raw == "ODD_STATE"
    assert until(site, other, RUNNING).state is RUNNING
    site.engine.odd.clear()
    assert until(site, odd, RUNNING).state is RUNNING


def test_what_vanishes_is_unknown_and_never_ended_and_may_come_back(site):
    one = order("echo up; exec sleep 600")
    start(site, one)
    until_log(site, one, b"up")
    until(site, one, RUNNING)
    site.engine.hidden.add(name(one))
    assert until(site, one, UNKNOWN).raw == "absent"
    site.centre.stop(stop_of(one), site.now())
    site.engine.hidden.clear()
    assert until(site, one).state is CANCELLED


def test_what_vanished_before_it_began_can_be_ended_for_good(site, tmp_path):
    start(site, order("exec sleep 600", 7, cpus=8), order("exec sleep 600", 8, cpus=8))
    one = counting(tmp_path, cpus=8)
    start(site, one)
    until(site, one, AttemptState.WAITING)
    site.engine.hidden.add(name(one))
    assert until(site, one, UNKNOWN).started_at is None
    site.centre.stop(stop_of(one), site.now())
    assert until(site, one).state is CANCELLED
    site.engine.hidden.clear()
    site.engine.stop_all()
    assert runs(tmp_path) == 0


def test_what_waits_for_nothing_is_withdrawn(site, tmp_path):
    start(site, order("exec sleep 600", 7, cpus=8), order("exec sleep 600", 8, cpus=8))
    one = counting(tmp_path, cpus=8)
    start(site, one)
    pump(site, one, lambda: site.engine.find(name(one)))
    site.centre.stop(stop_of(one), site.now())
    site.restart()
    pump(site, one, lambda: site.engine.find(name(one))[0].cause == "cancelled")
    assert until(site, one).state is CANCELLED


def test_an_accounting_that_lags_is_waited_for(site):
    one = order("exit 3")
    site.engine.faults = [("account", "lost")] * 4
    start(site, one)
    seen = until(site, one)
    held = site.engine.find(name(one))[0]
    assert (seen.started_at, seen.ended_at) == (held.started_at, held.ended_at)


@pytest.mark.parametrize(
    ("cause", "state"),
    [("preempted", AttemptState.PREEMPTED), ("interrupted", AttemptState.FAILED), ("cancelled", CANCELLED)],
)
def test_what_the_engine_does_to_it_is_told_with_its_checkpoint(site, cause, state):
    one = order("mkdir ckpt; echo 1 >ckpt/n; echo up; exec sleep 600", checkpoint="ckpt")
    start(site, one)
    until_log(site, one, b"up")
    site.engine.tell(site.engine.find(name(one))[0], "KILL", cause)
    seen = until(site, one)
    assert seen.state is state
    assert set(seen.outputs) == (set() if cause == "cancelled" else {"checkpoint"})


def test_what_is_cancelled_there_before_it_began_never_begins(site, tmp_path):
    start(site, order("exec sleep 600", 7, cpus=8), order("exec sleep 600", 8, cpus=8))
    one = counting(tmp_path, cpus=8)
    start(site, one)
    pump(site, one, lambda: site.engine.find(name(one)))
    site.engine.tell(site.engine.find(name(one))[0], "KILL", "cancelled")
    seen = until(site, one)
    assert (seen.state, seen.started_at) == (CANCELLED, None)
    start(site, one)
    assert until(site, one).state is CANCELLED
    assert runs(tmp_path) == 0


def test_a_signal_is_sent_again_until_the_engine_takes_it(site):
    one = order("trap 'echo told; exit 0' USR1; echo up; while :; do :; done", signal="USR1")
    start(site, one)
    until_log(site, one, b"up")
    site.engine.faults = [("signal", "lost before")] * 3
    site.centre.stop(replace(stop_of(one, grace_s=60), signal="USR1"), site.now())
    assert until(site, one).state is CANCELLED
    assert whole_log(site, one) == b"up\ntold\n"


def test_the_engines_own_variables_reach_a_job_only_where_they_are_meant_to(site):
    one = order(
        "env", envs={"FIFO_ID": "mine", "CUDA_VISIBLE_DEVICES": "7"}, accelerator="H100", accelerators=1
    )
    start(site, one)
    until(site, one)
    lines = whole_log(site, one).decode().splitlines()
    assert "FIFO_ID=mine" in lines
    assert "CUDA_VISIBLE_DEVICES=0" in lines, "the engine's word counts"
    assert not [line for line in lines if "ENGINE_SECRET" in line or line.startswith("_bg")]


def test_a_disk_that_is_full_for_a_while_loses_nothing(site, tmp_path, monkeypatch):
    one = counting(tmp_path)
    start(site, one)

    def full(self, key, note):
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Notes, "write", full)
        pump(site, one, lambda: site.centre.trouble == "no space left")
    assert until(site, one).state is SUCCEEDED
    assert not site.centre.trouble
    assert runs(tmp_path) == 1


@pytest.mark.parametrize("off_s", [-300, 300])
def test_an_agent_whose_clock_is_off_takes_no_time_away(site, off_s):
    site.off_ms = off_s * 1000
    one, over = order("sleep 0.3", 1), order("sleep 600", 2, time_s=1)
    start(site, one, over)
    assert until(site, one).state is SUCCEEDED
    seen = until(site, over)
    assert (seen.state, seen.cause) == (AttemptState.FAILED, "time-limit")
    assert seen.ended_at is not None
    assert seen.started_at is not None
    assert 900 <= seen.ended_at - seen.started_at < 20_000


def test_half_a_claim_is_nobodys(site, tmp_path):
    holder = order("echo up; exec sleep 600", 7, cpus=8)
    start(site, holder, order("exec sleep 600", 8, cpus=8))
    one = counting(tmp_path, cpus=8)
    start(site, one)
    until(site, one, AttemptState.WAITING)
    pump(site, one, lambda: site.engine.find(name(one)))
    until_log(site, holder, b"up")
    folder(site, one).write("claim", b"")  # as a task leaves it where the disk is full
    site.centre.stop(stop_of(holder), site.now())
    seen = until(site, one)
    assert (seen.state, seen.cause) == (AttemptState.FAILED, "interrupted")
    assert runs(tmp_path) == 0


@pytest.mark.parametrize("thing", ["pipe", "link", "folder"])
def test_a_job_cannot_mislead_by_what_it_puts_in_the_place_of_its_files(site, tmp_path, thing):
    precious = tmp_path / "precious"
    precious.write_text("kept")
    make = {"pipe": "mkfifo", "link": f"ln -s {precious}", "folder": "mkdir"}[thing]
    one = order(f"cd ..; rm -f log claim; {make} log; {make} claim; {make} exit; exit 3", time_s=1, grace_s=0)
    start(site, one)
    seen = until(site, one)
    assert seen.state.final
    assert whole_log(site, one) == b""
    assert precious.read_text() == "kept"


def test_who_writes_its_own_end_is_ended(site):
    one = order("printf 'exit 0 run\\n' >../exit; trap '' TERM; while :; do sleep 0.05; done")
    start(site, one)
    site.engine.all_stopping = True
    until(site, one)
    pump(site, one, lambda: site.engine.find(name(one))[0].stand is Stand.ENDED)


def test_what_is_forgotten_is_gone_everywhere(site):
    one = order("echo 1")
    start(site, one)
    until(site, one)
    site.centre.forget(one)
    pump(site, one, lambda: site.engine.forgotten == [name(one)])
    while site.centre.untidy:
        site.centre.tidy()
    assert [path.name for path in site.root.iterdir() if not path.name.startswith(".")] == []
    site.restart()
    assert look(site, one) is None


def test_the_inventory_is_known_while_the_engine_is_silent(site):
    known = site.centre.inventory()
    assert known == site.engine.inventory()
    site.engine.silent = True
    site.restart()
    assert site.centre.inventory() == known


class LeaderOnly(Faulty):
    """Signals reach the script's own process."""

    def tell(self, one, name, cause=None):
        if name == "KILL" or one.process is None:
            super().tell(one, name, cause)
        else:
            os.kill(one.process.pid, getattr(signals, f"SIG{name}"))


@pytest.mark.parametrize("signal", ["TERM", "USR1"])
def test_a_script_hands_on_what_reaches_it_alone(tmp_path, signal):
    site = QueuedSite(tmp_path / "root", LeaderOnly(launch=replace(LAUNCH, forward=True)))
    try:
        text = f"trap 'echo told; exit 5' {signal}; echo up; while :; do :; done"
        one = order(text, setup="echo set up")
        start(site, one)
        until_log(site, one, b"\nup")
        site.centre.stop(replace(stop_of(one, grace_s=60), signal=signal), site.now())
        seen = until(site, one)
        assert (seen.state, seen.exit_code) == (CANCELLED, 5)
        assert whole_log(site, one) == b"set up\nup\ntold\n"
    finally:
        site.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a folder to another user")
def test_a_folder_is_given_to_the_tasks_user_and_taken_back(tmp_path):
    folder, outside = tmp_path / "attempt", tmp_path / "outside"
    (folder / "work").mkdir(parents=True)
    outside.write_text("not its own")
    (folder / "work" / "link").symlink_to(outside)
    owners.give(folder, "nobody")
    found = [folder.stat(), (folder / "work").stat(), (folder / "work" / "link").lstat()]
    assert {one.st_uid for one in found} == {65534}
    assert outside.stat().st_uid == 0, "a link is not followed"
    owners.take_back(folder)
    assert folder.stat().st_uid == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a file to another user")
def test_a_job_of_another_user_cannot_say_that_it_never_ran(tmp_path):
    files = Files(str(tmp_path))
    files.forbid("stopped", "by its own", 5)
    os.chown(tmp_path / "claim", 65534, 65534)
    with pytest.raises(ValueError, match="not complete"):
        files.claim()


def test_a_node_that_the_engine_calls_otherwise_one_day_is_where_it_was(site, monkeypatch):
    """As Ray does while a dead node's successor has its name: a server believes no attempt that moves."""
    one = order("echo up; exec sleep 600")
    start(site, one)
    first = until(site, one, RUNNING).nodes
    assert len(first) == 1
    shown, asked = site.engine.look, []

    def otherwise():
        asked.append(one)
        return [replace(sight, nodes=("n1-2",)) for sight in shown()]

    monkeypatch.setattr(site.engine, "look", otherwise)
    for again in (2, 4):
        pump(site, one, lambda again=again: len(asked) >= again)
        assert until(site, one, RUNNING).nodes == first
        site.restart()


def test_what_has_not_begun_may_be_given_other_nodes():
    """As Slurm does that has chosen a node before it misses it: a server believes no attempt that moves."""
    chosen = Sight("bg-1", "1", Stand.RUNNING, "RUNNING", nodes=("n1",))
    seen = verdict(Told(), chosen, None, patient=True)
    assert seen is not None
    assert (seen.state, seen.nodes) == (AttemptState.WAITING, ())
