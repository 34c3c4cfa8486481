"""Podman, as it is asked for containers: podman-run(1), podman-pull(1), podman-rm(1)."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from baygrid.centres.folder.environment import NotRunnable
from baygrid.ports.centre import StagingFailed

SCHEME: Final = "docker:"
KEPT: Final = (
    "PATH", "HOME",
    "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF", "CONTAINERS_REGISTRIES_CONF", "REGISTRY_AUTH_FILE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
"""Of the agent's environment, what Podman is given: where the operator says how it works here."""
PULL_S: Final = 3_600
PROBE_S: Final = 60
CDI: Final = (Path("/etc/cdi"), Path("/var/run/cdi"))
PROCESSES: Final = 32_768
"""Podman lowers its own limit of processes to this, and none of a container's can be above it."""


@dataclass(frozen=True, slots=True)
class Box:
    """What one container is to be. `folder`: the attempt's. `rooms`: of its files and folders, those that are
    seen inside, at the same paths. `environ`: values that everybody may see. `user`: uid, gid and further
    groups; None: Podman's own. `limits`: the soft and the hard one, by name. `devices`: names of the
    Container Device Interface."""

    name: str
    image: str
    folder: str
    rooms: Sequence[str]
    environ: Mapping[str, str]
    user: tuple[int, int, tuple[int, ...]] | None
    limits: Mapping[str, tuple[int, int]]
    devices: Sequence[str] = ()


def reference(image: str) -> str:
    """The whole name of an image, as Docker means a short one: "docker:python:3.11" is
    "docker.io/library/python:3.11". Raises NotRunnable."""
    if not image.startswith(SCHEME):
        raise NotRunnable(f"{image[:80]} is no image that this centre can have: write docker:NAME:TAG")
    name = image.removeprefix(SCHEME)
    if not name or name.startswith("-"):
        raise NotRunnable(f"{image[:80]} names no image")
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def run(box: Box, command: Sequence[str]) -> list[str]:
    """It is in the foreground, and ends with the container. The command's own output is not Podman's to
    carry: it goes to the attempt's log by itself. Where users have accounts nobody gains rights inside."""
    return [
        "podman", "run", "--rm", "--pull=never", "--log-driver=none", f"--name={box.name}",
        f"--pidfile={box.folder}/pid", "--network=host", "--security-opt=label=disable",
        *_ulimits(box.limits),
        *_user(box.user),
        *(f"--env={name}={value}" for name, value in box.environ.items()),
        f"--volume={box.folder}/inside:{box.folder}",
        *(f"--volume={box.folder}/{room}:{box.folder}/{room}" for room in box.rooms),
        *(f"--device={device}" for device in box.devices),
        f"--workdir={box.folder}", f"--entrypoint={command[0]}", box.image, *command[1:],
    ]  # fmt: skip


def _ulimits(limits: Mapping[str, tuple[int, int]]) -> list[str]:
    return [f"--ulimit={name}={soft}:{hard}" for name, (soft, hard) in limits.items()]


def _user(user: tuple[int, int, tuple[int, ...]] | None) -> list[str]:
    if user is None:
        return []
    uid, gid, groups = user
    others = [f"--group-add={one}" for one in groups if one != gid]
    return [f"--user={uid}:{gid}", *others, "--cap-drop=all", "--security-opt=no-new-privileges"]


def gpus_known(folders: Sequence[Path] = CDI) -> bool:
    """Whether NVIDIA's devices are described for containers (nvidia-ctk cdi generate)."""
    files = [path for folder in folders if folder.is_dir() for path in folder.iterdir()]
    return any("nvidia.com/gpu" in path.read_text(errors="replace") for path in files if path.is_file())


class Podman:
    """One that is installed here, run as the agent's own user. `environ`: the agent's environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = {name: environ[name] for name in KEPT if name in environ}
        self._leaving: dict[str, subprocess.Popen[bytes]] = {}

    def check(self) -> None:
        """Runs a container of this machine's own programs. Raises ValueError where that is impossible."""
        if shutil.which("podman", path=self.environ.get("PATH")) is None:
            raise ValueError("podman is not there: install it")
        if os.geteuid() != 0:
            raise ValueError("jobs inside images need an agent that root has started")
        with tempfile.TemporaryDirectory(prefix="baygrid-") as folder:
            for path in Path("/").iterdir():
                if path.is_symlink() and path.readlink().parts[0] == "usr":
                    Path(folder, path.name).symlink_to(path.readlink())
            said = self._ask(
                "run", "--rm", "--network=host", *_ulimits(limits()), "--volume=/usr:/usr:ro",
                "--security-opt=label=disable", "--rootfs", folder, "/usr/bin/true",
            )  # fmt: skip
        if said:
            raise ValueError(f"podman runs no container here: {said}")

    def bring(self, image: str) -> None:
        """Repeatable. Raises StagingFailed."""
        try:
            name = reference(image)
        except NotRunnable:
            return  # refused at its start
        if not self._ask("image", "exists", name):
            return
        said = self._ask("pull", "--quiet", name, patience_s=PULL_S)
        if said:
            raise StagingFailed(f"the image {name} cannot be had: {said}")

    def gpus(self) -> bool:
        return gpus_known()

    def remove(self, name: str) -> bool:
        """Whether there is no such container any more, dead or alive: ask until it says so. Does not wait."""
        leaving = self._leaving.get(name)
        if leaving is None:
            argv = ["podman", "rm", "--force", "--time=0", "--ignore", name]
            leaving = subprocess.Popen(
                argv, env=self.environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            self._leaving[name] = leaving
        code = leaving.poll()
        if code is not None:
            del self._leaving[name]
        return code == 0

    def close(self) -> None:
        """Waits for what is being removed."""
        while self._leaving:
            self._leaving.popitem()[1].wait()

    def _ask(self, *words: str, patience_s: int = PROBE_S) -> str:
        """Nothing, or why not."""
        try:
            done = subprocess.run(
                ["podman", *words], env=self.environ, stdin=subprocess.DEVNULL, capture_output=True,
                timeout=patience_s, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"no answer in {patience_s} s"
        except OSError as error:
            return str(error)
        lines = done.stderr.decode(errors="replace").split("\n")
        told = next((line for line in reversed(lines) if line.strip()), "")
        return (
            ""
            if done.returncode == 0
            else told.removeprefix("Error: ")[:500] or f"exit code {done.returncode}"
        )


def limits() -> dict[str, tuple[int, int]]:
    """Those of the agent, as its other jobs have them. Podman's own choice may be above what we may set."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    hard = PROCESSES if most == resource.RLIM_INFINITY else min(most, PROCESSES)
    return {"nofile": files, "nproc": (hard, hard)}
