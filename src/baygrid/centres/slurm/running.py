"""One way to run Slurm's commands."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from baygrid.centres.engine import EngineSilent
from baygrid.centres.slurm.settings import SlurmSettings

PATIENCE_S: Final = 60
PATHS: Final = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


Run = Callable[[Sequence[str]], Said]


def environment(settings: SlurmSettings) -> dict[str, str]:
    """In which its commands run."""
    return {
        "PATH": f"{PATHS}:{settings.programs}" if settings.programs is not None else PATHS,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "SLURM_TIME_FORMAT": "%s",
        **({"SLURM_CONF": str(settings.conf)} if settings.conf is not None else {}),
    }


def located(settings: SlurmSettings, argv: Sequence[str]) -> list[str]:
    """The same with the program where this site has it."""
    return [f"{settings.programs}/{argv[0]}" if settings.programs is not None else argv[0], *argv[1:]]


def runner(settings: SlurmSettings) -> Run:
    """Runs a command with an environment of its own: jobs inherit it, and must not see the agent's."""
    environ = environment(settings)

    def run(argv: Sequence[str]) -> Said:
        try:
            done = subprocess.run(
                located(settings, argv),
                env=environ,
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE_S,
                check=False,
                encoding="utf-8",
                errors="replace",
            )
        except subprocess.TimeoutExpired:
            raise EngineSilent(f"{argv[0]} did not answer in {PATIENCE_S} s") from None
        except OSError as error:
            raise EngineSilent(f"{argv[0]} cannot be run: {error}") from None
        return Said(done.returncode, done.stdout, done.stderr)

    return run
