"""A shorter pass on a real Slurm 24.11 in a chroot, which has no accounting: what has ended is remembered for
seconds only."""

import time

import pytest

from baygrid.centres.folder.files import key_of
from baygrid.core.jobs.lifecycle import AttemptState
from tests.centres.behaviour import Behaviour
from tests.centres.site import RUNNING, look, order, start, until, until_log
from tests.centres.slurm.clusters import lines

pytestmark = [pytest.mark.slow, pytest.mark.slurm, pytest.mark.xdist_group("slurm")]


@pytest.fixture
def site(site24):
    return site24


class TestSlurm24:
    capabilities = frozenset(
        {"accelerators", "accounts", "arrays", "checkpoint", "estimate", "exec", "gang", "secrets"}
    )
    managed = False
    cpus = 8
    many = 60
    clock_ms = 1_000
    devices = "$SLURM_JOB_GPUS"

    test_its_capabilities_are_as_declared = Behaviour.test_its_capabilities_are_as_declared
    test_success = Behaviour.test_success
    test_an_exit_code_is_a_failure_and_is_kept = Behaviour.test_an_exit_code_is_a_failure_and_is_kept
    test_the_time_limit_ends_it = Behaviour.test_the_time_limit_ends_it
    test_a_stop_lets_it_end_in_its_own_way = Behaviour.test_a_stop_lets_it_end_in_its_own_way
    test_what_ignores_term = Behaviour.test_what_ignores_term_is_killed_after_the_grace
    test_what_waits_there = Behaviour.test_what_waits_there_can_be_stopped_and_never_runs
    test_the_log_is_whole_to_the_last_byte = Behaviour.test_the_log_is_whole_to_the_last_byte
    test_a_gang_has_ranks_that_know_each_other = Behaviour.test_a_gang_has_ranks_that_know_each_other
    test_a_gang_ends_when_one_rank_fails = Behaviour.test_a_gang_ends_when_one_rank_fails
    test_accelerators_are_distinct = Behaviour.test_accelerators_are_distinct_while_they_are_used
    test_what_can_never_run_there_is_refused = Behaviour.test_what_can_never_run_there_is_refused
    test_many_at_once = Behaviour.test_many_at_once
    test_a_command_beside_it = Behaviour.test_a_command_beside_it_has_its_place_and_passes_its_code_on
    test_what_is_sent_arrives_whole = Behaviour.test_what_is_sent_arrives_whole
    test_a_shell = Behaviour.test_a_shell_has_a_terminal_of_the_users_size
    test_it_ends_with_the_user = Behaviour.test_it_ends_with_the_user
    test_it_ends_with_the_attempt = Behaviour.test_it_ends_with_the_attempt
    test_each_rank_of_a_gang_can_be_entered = Behaviour.test_each_rank_of_a_gang_can_be_entered
    test_a_port = Behaviour.test_a_port_of_it_has_many_connections_each_of_two_halves
    test_a_restart = Behaviour.test_a_restart_finds_what_runs_and_what_ended


@pytest.mark.campaign
class TestWhole(Behaviour):
    capabilities, managed, many = TestSlurm24.capabilities, False, 200
    clock_ms, devices = TestSlurm24.clock_ms, TestSlurm24.devices
    test_use_is_measured = None  # type: ignore[assignment] # by accounting, which is not there


def purged(site) -> bool:
    return not lines(site.cluster.ask("squeue", "--noheader", "--states=all"))


def wait_until_purged(site) -> None:
    end = time.monotonic() + 60
    while not purged(site):
        assert time.monotonic() < end
        time.sleep(0.5)


@pytest.mark.timeout(180)
def test_what_slurm_has_forgotten_is_known_by_its_folder_or_is_unknown(site):
    """The agent is away for longer than Slurm remembers. The script of one was killed: it wrote nothing."""
    told, silent = order("sleep 1; exit 4", 1), order("echo up; exec sleep 600", 2)
    start(site, told, silent)
    until_log(site, silent, b"up")
    until(site, silent, RUNNING)
    site.centre.close()
    exit = site.root / key_of(told.token) / "exit"
    while not exit.exists():
        time.sleep(0.1)
    site.cluster.ask("scancel", "--batch", "--signal=KILL", "--user=bg-alice")
    wait_until_purged(site)
    site.restart()
    seen = until(site, told)
    assert (seen.state, seen.exit_code, seen.cause) == (AttemptState.FAILED, 4, "exit-code")
    assert until(site, silent, AttemptState.UNKNOWN).raw == "absent"
    again = look(site, silent)
    assert again is not None
    assert again.state is AttemptState.UNKNOWN, "and it is never over"
