"""How every centre behaves: `ports.centre.Centre`, written down as tests.

A suite for one driver is a subclass of `Behaviour` with a fixture `site`, which makes the driver, says the
time, and lets time pass until something can have happened. The class says what its centre can do: tests of
what it cannot are not its own.
"""

import resource
from dataclasses import replace

import pytest

from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import CAPABILITIES, WITHDRAWN
from tests.centres.behaviour_bytes import Bytes
from tests.centres.behaviour_inside import Inside
from tests.centres.site import (
    FILE_CLOCK_MS,
    NODES,
    RUNNING,
    Site,
    look,
    needs,
    no_fetch,
    order,
    sha256,
    start,
    stop_of,
    until,
    until_claimed,
    until_log,
    whole_log,
)


def at_once(site: Site, count: int) -> None:
    orders = [order(f"echo {n}; exit {n % 3}", n) for n in range(count)]
    start(site, *orders)
    for n, one in enumerate(orders):
        seen = until(site, one)
        assert (seen.exit_code, seen.state is AttemptState.SUCCEEDED) == (n % 3, n % 3 == 0)
        assert whole_log(site, one) == b"%d\n" % n


class Behaviour(Bytes, Inside):
    """`cpus`: of each of the centre's two nodes. `many`: how many start at once; in the campaign 200 do.
    `clock_ms`: how far behind the clock its times may be. `counted_s`: how long a job must run for its memory
    to be known. `devices`: a word for a shell that tells which of the node's accelerators a job has."""

    capabilities: frozenset[str] = frozenset()
    managed = True
    cpus = 8
    many = 200
    clock_ms = FILE_CLOCK_MS
    counted_s = 0
    devices = "$CUDA_VISIBLE_DEVICES"

    def __init_subclass__(cls) -> None:
        """Leaves out what the centre cannot do."""
        able = cls.capabilities | {"managed" if cls.managed else "queue"}
        able |= set() if "image" in able else {"no image"}
        able |= {"few"} if cls.many < 200 else set()
        for name in dir(cls):
            if not getattr(getattr(cls, name), "needs", set()) <= able:
                setattr(cls, name, None)

    @needs("no image")
    def test_what_asks_for_an_image_is_refused_and_never_runs_without(self, site):
        one = order("echo ran", image="python:3.12")
        start(site, one)
        seen = until(site, one)
        assert (seen.state, seen.cause) == (AttemptState.FAILED, "refused")
        assert "python:3.12" in seen.detail
        assert whole_log(site, one) == b""

    @needs("secrets")
    def test_secrets_are_in_its_environment_and_in_files_that_go_with_its_end(self, site):
        value = "hf_ab$c 'd\"" + "\n\\n`e` =\n"
        files = 'sha256sum <"$BAYGRID_SECRETS/TOKEN"; stat -c %a "$BAYGRID_SECRETS"/*'
        shown = "printf '%s\\n' \"$TOKEN\"; cat $BAYGRID_SECRETS/TOKEN"
        run = f'printf %s "$TOKEN" | sha256sum; {files}; {shown}'
        one = order(run, setup="echo $SHORT", secrets=("SHORT", "TOKEN"))
        site.centre.prepare(one, no_fetch)
        site.centre.entrust(one, {"TOKEN": value, "SHORT": "hf_short"})
        start(site, one)
        assert until(site, one).exit_code == 0
        log = whole_log(site, one)
        assert log.count(sha256(value.encode()).encode()) == 2, log
        assert b"\n600\n600\n" in log
        assert b"hf_" not in log

    @needs("secrets")
    def test_secrets_are_masked_while_it_runs_and_go_when_it_is_stopped(self, site):
        one = order("printf 'a %s' $TOKEN; echo; echo ready; sleep 1000", secrets=("TOKEN",))
        site.centre.prepare(one, no_fetch)
        site.centre.entrust(one, {"TOKEN": "hf_0123456789"})
        start(site, one)
        until_log(site, one, b"ready")
        site.restart()
        assert whole_log(site, one, limit=5) == b"a *************\nready\n"
        site.centre.stop(stop_of(one), site.now())
        until(site, one)
        assert whole_log(site, one) == b"a *************\nready\n"

    def test_its_capabilities_are_as_declared(self, site, record_property):
        assert site.centre.capabilities() == self.capabilities
        assert self.capabilities <= CAPABILITIES
        record_property("capabilities", [type(self).__name__, sorted(self.capabilities)])

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
        assert seen.ended_at - seen.started_at >= 1_000 - self.clock_ms

    def test_a_stop_before_the_start_means_that_it_never_starts(self, site):
        one = order("echo ran")
        site.centre.prepare(one, no_fetch)
        site.centre.stop(stop_of(one), site.now())
        start(site, one)
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

    def test_what_is_withdrawn_never_starts(self, site):
        one = order("echo ran")
        site.centre.prepare(one, no_fetch)
        site.centre.stop(replace(stop_of(one), reason=WITHDRAWN), site.now())
        start(site, one)
        seen = until(site, one)
        assert (seen.state, seen.started_at) == (AttemptState.CANCELLED, None)
        assert whole_log(site, one) == b""

    def test_what_runs_is_not_withdrawn(self, site):
        one = order("echo up; exec sleep 600")
        start(site, one)
        until_log(site, one, b"up")
        site.centre.stop(replace(stop_of(one), reason=WITHDRAWN), site.now())
        assert until(site, one, RUNNING).state is RUNNING
        site.centre.stop(stop_of(one), site.now())
        assert until(site, one).state is AttemptState.CANCELLED

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
        assert seen.ended_at - asked >= 1_000 - self.clock_ms

    def test_a_stop_after_the_end_changes_nothing(self, site):
        one = order("exit 5")
        start(site, one)
        before = until(site, one)
        site.centre.stop(stop_of(one), site.now())
        assert look(site, one) == before

    def test_a_job_cannot_have_its_end_written_elsewhere(self, site, tmp_path):
        precious = tmp_path / "precious"
        precious.write_text("kept")
        one = order(f"ln -s {precious} ../exit; exit 3")
        start(site, one)
        seen = until(site, one)
        assert (seen.state, seen.exit_code) == (AttemptState.FAILED, 3)
        assert precious.read_text() == "kept"

    def test_the_log_is_whole_to_the_last_byte(self, site):
        one = order("seq 1 20000; printf end; printf err >&2")
        start(site, one)
        until(site, one)
        expected = b"".join(b"%d\n" % n for n in range(1, 20_001)) + b"enderr"
        assert whole_log(site, one, limit=7_001) == expected
        assert site.centre.read_log(one, len(expected), 10) == b""

    @needs("gang")
    def test_a_gang_has_ranks_that_know_each_other(self, site):
        one = order("echo $NODE_RANK/$NNODES $MASTER_ADDR:$MASTER_PORT", nodes=NODES)
        start(site, one)
        assert until(site, one).state is AttemptState.SUCCEEDED
        lines = sorted(whole_log(site, one).decode().split("\n")[:-1])
        assert [line.split()[0] for line in lines] == ["0/2", "1/2"]
        assert len({line.split()[1] for line in lines}) == 1

    @needs("gang")
    def test_a_gang_ends_when_one_rank_fails(self, site):
        one = order('if [ "$NODE_RANK" = 1 ]; then exit 7; fi; exec sleep 600', nodes=NODES)
        start(site, one)
        seen = until(site, one)
        assert (seen.state, seen.exit_code) == (AttemptState.FAILED, 7)

    @needs("gang")
    def test_a_gang_has_its_setup_once(self, site):
        one = order('[ "$(cat made)" = 1 ]', nodes=NODES, setup="echo 1 >>made; echo set up")
        start(site, one)
        assert until(site, one).state is AttemptState.SUCCEEDED
        assert whole_log(site, one) == b"set up\n"

    @needs("accelerators")
    def test_what_asks_for_no_accelerator_sees_none(self, site):
        one = order('echo "$GPUS_PER_NODE:$CUDA_VISIBLE_DEVICES:"', envs={"CUDA_VISIBLE_DEVICES": "0,1"})
        start(site, one)
        until(site, one)
        assert whole_log(site, one) == b"0::\n"

    @needs("accelerators")
    def test_accelerators_are_distinct_while_they_are_used(self, site):
        show = f"echo $GPUS_PER_NODE:{self.devices}; exec sleep 600"
        orders = [order(show, n, accelerator="H100", accelerators=4) for n in range(2)]
        start(site, *orders)
        given = []
        for one in orders:
            until_log(site, one, b"\n")
            count, _, devices = whole_log(site, one).decode().strip().partition(":")
            assert count == "4"
            nodes = one.nodes if site.managed else until(site, one, RUNNING).nodes
            given += [(nodes, device) for device in devices.split(",")]
        assert len(set(given)) == 8
        for one in orders:
            site.centre.stop(stop_of(one), site.now())
            until(site, one)
        after = order(show.partition(";")[0], 10, accelerator="H100", accelerators=8)
        start(site, after)
        until(site, after)
        assert whole_log(site, after) == b"8:0,1,2,3,4,5,6,7\n"

    @needs("managed")
    @needs("accelerators")
    def test_accelerators_that_are_in_use_are_known_after_a_restart(self, site):
        orders = [order("echo up; exec sleep 600", n, accelerator="H100", accelerators=4) for n in range(2)]
        start(site, *orders)
        for one in orders:
            until_log(site, one, b"up")
        site.restart()
        for one in orders:
            assert until(site, one, RUNNING).state is RUNNING
        late = order("echo ran", 9, accelerator="H100", accelerators=1)
        start(site, late)
        assert until(site, late).cause == "refused", "all eight are still in use after the restart"

    @needs("queue")
    def test_what_can_never_run_there_is_refused(self, site):
        one = order("echo ran", partition="elsewhere")
        start(site, one)
        seen = until(site, one)
        assert (seen.state, seen.cause, seen.started_at) == (AttemptState.FAILED, "refused", None)
        assert "elsewhere" in seen.detail

    @needs("queue")
    def test_it_is_told_where_it_runs(self, site):
        one = order("echo up; exec sleep 600")
        start(site, one)
        until_log(site, one, b"up")
        seen = until(site, one, RUNNING)
        assert len(seen.nodes) == 1
        site.centre.stop(stop_of(one), site.now())
        assert until(site, one).nodes == seen.nodes

    @needs("queue")
    def test_what_waits_there_can_be_stopped_and_never_runs(self, site):
        holders = [order("echo up; exec sleep 600", n, cpus=self.cpus) for n in range(2)]
        start(site, *holders)
        for one in holders:
            until_log(site, one, b"up")
        waiting, after = order("echo ran", 8, cpus=self.cpus), order("echo ran", 9, cpus=self.cpus)
        start(site, waiting, after)
        assert until(site, waiting, AttemptState.WAITING).started_at is None
        site.centre.stop(stop_of(waiting), site.now())
        assert until(site, waiting).state is AttemptState.CANCELLED
        for one in holders:
            site.centre.stop(stop_of(one), site.now())
            assert until(site, one).state is AttemptState.CANCELLED
        assert until(site, after).state is AttemptState.SUCCEEDED
        assert whole_log(site, waiting) == b""

    def test_many_at_once(self, site):
        at_once(site, self.many)

    @needs("few")
    @pytest.mark.campaign
    @pytest.mark.timeout(3_000)
    def test_two_hundred_at_once(self, site):
        site.patience(2_500)
        at_once(site, 200)

    @needs("managed")
    def test_an_order_for_a_node_that_is_not_there_is_refused(self, site):
        one = order("echo ran", nodes=("elsewhere",))
        start(site, one)
        seen = until(site, one)
        assert (seen.state, seen.cause) == (AttemptState.FAILED, "refused")
        assert "elsewhere" in seen.detail

    @needs("out-of-memory")
    def test_too_much_memory_ends_it(self, site):
        hungry = "import time; x = bytearray(200 << 20); time.sleep(600)"
        one = order(f"exec python3 -c '{hungry}'", memory_mib=64)
        start(site, one)
        seen = until(site, one)
        assert (seen.state, seen.cause) == (AttemptState.FAILED, "out-of-memory")
        assert seen.peak_memory_mib >= 60, "about all that it was allowed"

    def test_use_is_measured(self, site):
        busy = "import time; x = bytearray(80 << 20)\nwhile time.process_time() < 0.4: pass\n"
        one = order(f"python3 -c '{busy}time.sleep({self.counted_s})'; true")
        start(site, one)
        seen = until(site, one)
        assert 0.4 <= seen.cpu_seconds < 5
        # The kernel counts the memory of whoever started a process as that process's own peak.
        starter_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        assert 80 <= seen.peak_memory_mib < max(300, starter_mib + 50)

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
