"""The real schedulers of the demo: started by the project's own scripts, in a folder of the demo's own."""

from __future__ import annotations

import os
import random
import re
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.demo.region import ROOT, STOPPING, Failed
from scripts.demo.show import Screen

SCRIPTS: Final = ROOT / "scripts" / "engines"
ACCOUNT: Final = "bg-alice"
"""The user of this machine that the project is at the centres; Slurm's script makes it."""
_PORTS: Final = 20
PATIENCE_S: Final = 240.0
_VARIABLE: Final = re.compile(r"\w+=.*")


@dataclass(frozen=True, slots=True)
class Engine:
    """What an agent needs to reach it: of its environment."""

    name: str
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Script:
    name: str
    folder: Path
    variables: Mapping[str, str]

    def start(self, what: str) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches the demo, which then ends everything in order. What it says
        # goes to a file: a pipe would stay open as long as any daemon of the engine has it.
        with self._said(what).open("wb") as said:
            return subprocess.Popen(
                [SCRIPTS / f"{self.name}.sh", what, str(self.folder)], env={**os.environ, **self.variables},
                start_new_session=True, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def run(self, what: str) -> str:
        return self.end(what, self.start(what))

    def end(self, what: str, started: subprocess.Popen[bytes]) -> str:
        """What it said. Raises Failed where it did not succeed in time."""
        try:
            code: object = started.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            started.kill()
            code = f"did not end in {PATIENCE_S:.0f} s"
        said = self._said(what).read_text(errors="replace")
        if code != 0:
            raise Failed(f"scripts/engines/{self.name}.sh {what}: {code}\n{said.strip()[-1000:]}")
        return said

    def _said(self, what: str) -> Path:
        return self.folder.with_name(f"{self.name}-{what}.log")


def install(screen: Screen) -> None:
    """What is not there yet: Debian's packages of Slurm, and Ray in an environment of its own."""
    if os.geteuid() != 0:
        raise Failed("only root can start a Slurm: run it as root, on a machine for trying things out")
    for name in ("slurm", "ray"):
        screen.command([f"scripts/engines/{name}.sh", "install"])
        done = subprocess.run(
            [SCRIPTS / f"{name}.sh", "install"], stdin=subprocess.DEVNULL, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if done.returncode != 0:
            screen.output(done.stdout)
            raise Failed(f"{name} cannot be installed")


@contextmanager
def engines(screen: Screen, folder: Path) -> Iterator[dict[str, Engine]]:
    """A Slurm with two nodes and a Ray with two, by their names; they end with the block."""
    slurm = {
        "ENGINE_PORT": str(_free_ports()), "ENGINE_GPUS": "Ascend910B:8", "ENGINE_USERS": ACCOUNT,
        "ENGINE_CLUSTER": "qianhai",
    }  # fmt: skip
    ray = {"NODE_MODEL": "H100"}
    scripts = [_Script("slurm", folder / "slurm", slurm), _Script("ray", folder / "ray", ray)]
    with ExitStack() as ending:
        ending.callback(_end, scripts)
        starting = []
        for script in scripts:  # side by side
            screen.command([f"scripts/engines/{script.name}.sh", "up"])
            starting.append(script.start("up"))
        for script, started in zip(scripts, starting, strict=True):
            script.end("up", started)
        yield {script.name: Engine(script.name, _variables(script.run("env"))) for script in scripts}


def _end(scripts: list[_Script]) -> None:
    # Only for seconds, and not to be cut short by an impatient second Ctrl-C.
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    problems = []
    for script in scripts:
        try:
            script.run("down")
        except Failed as failure:
            problems.append(str(failure))
    if problems:
        raise Failed("; ".join(problems))


def _variables(exports: str) -> dict[str, str]:
    """Of lines such as `export A=1 B=2`, as they are."""
    words = [word for word in shlex.split(exports) if _VARIABLE.fullmatch(word)]
    return {name: text for name, _, text in (word.partition("=") for word in words) if name != "PATH"}


def _free_ports() -> int:
    """The first of so many in a row that nobody listens on now."""
    for first in random.sample(range(17_000, 19_000, _PORTS), 50):
        if all(map(_free, range(first, first + _PORTS))):
            return first
    raise Failed("there are no free ports for Slurm")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
