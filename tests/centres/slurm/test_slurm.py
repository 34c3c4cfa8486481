"""What only a driver of Slurm can do wrong, on a real Slurm 22.05."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from baygrid.centres.engine import EngineSilent
from baygrid.centres.slurm import SlurmEngine
from baygrid.centres.slurm.blocking import Blocking
from baygrid.centres.slurm.running import Run, Said, runner
from baygrid.core.jobs.lifecycle import AttemptState
from tests.centres.site import RUNNING, look, order, start, stop_of, until, until_log, whole_log
from tests.centres.slurm.clusters import lines
from tests.centres.slurm.sites import SlurmSite, now

pytestmark = [pytest.mark.slow, pytest.mark.slurm, pytest.mark.xdist_group("slurm")]
SUCCEEDED, FAILED, CANCELLED = AttemptState.SUCCEEDED, AttemptState.FAILED, AttemptState.CANCELLED


@pytest.fixture
def site(site22):
    return site22


class Watched:
    """Runs commands and notes them; `before` and `after` may interfere."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.seen: list[list[str]] = []
        self.before: Callable[[Sequence[str]], None] = lambda argv: None
        self.after: Callable[[Sequence[str]], None] = lambda argv: None

    def __call__(self, argv: Sequence[str]) -> Said:
        self.seen.append(list(argv))
        self.before(argv)
        said = self._run(argv)
        self.after(argv)
        return said

    def count(self, program: str) -> int:
        return sum(argv[0] == program for argv in self.seen)


@pytest.fixture
def watched(site) -> Watched:
    """Of a centre that begins anew with it."""
    run = Watched(runner(site.cluster.settings))
    site.run = run
    site.restart()
    return run


def eventually(true: Callable[[], object], patience_s: float = 30) -> None:
    end = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)


def accounted(site: SlurmSite, fields: str) -> list[list[str]]:
    """What the accounting has of this test's jobs, once it has all of them."""
    engine = SlurmEngine(site.cluster.settings, site.root.parent / f"{site.root.name}.engine", now)
    names = {f"bg-{path.name}" for path in site.root.iterdir() if not path.name.startswith(".")}
    asked = ",".join(sorted(engine._arrays.names(names)))
    argv = ["sacct", "--allusers", "--noheader", "--parsable2", "--allocations", f"--format={fields}"]
    return [line.split("|") for line in lines(site.cluster.ask(*argv, f"--name={asked}"))]


def test_tasks_alike_are_one_native_array(site, watched):
    orders = [order(f"echo {n}", n) for n in range(30)] + [order("echo x", 99, cpus=2)]
    start(site, *orders)
    for one in orders:
        assert until(site, one).state is SUCCEEDED
    assert whole_log(site, orders[7]) == b"7\n"
    assert watched.count("sbatch") == 2
    eventually(lambda: len(accounted(site, "JobID")) == 31)


def test_one_question_asks_for_all(site, watched):
    orders = [order("exec sleep 600", n, memory_mib=100) for n in range(12)]
    start(site, *orders)
    for one in orders:
        until(site, one, RUNNING)
    watched.seen.clear()
    for _ in range(20):
        look(site, orders[0])
        site.wait()
    assert watched.count("squeue") <= 5
    assert watched.count("scontrol") == 0


@pytest.mark.timeout(400)
@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_controller_that_dies_in_the_middle_of_a_submit_doubles_and_loses_nothing(site, watched, lost):
    died: list[str] = []

    def die(argv: Sequence[str]) -> None:
        if argv[0] == "sbatch" and not died:
            names = [word.removeprefix("--job-name=") for word in argv if word.startswith("--job-name=")]
            eventually(lambda: site.cluster.has_saved(names[0] if lost == "answer" else before))
            site.cluster.command("kill-controller")
            died.append(lost)
            if lost == "answer":
                raise EngineSilent("it died before it could answer")

    if lost == "answer":
        watched.after = die
    else:
        watched.before = die
    before = f"before-{lost}"  # saved when all that earlier tests did is
    lines(site.cluster.ask("sbatch", "--hold", f"--job-name={before}", "--uid=bg-alice", "--wrap=:"))
    orders = [order("echo ran", n) for n in range(10)] + [order("echo ran", 10, cpus=2)]
    start(site, *orders)
    while not died:
        look(site, orders[0])
        site.wait()
    site.restart()
    site.cluster.command("start-controller")
    site.patience(300)  # nodes register again in their own time
    for one in orders:
        assert until(site, one).state is SUCCEEDED
        assert whole_log(site, one) == b"ran\n"


def test_what_it_reports_is_what_slurm_has_counted(site):
    one = order("sleep 2", 1, cpus=2, accelerator="H100", accelerators=3)
    start(site, one)
    seen = until(site, one)
    assert seen.nodes
    began, ended = str((seen.started_at or 0) // 1000), str((seen.ended_at or 0) // 1000)
    eventually(lambda: accounted(site, "State,Start,End,AllocCPUS") == [["COMPLETED", began, ended, "2"]])


def test_jobs_of_others_are_told_once_and_ours_never(site):
    since = now() - 2_000
    ours = order("sleep 1")
    start(site, ours)
    argv = ["--uid=bg-bob", "--gid=bg-bob", "--mem=100", "--chdir=/", "--output=/dev/null"]
    argv += ["--parsable", "--nodes=2", "--gpus-per-node=H100:2", "--wrap=sleep 2"]
    id = lines(site.cluster.ask("sbatch", *argv))[0]
    until(site, ours)
    engine = SlurmEngine(site.cluster.settings, site.root / ".other", now)
    engine.inventory()
    eventually(lambda: [one.id for one in engine.outside(since, now() + 1_000)] == [id])
    (one,) = engine.outside(since, now() + 1_000)
    assert (one.account, one.partition, one.nodes) == ("bg-bob", "main", 2)
    assert one.accelerators == {"H100": 4}
    assert engine.outside(one.end + 1, now() + 1_000) == []
    (row,) = [
        line.split("|")
        for line in lines(site.cluster.ask("sacct", "-anPX", f"--jobs={id}", "--format=Start,End,AllocCPUS"))
    ]
    assert [one.start // 1000, one.end // 1000, one.cpus] == [int(cell) for cell in row]


def test_each_project_runs_as_its_own_user(site):
    alice, bob = order("id -un; id -gn"), order("id -un; id -gn", 2, project="other")
    stranger = order("echo ran", 3, project="stranger")
    start(site, alice, bob, stranger)
    assert until(site, alice).state is SUCCEEDED
    assert until(site, bob).state is SUCCEEDED
    assert whole_log(site, alice) == b"bg-alice\nbg-alice\n"
    assert whole_log(site, bob) == b"bg-bob\nbg-bob\n"
    seen = until(site, stranger)
    assert (seen.state, seen.cause) == (FAILED, "refused")
    assert "stranger" in seen.detail


def test_a_blocked_account_begins_nothing_until_it_is_unblocked(site, watched):
    cluster = lines(site.cluster.ask("scontrol", "show", "config"))
    name = next(line.split("=")[1].strip() for line in cluster if line.startswith("ClusterName"))
    blocking = Blocking(runner(site.cluster.settings), name, site.root / ".blocked")
    blocking.block("bg-alice")
    blocking.block("bg-alice")
    assert blocking.blocked("bg-alice")
    assert not blocking.blocked("bg-bob")
    one = order("echo ran")
    start(site, one)
    while watched.count("sbatch") < 2:
        seen = look(site, one)
        assert seen is not None
        assert not seen.state.final
        site.wait()
    blocking.unblock("bg-alice")
    blocking.unblock("bg-alice")
    assert not blocking.blocked("bg-alice")
    assert until(site, one).state is SUCCEEDED
    with pytest.raises(EngineSilent):
        blocking.block("nobody-here")


def test_a_wait_is_asked_of_slurm(site):
    engine = SlurmEngine(site.cluster.settings, site.root / ".other", now)
    wide = replace(order(cpus=8, time_s=600), nodes=(), count=2)
    impossible = replace(wide, cpus=64)
    free, never = engine.waits([wide, impossible])
    assert free is not None
    assert free <= 10
    assert never is None
    holder = order("exec sleep 600", 5, cpus=8, time_s=600)
    start(site, holder)
    until(site, holder, RUNNING)
    (busy,) = engine.waits([wide])
    assert busy is not None
    assert busy > 300


def test_a_signal_reaches_every_rank_of_a_gang(site):
    text = "trap 'echo saved; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    one = order(text, nodes=("n1", "n2"))
    start(site, one)
    while whole_log(site, one).count(b"up\n") < 2:
        look(site, one)
        site.wait()
    until(site, one, RUNNING)
    site.centre.stop(stop_of(one, grace_s=30), site.now())
    assert until(site, one).state is CANCELLED
    assert whole_log(site, one).count(b"saved\n") == 2


def test_nothing_is_left_of_a_job_that_ignores_its_end_where_slurm_follows_parents(site24):
    one = order('trap "" TERM; echo $$; while :; do sleep 0.1; done')
    start(site24, one)
    until_log(site24, one, b"\n")
    process = Path("/proc") / whole_log(site24, one).decode().strip()
    assert process.exists()
    site24.centre.stop(stop_of(one, grace_s=1), site24.now())
    assert until(site24, one).state is CANCELLED
    eventually(lambda: not process.exists())


def test_who_cancels_at_the_centre_is_told(site):
    one = order("exec sleep 600")
    start(site, one)
    until(site, one, RUNNING)
    site.cluster.ask("scancel", "--user=bg-alice")
    assert until(site, one).state is CANCELLED


def test_a_node_that_dies_interrupts_what_ran_there(site):
    one = order("echo up; exec sleep 600", cpus=8)
    start(site, one)
    until_log(site, one, b"up")
    (node,) = until(site, one, RUNNING).nodes
    site.cluster.command("kill-node", node)
    try:
        site.cluster.ask("scontrol", "update", f"nodename={node}", "state=down", "reason=lost")
        seen = until(site, one)
        assert (seen.state, seen.cause) == (FAILED, "interrupted")
        site.restart()
        assert node not in {known.name for part in site.centre.inventory() for known in part.nodes}
    finally:
        site.cluster.command("start-node", node)
        site.cluster.ask("scontrol", "update", f"nodename={node}", "state=resume")
    eventually(lambda: node in lines(site.cluster.ask("sinfo", "-hN", "--states=idle", "--format=%N")))
