"""Jobs of the local driver inside images, by a real Podman."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from baygrid.centres.folder.accounts import Accounts
from baygrid.centres.folder.attached import NotThere
from baygrid.centres.folder.files import key_of
from baygrid.centres.local import LocalCentre, inside, processes, sessions
from baygrid.centres.local.podman import Podman
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Fetch, StagingFailed
from baygrid.ports.messages import Order
from baygrid.ports.tunnels import Tunnel
from tests.centres import behaviour
from tests.centres.behaviour_images import Images
from tests.centres.behaviour_inside import Inside
from tests.centres.site import RUNNING, no_fetch, order, start, stop_of, until, until_log, whole_log
from tests.centres.test_local import PATH, LocalSite, supervisor_of
from tests.engines import PODMAN_IMAGE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("podman")]
USER = "nobody"


class Within(LocalCentre):
    """Runs everything in an image."""

    def prepare(self, order: Order, fetch: Fetch) -> None:
        super().prepare(replace(order, image=order.image or PODMAN_IMAGE), fetch)

    def start(self, order: Order, now: Instant) -> None:
        super().start(replace(order, image=order.image or PODMAN_IMAGE), now)


class ImageSite(LocalSite):
    def __init__(self, root: Path, environ: Mapping[str, str], accounts: Accounts | None) -> None:
        self.environ, self._accounts = environ, accounts
        super().__init__(root)

    def _new(self) -> LocalCentre:
        account_of = self._accounts.account_of if self._accounts is not None else None
        podman = Podman(self.environ)
        return Within(self._root, self._nodes, sample_ms=20, path=PATH, account_of=account_of, podman=podman)

    def work(self, one: Order) -> Path:
        return Path(self.files(one.token).path("work"))

    def end(self) -> None:
        for attempt in list(self.centre._lifecycle.attempts.values()):
            if attempt.pid:
                sessions.signal_all(attempt, 9)
        super().end()
        ours(self.environ, "rm", "--all", "--force", "--time", "0")


def ours(environ: Mapping[str, str], *words: str) -> str:
    done = subprocess.run(["podman", *words], env=dict(environ), capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="baygrid-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def site(folder, podman):
    site = ImageSite(folder / "root", podman, Accounts({}, USER))
    yield site
    site.end()


class TestLocalCentreInImages(Images, behaviour.Behaviour):
    """The whole suite again, each job inside busybox: whatever a job may ask for it has there, too."""

    capabilities = frozenset(
        {
            "gang",
            "out-of-memory",
            "accelerators",
            "parts",
            "checkpoint",
            "accounts",
            "secrets",
            "exec",
            "image",
        }
    )
    image = PODMAN_IMAGE
    many = 10


# busybox has no Python, these devices have no description, and nobody enters a container yet: see what stands
# for them in Images and below.
for _name in (
    *(name for name in dir(Inside) if name.startswith("test_")),
    "test_too_much_memory_ends_it",
    "test_use_is_measured",
    "test_accelerators_are_distinct_while_they_are_used",
    "test_accelerators_that_are_in_use_are_known_after_a_restart",
):
    setattr(TestLocalCentreInImages, _name, None)


def inside_of(site, one: Order) -> str:
    """What runs in its container, as Podman tells it."""
    return ours(site.environ, "ps", "--all", "--quiet", f"--filter=name={inside.name_of(key_of(one.token))}")


def until_inside(site, one: Order) -> int:
    """The first process of its container, once its job has spoken."""
    start(site, one)
    until_log(site, one, b"up")
    until(site, one, RUNNING)
    pid = inside.pid_of(site.files(one.token))
    assert pid is not None
    return pid


def gone(pid: int) -> bool:
    process = processes.look(pid)
    return process is None or process.state == "Z"


def test_a_job_is_nobody_else_inside(site):
    folder = site.files("secret-of-1").dir
    spy = f"id -u; grep -E 'CapEff|NoNewPrivs' /proc/self/status; ls {folder}; rm -f ../claim ../pid"
    one = order(f"{spy}; stat -c %u .")
    start(site, one)
    assert until(site, one).exit_code == 0
    log, uid = whole_log(site, one).decode(), str(pwd.getpwnam(USER).pw_uid)
    assert log.split("\n")[0] == log.split("\n")[-2] == uid
    assert "CapEff:\t0000000000000000" in log
    assert "NoNewPrivs:\t1" in log
    assert not {"claim", "pid", "inside"} & set(log.split()), "these are not to be reached"


def test_values_of_the_environment_are_in_no_command_line(site):
    one = order("sleep 0; echo up; while :; do sleep 0.1; done", envs={"OPEN": "word-of-the-job"})
    until_inside(site, one)
    seen = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [line for line in seen if b"word-of-the-job" in line]
    site.centre.stop(stop_of(one), site.now())
    until(site, one)


@pytest.mark.parametrize("away", [False, True], ids=["agent there", "agent away"])
def test_a_killed_supervisor_leaves_nothing_inside(site, away):
    one = order("trap '' TERM; echo up; while :; do sleep 0.05; done")
    pid = until_inside(site, one)
    supervisor = supervisor_of(site, one)
    if away:
        site.centre.close()
    os.killpg(supervisor, 9)
    if away:
        site.centre = site._new()
    seen = until(site, one)
    assert (seen.state, seen.cause) == (AttemptState.FAILED, "interrupted")
    assert gone(pid)
    assert inside_of(site, one) == ""


def test_podman_killed_alone_leaves_nothing_inside(site):
    one = order("echo up; while :; do sleep 0.05; done")
    pid = until_inside(site, one)
    supervisor = supervisor_of(site, one)
    named = f"--name={inside.name_of(key_of(one.token))}".encode()
    (podman,) = [
        process
        for process in processes.everyone()
        if process.session == supervisor
        and named in Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
    ]
    processes.signal_one(podman, 9)
    assert until(site, one).state is AttemptState.FAILED
    assert gone(pid)
    assert inside_of(site, one) == ""


def test_nothing_is_left_of_what_ended_by_itself(site):
    one = order("(setsid sleep 1000 &) ; echo up")
    start(site, one)
    assert until(site, one).state is AttemptState.SUCCEEDED
    assert inside_of(site, one) == ""


def test_an_image_that_cannot_be_had_fails_while_it_is_staged(site):
    one = order("echo ran", image="docker:127.0.0.1:9/nothing:1")
    with pytest.raises(StagingFailed, match="9/nothing:1 cannot be had"):
        site.centre.prepare(one, no_fetch)


def test_an_image_without_a_shell_is_refused_with_the_reason(site, tmp_path):
    subprocess.run(
        ["tar", "-C", tmp_path, "-cf", tmp_path / "empty.tar", "--files-from=/dev/null"], check=True
    )
    ours(site.environ, "import", str(tmp_path / "empty.tar"), "localhost/empty:1")
    one = order("echo ran", image="docker:localhost/empty:1")
    start(site, one)
    seen = until(site, one)
    assert (seen.state, seen.cause) == (AttemptState.FAILED, "refused")
    assert "docker:localhost/empty:1" in seen.detail
    assert b"/bin/sh" in whole_log(site, one)


def test_what_is_no_reference_and_accelerators_without_a_description_are_refused(site):
    orders = [
        order("echo ran", 1, image="tape:7"),
        order("echo ran", 2, accelerator="H100", accelerators=1),
    ]
    for one, why in zip(orders, ("docker:NAME:TAG", "nvidia-ctk"), strict=True):
        start(site, one)
        seen = until(site, one)
        assert (seen.cause, seen.started_at) == ("refused", None)
        assert why in seen.detail


def test_no_command_is_run_beside_it_as_the_agent(site):
    one = order("echo up; while :; do sleep 0.05; done")
    until_inside(site, one)
    with pytest.raises(NotThere, match="inside an image"):
        site.centre.enter(Tunnel("tun-1", one.attempt, one.token, command=("id",)))
    site.centre.stop(stop_of(one), site.now())
    until(site, one)


def test_podman_says_whether_it_runs_containers(podman, tmp_path):
    Podman(podman).check()
    with pytest.raises(ValueError, match="podman is not there"):
        Podman({"PATH": str(tmp_path)}).check()
    (tmp_path / "podman").write_text("#!/bin/sh\necho 'Error: no such kernel' >&2; exit 125\n")
    (tmp_path / "podman").chmod(0o755)
    with pytest.raises(ValueError, match="runs no container here: no such kernel"):
        Podman({"PATH": str(tmp_path)}).check()
