"""How every centre behaves: `ports.centre.Centre`, written down as tests.

A suite for one driver is a subclass of `Behaviour` with a fixture `site`, which makes the driver, says the
time, and lets time pass until something can have happened.
"""

import contextlib
import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Protocol

import pytest

from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Centre, Observation, StagingFailed
from baygrid.ports.messages import Order, Stop

PARTITION = "main"
NODES = ("n1", "n2")  # each with 8 cpus, 8 GiB and 8 H100


class Site(Protocol):
    """A centre under test."""

    @property
    def centre(self) -> Centre: ...

    def now(self) -> Instant: ...

    def wait(self) -> None:
        """Returns when the centre may have something new to say; fails the test after a long time."""
        ...

    def restart(self) -> None:
        """Puts a new driver in `centre`, as after the death of the agent's process."""
        ...


def order(run: str = ":", number: object = 1, **change: Any) -> Order:
    nodes = change.get("nodes", NODES[:1])
    return replace(
        Order(
            attempt=f"att-{number}",
            token=f"secret-of-{number}",
            job=f"job-{number}",
            project="demo",
            state=AttemptState.PLACED,
            partition=PARTITION,
            nodes=nodes,
            cpus=1,
            memory_mib=512,
            accelerator=None,
            accelerators=0,
            time_s=60,
            grace_s=5,
            setup="",
            run=run,
            envs={},
            workdir=None,
            inputs={},
            outputs=(),
        ),
        **change,
    )


def stop_of(order: Order, grace_s: int = 5) -> Stop:
    return Stop(order.attempt, order.token, "the user asked for it", grace_s)


def tar_of(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def no_fetch(digest: str) -> Iterator[bytes]:
    raise AssertionError(f"{digest} was not to be fetched")


def fetch_from(*blobs: bytes) -> Callable[[str], Iterator[bytes]]:
    known = {sha256(blob): blob for blob in blobs}
    return lambda digest: iter([known[digest][:100], known[digest][100:]])


def start(site: Site, *orders: Order, fetch: Any = no_fetch) -> None:
    for one in orders:
        site.centre.prepare(one, fetch)
        site.centre.start(one, site.now())


def look(site: Site, one: Order) -> Observation | None:
    return site.centre.observe([one], site.now()).get(one.token)


def until(site: Site, one: Order, *states: AttemptState) -> Observation:
    """Waits for one of `states`, or for a final one."""
    while True:
        seen = look(site, one)
        if seen is not None and (seen.state in states or (not states and seen.state.final)):
            return seen
        assert seen is None or not seen.state.final, seen
        site.wait()


def until_log(site: Site, one: Order, text: bytes) -> None:
    while text not in site.centre.read_log(one, 0, 1 << 20):
        seen = look(site, one)
        assert seen is None or not seen.state.final, (seen, site.centre.read_log(one, 0, 1000))
        site.wait()


def whole_log(site: Site, one: Order, limit: int = 1 << 20) -> bytes:
    log = b""
    while part := site.centre.read_log(one, len(log), limit):
        log += part
    return log


RUNNING = AttemptState.RUNNING
FILE_CLOCK_MS = 10  # a file's times may be a tick of the kernel behind the clock


class Behaviour:
    def test_success(self, site):
        one = order("echo done")
        assert look(site, one) is None, "a token that was never started is absent"
        start(site, one)
        seen = until(site, one)
        assert (seen.state, seen.exit_code, seen.cause) == (AttemptState.SUCCEEDED, 0, None)
        assert seen.started_at is not None
        assert seen.ended_at is not None
        assert seen.started_at <= seen.ended_at

    def test_an_exit_code_is_a_failure_and_is_kept(self, site):
        one = order("exit 3")
        start(site, one)
        seen = until(site, one)
        assert (seen.state, seen.exit_code, seen.cause) == (AttemptState.FAILED, 3, "exit-code")

    def test_a_script_that_kills_its_own_shell_has_failed(self, site):
        one = order("echo up; kill -KILL $$; echo not reached")
        start(site, one)
        seen = until(site, one)
        assert (seen.state, seen.exit_code, seen.cause) == (AttemptState.FAILED, 137, "exit-code")
        assert whole_log(site, one) == b"up\n"

    def test_a_script_may_be_long_and_have_any_character(self, site):
        line = "数据 $x `y` \\ " * 20_000
        text = f"cat <<'EOF'\n{line}\nEOF\n"
        one = order(text)
        start(site, one)
        assert until(site, one).state is AttemptState.SUCCEEDED
        assert whole_log(site, one) == f"{line}\n".encode()

    def test_a_script_begins_with_a_clean_shell(self, site):
        show = 'echo "$# ${code-none} ${phase-none} ${run-none}"'
        one = order(f"{show}; echo 1 >f; echo 2 >f; false; cat f; exit $?")
        start(site, one)
        assert until(site, one).state is AttemptState.SUCCEEDED
        assert whole_log(site, one) == b"0 none none none\n2\n"

    def test_a_script_with_a_fault_fails(self, site):
        one = order("echo up; if")
        start(site, one)
        assert until(site, one).cause == "exit-code"

    def test_a_failed_setup_is_told_apart_and_nothing_runs(self, site):
        one = order("echo ran", setup="echo set up; exit 4")
        start(site, one)
        seen = until(site, one)
        assert (seen.state, seen.exit_code, seen.cause) == (AttemptState.FAILED, 4, "setup-failed")
        assert whole_log(site, one) == b"set up\n"

    def test_setup_runs_before_run_in_the_same_place(self, site):
        one = order("cat made", setup="echo by setup >made")
        start(site, one)
        assert until(site, one).state is AttemptState.SUCCEEDED
        assert whole_log(site, one) == b"by setup\n"

    def test_the_time_limit_ends_it(self, site):
        one = order("sleep 600", time_s=1)
        start(site, one)
        seen = until(site, one)
        assert (seen.state, seen.cause) == (AttemptState.FAILED, "time-limit")
        assert seen.started_at is not None
        assert seen.ended_at is not None
        assert seen.ended_at - seen.started_at >= 1_000 - FILE_CLOCK_MS

    def test_a_stop_before_the_start_means_that_it_never_starts(self, site):
        one = order("echo ran")
        site.centre.prepare(one, no_fetch)
        site.centre.stop(stop_of(one), site.now())
        site.centre.start(one, site.now())
        seen = until(site, one)
        assert (seen.state, seen.started_at) == (AttemptState.CANCELLED, None)
        assert whole_log(site, one) == b""

    def test_a_stop_of_something_unheard_of_keeps_it_from_ever_starting(self, site):
        one = order("echo ran")
        site.centre.stop(stop_of(one), site.now())
        start(site, one)
        assert until(site, one).state is AttemptState.CANCELLED
        assert whole_log(site, one) == b""

    def test_a_stop_right_after_the_start_ends_either_way(self, site):
        orders = [order("sleep 600", n) for n in range(5)]
        for one in orders:
            start(site, one)
            site.centre.stop(stop_of(one), site.now())
        assert {until(site, one).state for one in orders} == {AttemptState.CANCELLED}

    def test_a_stop_while_running(self, site):
        one = order("echo up; exec sleep 600")
        start(site, one)
        until_log(site, one, b"up")
        site.centre.stop(stop_of(one), site.now())
        seen = until(site, one)
        assert (seen.state, seen.cause) == (AttemptState.CANCELLED, None)
        assert seen.started_at is not None

    def test_a_stop_lets_it_end_in_its_own_way(self, site):
        one = order("trap 'echo saved; exit 0' TERM; echo up; while :; do sleep 0.05; done")
        start(site, one)
        until_log(site, one, b"up")
        site.centre.stop(stop_of(one, grace_s=60), site.now())
        assert until(site, one).state is AttemptState.CANCELLED
        assert whole_log(site, one).endswith(b"saved\n")

    def test_what_ignores_term_is_killed_after_the_grace(self, site):
        one = order("trap '' TERM; echo up; while :; do sleep 0.05; done")
        start(site, one)
        until_log(site, one, b"up")
        asked = site.now()
        site.centre.stop(stop_of(one, grace_s=1), site.now())
        assert until(site, one, AttemptState.STOPPING, AttemptState.CANCELLED).state is AttemptState.STOPPING
        seen = until(site, one)
        assert seen.state is AttemptState.CANCELLED
        assert seen.ended_at is not None
        assert seen.ended_at - asked >= 1_000 - FILE_CLOCK_MS

    def test_a_stop_after_the_end_changes_nothing(self, site):
        one = order("exit 5")
        start(site, one)
        before = until(site, one)
        site.centre.stop(stop_of(one), site.now())
        assert look(site, one) == before

    def test_the_log_is_whole_to_the_last_byte(self, site):
        one = order("seq 1 20000; printf end; printf err >&2")
        start(site, one)
        until(site, one)
        expected = b"".join(b"%d\n" % n for n in range(1, 20_001)) + b"enderr"
        assert whole_log(site, one, limit=7_001) == expected
        assert site.centre.read_log(one, len(expected), 10) == b""

    def test_a_gang_has_ranks_that_know_each_other(self, site):
        one = order("echo $NODE_RANK/$NNODES $MASTER_ADDR:$MASTER_PORT", nodes=NODES)
        start(site, one)
        assert until(site, one).state is AttemptState.SUCCEEDED
        lines = sorted(whole_log(site, one).decode().split("\n")[:-1])
        assert [line.split()[0] for line in lines] == ["0/2", "1/2"]
        assert len({line.split()[1] for line in lines}) == 1

    def test_a_gang_ends_when_one_rank_fails(self, site):
        one = order('if [ "$NODE_RANK" = 1 ]; then exit 7; fi; exec sleep 600', nodes=NODES)
        start(site, one)
        seen = until(site, one)
        assert (seen.state, seen.exit_code) == (AttemptState.FAILED, 7)

    def test_accelerators_are_distinct_while_they_are_used(self, site):
        show = "echo $GPUS_PER_NODE:$CUDA_VISIBLE_DEVICES; exec sleep 600"
        orders = [order(show, n, accelerator="H100", accelerators=4) for n in range(2)]
        start(site, *orders)
        given = []
        for one in orders:
            until_log(site, one, b"\n")
            count, _, devices = whole_log(site, one).decode().strip().partition(":")
            assert count == "4"
            given += devices.split(",")
        assert sorted(given) == [str(n) for n in range(8)]
        site.restart()
        for one in orders:
            assert until(site, one, RUNNING).state is RUNNING
        late = order("echo ran", 9, accelerator="H100", accelerators=1)
        start(site, late)
        assert until(site, late).cause == "refused", "all eight are still in use after the restart"
        for one in orders:
            site.centre.stop(stop_of(one), site.now())
            until(site, one)
        after = order(show.partition(";")[0], 10, accelerator="H100", accelerators=8)
        start(site, after)
        until(site, after)
        assert whole_log(site, after) == b"8:0,1,2,3,4,5,6,7\n"

    def test_an_order_for_a_node_that_is_not_there_is_refused(self, site):
        one = order("echo ran", nodes=("elsewhere",))
        start(site, one)
        seen = until(site, one)
        assert (seen.state, seen.cause) == (AttemptState.FAILED, "refused")
        assert "elsewhere" in seen.detail

    def test_too_much_memory_ends_it(self, site):
        hungry = "import time; x = bytearray(200 << 20); time.sleep(600)"
        one = order(f"exec python3 -c '{hungry}'", memory_mib=64)
        start(site, one)
        seen = until(site, one)
        assert (seen.state, seen.cause) == (AttemptState.FAILED, "out-of-memory")
        assert seen.peak_memory_mib > 64

    def test_use_is_measured(self, site):
        busy = "import time; x = bytearray(80 << 20)\nwhile time.process_time() < 0.4: pass"
        one = order(f"python3 -c '{busy}'; true")
        start(site, one)
        seen = until(site, one)
        assert 0.4 <= seen.cpu_seconds < 5
        assert 80 <= seen.peak_memory_mib < 300

    def test_a_second_start_does_nothing(self, site):
        one = order("echo ran")
        start(site, one, one)
        until(site, one)
        start(site, one)
        assert until(site, one).state is AttemptState.SUCCEEDED
        assert whole_log(site, one) == b"ran\n"

    def test_a_second_start_after_a_restart_does_nothing(self, site):
        one = order("echo ran; exec sleep 600")
        start(site, one)
        site.restart()
        start(site, one)
        until_log(site, one, b"ran")
        site.restart()
        start(site, one)
        assert until(site, one, RUNNING).state is RUNNING
        site.centre.stop(stop_of(one), site.now())
        until(site, one)
        assert whole_log(site, one) == b"ran\n"

    def test_a_restart_finds_what_runs_and_what_ended(self, site):
        done, running, stopping = (
            order("exit 6", 1),
            order("echo up; exec sleep 600", 2),
            order("trap '' TERM; echo up; while :; do sleep 0.05; done", 3),
        )
        start(site, done, running, stopping)
        before = until(site, done)
        until_log(site, running, b"up")
        until_log(site, stopping, b"up")
        site.centre.stop(stop_of(stopping, grace_s=1), site.now())
        begun = until(site, running, RUNNING).started_at
        site.restart()
        after = until(site, done)
        assert (after.state, after.exit_code, after.cause) == (before.state, 6, "exit-code")
        assert (after.started_at, after.ended_at) == (before.started_at, before.ended_at)
        assert until(site, running, RUNNING).started_at == begun
        assert until(site, stopping).state is AttemptState.CANCELLED, (
            "the kill after the grace is not forgotten"
        )
        site.centre.stop(stop_of(running), site.now())
        assert until(site, running).state is AttemptState.CANCELLED

    def test_an_end_that_nobody_saw_is_found(self, site):
        one = order("exit 9")
        start(site, one)
        until_claimed(site, one)
        site.restart()
        seen = until(site, one)
        assert (seen.state, seen.exit_code) == (AttemptState.FAILED, 9)

    def test_workdir_and_inputs_are_unpacked(self, site):
        workdir, photos = tar_of({"a/b.txt": b"from the workdir\n"}), tar_of({"p.jpg": b"photo\n"})
        one = order(
            'cat a/b.txt "$BAYGRID_INPUTS/photos/p.jpg"',
            workdir=sha256(workdir),
            inputs={"photos": sha256(photos)},
        )
        start(site, one, fetch=fetch_from(workdir, photos))
        assert until(site, one).state is AttemptState.SUCCEEDED
        assert whole_log(site, one) == b"from the workdir\nphoto\n"

    def test_preparing_again_fetches_nothing_again(self, site):
        workdir = tar_of({"a": b"1"})
        one = order("cat a", workdir=sha256(workdir))
        site.centre.prepare(one, fetch_from(workdir))
        site.centre.prepare(one, no_fetch)

    def test_bytes_that_are_not_what_was_asked_for_are_refused(self, site):
        one = order("cat a", workdir=sha256(b"something else"))
        with pytest.raises(StagingFailed):
            site.centre.prepare(one, lambda digest: iter([tar_of({"a": b"1"})]))

    def test_outputs_are_named_when_it_succeeded(self, site):
        one = order('echo 1 >"$BAYGRID_OUTPUTS/labels/x"', outputs=("labels",))
        start(site, one)
        seen = until(site, one)
        assert set(seen.outputs) == {"labels"}
        assert (seen.outputs["labels"] / "x").read_bytes() == b"1\n"

    def test_what_is_forgotten_is_absent(self, site):
        one = order("echo 1")
        start(site, one)
        until(site, one)
        site.centre.forget(one)
        assert look(site, one) is None
        assert site.centre.read_log(one, 0, 10) == b""
        site.centre.forget(one)

    def test_the_environment_is_the_jobs_own(self, site, monkeypatch):
        monkeypatch.setenv("AGENT_SECRET", "not for jobs")
        one = order("env", envs={"BATCH": "64 and more", "HOME": "/tmp"})
        start(site, one)
        until(site, one)
        lines = whole_log(site, one).decode().splitlines()
        assert "BATCH=64 and more" in lines
        assert "HOME=/tmp" in lines
        assert "BAYGRID_ATTEMPT=att-1" in lines
        assert not [line for line in lines if "AGENT_SECRET" in line or one.token in line]


def until_claimed(site: Site, one: Order) -> None:
    """Until the centre knows that it began."""
    with contextlib.suppress(AssertionError):
        until(site, one, RUNNING)
