"""Real Slurm clusters for tests and benchmarks, each of its own ports and folder."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from baygrid.centres.slurm import Account, SlurmSettings
from baygrid.centres.slurm.running import Said, runner
from tests.services import free_ports

SCRIPTS = Path(__file__).parents[3] / "scripts" / "engines"
PORTS = range(17_000, 29_000, 20)  # 20: as many as two nodes and the daemons need
USERS = ("bg-alice", "bg-bob")
NOT_INSTALLED = 3


class Missing(Exception):
    """It cannot be started here; the message says what it needs."""


@dataclass(frozen=True)
class Cluster:
    """`shared`: a folder that agent and nodes see under one name, and that any user may pass through."""

    version: str
    script: Path
    dir: Path
    shared: Path

    @property
    def settings(self) -> SlurmSettings:
        programs = self.dir / "bin"
        return SlurmSettings(
            conf=self.dir / "etc" / "slurm.conf",
            programs=programs if programs.is_dir() else None,
            accounts={"demo": Account("bg-alice"), "other": Account("bg-bob", "bg-bob")},
        )

    def ask(self, *argv: str) -> Said:
        """One of Slurm's commands, as root."""
        return runner(self.settings)(argv)

    def has_saved(self, name: str) -> bool:
        """Whether slurmctld has written down the job of this name. Killed before, it forgets the last ones,
        gives the same numbers again, and drains the nodes where the first of a number runs."""
        with suppress(FileNotFoundError):
            return name.encode() in (self.dir / "state" / "job_state").read_bytes()
        return False

    def command(self, *arguments: str) -> None:
        """One of the script's."""
        _script(self.script, *arguments, str(self.dir))


@contextmanager
def cluster(version: str = "22.05", **variables: str) -> Iterator[Cluster]:
    """A fresh one for the length of the block. `variables`: as the script has them, without ENGINE_."""
    script = SCRIPTS / ("slurm.sh" if version == "22.05" else "slurm24.sh")
    where = Path(tempfile.mkdtemp(prefix="baygrid-slurm-"))
    where.chmod(0o755)
    found = Cluster(version, script, where / "slurm", where / "shared")
    found.shared.mkdir(mode=0o711)
    environment = {f"ENGINE_{name.upper()}": value for name, value in variables.items()}
    environment |= {"ENGINE_PORT": str(free_ports(PORTS, range(PORTS.step))), "ENGINE_SHARED": str(where)}
    try:
        _script(script, "up", str(found.dir), **environment)
        yield found
    finally:
        _script(script, "down", str(found.dir))
        shutil.rmtree(where)


def _script(script: Path, *arguments: str, **environment: str) -> None:
    if os.geteuid() != 0:
        raise Missing("needs root: only root can start a Slurm")
    environment = {**os.environ, "BAYGRID_ENGINES": str(_engines()), **environment}
    done = subprocess.run(
        [script, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode == NOT_INSTALLED:
        raise Missing(f"needs Slurm: run {script.relative_to(SCRIPTS.parents[1])} install")
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())


def _engines() -> Path:
    return Path(os.environ.get("BAYGRID_ENGINES", SCRIPTS.parents[1] / ".cache" / "engines")).resolve()


def lines(said: Said) -> Sequence[str]:
    assert said.code == 0, said.err
    return said.out.splitlines()
