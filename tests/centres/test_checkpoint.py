"""What a job leaves when it is taken off its place, and how the next attempt goes on from it: real processes
under the local driver, and what the agent makes of that."""

import signal
import sys
from pathlib import Path

import pytest

from baygrid.centres.folder import staging
from baygrid.centres.folder.files import Files
from baygrid.centres.local import processes
from baygrid.centres.outputs import pack
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.centre import Observation, StagingFailed
from baygrid.ports.messages import Stop
from tests.centres.site import (
    RUNNING,
    fetch_from,
    no_fetch,
    order,
    sha256,
    start,
    tar_of,
    until,
    until_log,
    whole_log,
)
from tests.centres.test_local import LocalSite
from tests.centres.world import World

# Counts on from what is there; on USR1 it writes down how far it is and ends as if all were well.
COUNTS = f"""exec {sys.executable} -u -c '
import os, pathlib, signal, time
at = pathlib.Path("out/ckpt/n")
n = int(at.read_text()) if at.exists() else 0
print("begins at", n)
def leave(*_):
    at.parent.mkdir(parents=True, exist_ok=True)
    at.write_text(str(n))
    os._exit(0)
signal.signal(signal.SIGUSR1, leave)
while n < int(os.environ["UNTIL"]):
    n += 1
    print("counted", n)
    time.sleep(0.005)
'"""
CHECKPOINT = {"signal": "USR1", "checkpoint": "out/ckpt", "time_s": 60}


@pytest.fixture
def site(tmp_path):
    site = LocalSite(tmp_path / "root")
    yield site
    site.end()


def preempt(site, one, grace_s: int = 30) -> Observation:
    site.centre.stop(Stop(one.attempt, one.token, "preempted", grace_s, one.signal), site.now())
    return until(site, one)


def packed(folder: Path, into: Path) -> bytes:
    pack(folder, into)
    return into.read_bytes()


def test_a_process_that_counts_goes_on_where_it_was(site, tmp_path):
    first = order(COUNTS, 1, envs={"UNTIL": "1000000"}, **CHECKPOINT)
    start(site, first)
    until_log(site, first, b"counted 20\n")
    seen = preempt(site, first)
    assert (seen.state, seen.exit_code) == (AttemptState.PREEMPTED, 0)
    reached = int((seen.outputs["checkpoint"] / "n").read_text())
    assert reached >= 20
    assert f"counted {reached}\n".encode() in whole_log(site, first)

    left = packed(seen.outputs["checkpoint"], tmp_path / "ckpt.tar")
    given = {"envs": {"UNTIL": str(reached + 5)}, "restore": sha256(left), **CHECKPOINT}
    second = order(COUNTS, 2, workdir=sha256(tar_of({"out/ckpt/n": b"0"})), **given)
    start(site, second, fetch=fetch_from(left, tar_of({"out/ckpt/n": b"0"})))
    seen = until(site, second)
    assert (seen.state, seen.outputs) == (AttemptState.SUCCEEDED, {})
    counted = "".join(f"counted {n}\n" for n in range(reached + 1, reached + 6))
    assert whole_log(site, second).decode() == f"begins at {reached}\n{counted}"


def test_the_grace_is_for_what_the_shell_started_too(site):
    """The shell itself dies of the signal at once; its child is still writing."""
    child = (
        "import os, pathlib, signal, time\n"
        "def leave(*_):\n"
        "    while not os.path.exists('go'): time.sleep(0.01)\n"
        "    os.makedirs('ckpt'); open('ckpt/whole', 'w').write('yes'); os._exit(0)\n"
        "signal.signal(signal.SIGUSR1, leave)\n"
        "print('up', flush=True)\n"
        "while True: signal.pause()\n"
    )
    content = tar_of({"child.py": child.encode()})
    run = f"{sys.executable} child.py; true"
    one = order(run, signal="USR1", checkpoint="ckpt", workdir=sha256(content))
    start(site, one, fetch=fetch_from(content))
    until_log(site, one, b"up\n")
    files = site.files(one.token)
    site.centre.stop(Stop(one.attempt, one.token, "preempted", 3000, "USR1"), site.now())
    while files.exit() is None:
        site.wait()
    until(site, one, AttemptState.STOPPING)
    Path(files.path("work"), "go").touch()
    seen = until(site, one)
    assert seen.state is AttemptState.PREEMPTED
    assert (seen.outputs["checkpoint"] / "whole").read_text() == "yes"
    ended = files.exit()
    assert ended is not None
    assert seen.ended_at is not None
    assert seen.ended_at > ended.at, "its place was taken until the last of it had gone"


def test_a_gang_survives_the_signal_until_its_grace_is_over(site):
    """USR1 once meant to the supervisor that a rank had failed."""
    run = "trap 'echo told; mkdir -p ckpt; exit 0' USR1; echo up; while :; do sleep 0.01; done"
    one = order(run, nodes=("n1", "n2"), signal="USR1", checkpoint="ckpt")
    start(site, one)
    while site.centre.read_log(one, 0, 1 << 20).count(b"up\n") < 2:
        site.wait()
    seen = preempt(site, one)
    assert (seen.state, list(seen.outputs)) == (AttemptState.PREEMPTED, ["checkpoint"])
    assert whole_log(site, one).count(b"told\n") == 2


def test_what_ignores_the_signal_is_killed_and_leaves_what_is_there(site):
    one = order("trap '' TERM; mkdir ckpt; echo up; while :; do sleep 0.1; done", checkpoint="ckpt")
    start(site, one)
    until_log(site, one, b"up\n")
    seen = preempt(site, one, grace_s=1)
    assert (seen.state, list(seen.outputs)) == (AttemptState.PREEMPTED, ["checkpoint"])


def test_an_interrupted_job_leaves_its_checkpoint_too(site):
    one = order("mkdir ckpt; echo up; exec sleep 600", checkpoint="ckpt")
    start(site, one)
    until_log(site, one, b"up\n")
    claim = site.files(one.token).claim()
    processes.signal_group(claim.pid, signal.SIGKILL)
    seen = until(site, one)
    assert (seen.state, seen.cause, list(seen.outputs)) == (
        AttemptState.FAILED,
        "interrupted",
        ["checkpoint"],
    )


@pytest.mark.parametrize(
    "before", ["true", "ln -s /etc ckpt", "echo x >ckpt", "mkdir real; ln -s real ckpt"], ids=str
)
def test_only_a_folder_of_its_own_is_a_checkpoint(site, before):
    one = order(f"{before}; echo up; exec sleep 600", checkpoint="ckpt")
    start(site, one)
    until_log(site, one, b"up\n")
    seen = preempt(site, one)
    assert (seen.state, seen.outputs) == (AttemptState.PREEMPTED, {})


def test_a_cancelled_job_leaves_none(site):
    one = order("mkdir ckpt; echo up; exec sleep 600", checkpoint="ckpt")
    start(site, one)
    until_log(site, one, b"up\n")
    site.centre.stop(Stop(one.attempt, one.token, "cancelled", 5), site.now())
    assert until(site, one).outputs == {}


def test_a_new_driver_knows_what_the_job_asked_for(site):
    one = order("trap 'mkdir ckpt; exit 0' USR1; echo up; while :; do sleep 0.01; done", **CHECKPOINT)
    start(site, one)
    until_log(site, one, b"up\n")
    site.restart()
    until(site, one, RUNNING)
    seen = preempt(site, one)
    assert seen.state is AttemptState.PREEMPTED
    assert seen.outputs == {}, "it asked for another folder"


@pytest.mark.parametrize(
    "there", [{}, {"a/ckpt/old": b""}, {"a/ckpt": b"a file"}, {"a": b"a file on the way"}], ids=str
)
def test_a_checkpoint_takes_the_place_of_whatever_the_workdir_has_there(tmp_path, there):
    workdir, left = tar_of({"run.py": b"", **there}), tar_of({"n": b"7"})
    files = Files(str(tmp_path))
    one = order(workdir=sha256(workdir), checkpoint="a/ckpt", restore=sha256(left))
    staging.prepare(files, one, fetch_from(workdir, left))
    assert sorted(path.name for path in (tmp_path / "work/a/ckpt").iterdir()) == ["n"]
    assert (tmp_path / "work/run.py").exists()
    staging.prepare(files, one, no_fetch)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["work"]


def test_staging_that_died_on_the_way_begins_again(tmp_path):
    left = tar_of({"n": b"7"})
    one = order(checkpoint="ckpt", restore=sha256(left))
    for stage in ("fresh", "fresh/ckpt", "restored"):
        (tmp_path / stage).mkdir()
    (tmp_path / "restored" / "n").write_bytes(b"7")
    staging.prepare(Files(str(tmp_path)), one, no_fetch)
    assert (tmp_path / "work/ckpt/n").read_bytes() == b"7"


def test_a_checkpoint_stays_below_the_working_directory(tmp_path):
    left = tar_of({"n": b"7"})
    for number, path in enumerate(("../x", "/tmp/x", "a/../../x")):
        (tmp_path / str(number)).mkdir()
        one = order(checkpoint=path, restore=sha256(left))
        with pytest.raises(StagingFailed, match="cannot be the folder"):
            staging.prepare(Files(str(tmp_path / str(number))), one, fetch_from(left))


def preempted(world: World):
    """An attempt that has ended so, with a checkpoint."""
    one = order(checkpoint="ckpt")
    world.server.want(one)
    world.take()
    world.step()
    world.centre.end(one.token, AttemptState.PREEMPTED, world.time, outputs={"checkpoint": Path("ckpt")})
    world.agent.tick(world.time)
    return one


def test_the_agent_tells_the_end_with_the_checkpoint():
    world = World()
    one = preempted(world)
    (work,) = world.agent.blobs_due(world.time)
    assert (work.attempt, work.name) == (one.attempt, "checkpoint")
    world.agent.published(one.attempt, "checkpoint", "ab" * 32, world.time)
    (told,) = world.agent.report(world.time).attempts
    assert (told.state, told.outputs) == (AttemptState.PREEMPTED, {"checkpoint": "ab" * 32})


def test_a_checkpoint_that_cannot_be_kept_does_not_make_it_fail():
    world = World()
    one = preempted(world)
    assert len(world.agent.blobs_due(world.time)) == 1
    world.agent.publishing_failed(one.attempt, "a blob may have at most 8 GiB", world.time)
    (told,) = world.agent.report(world.time).attempts
    assert (told.state, told.outputs) == (AttemptState.PREEMPTED, {})
    assert told.detail == "without its checkpoint: a blob may have at most 8 GiB"
