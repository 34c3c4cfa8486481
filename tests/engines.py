"""Real engines for tests, started by the project's own scripts in folders of their own."""

import json
import os
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services import NOT_INSTALLED, Missing

NO_CONTAINERS = 4  # podman.sh
PODMAN_IMAGE = "docker:localhost/baygrid-busybox:1"
SCRIPTS = Path(__file__).parents[1] / "scripts" / "engines"


@dataclass(frozen=True)
class Ray:
    """A head (n1) and a worker (n2), each of 8 CPUs, 8 GiB and 8 H100 that are not there."""

    folder: Path
    dashboard: str
    address: str
    bin: str

    def act(self, what: str, **variables: str) -> None:
        """kill-head, start-worker, ..."""
        _script("ray.sh", what, str(self.folder), **variables)

    def jobs(self) -> list[dict]:
        """As the cluster lists them."""
        with urllib.request.urlopen(f"{self.dashboard}/api/jobs/", timeout=60) as answer:
            listed: list[dict] = json.load(answer)
            return listed


@contextmanager
def podman() -> Iterator[dict[str, str]]:
    """Its environment, with the image PODMAN_IMAGE in its store. Raises Missing where it cannot be installed,
    or this machine runs no containers."""
    with tempfile.TemporaryDirectory(prefix="baygrid-podman-") as parent:
        folder = str(Path(parent) / "podman")
        try:
            _script("podman.sh", "up", folder)
            text = _script("podman.sh", "env", folder)
            told = dict(line.split("=", 1) for line in text.splitlines())
            yield {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": parent, **told}
        finally:
            _script("podman.sh", "down", folder)


@contextmanager
def ray(**variables: str) -> Iterator[Ray]:
    """For the length of the block. `variables`: of the script. Raises Missing if it cannot be installed."""
    with tempfile.TemporaryDirectory(prefix="baygrid-ray-") as parent:
        folder = Path(parent) / "ray"
        try:
            _script("ray.sh", "up", str(folder), **variables)
            text = _script("ray.sh", "env", str(folder))
            told = dict(word.split("=", 1) for word in text.split() if "=" in word)
            yield Ray(folder, told["RAY_DASHBOARD"], told["RAY_ADDRESS"], told["PATH"].partition(":")[0])
        finally:
            _script("ray.sh", "down", str(folder))


def _script(name: str, *arguments: str, **variables: str) -> str:
    done = subprocess.run(
        [SCRIPTS / name, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )
    if done.returncode == NOT_INSTALLED:
        raise Missing(f"needs what scripts/engines/{name} installs: {done.stderr.strip()}")
    if done.returncode == NO_CONTAINERS:
        raise Missing(f"needs a kernel that runs containers: {done.stderr.strip()}")
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return done.stdout
