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


def runner(settings: SlurmSettings) -> Run:
    """Runs a command with an environment of its own: jobs inherit it, and must not see the agent's."""
    programs = str(settings.programs) if settings.programs is not None else ""
    environment = {
        "PATH": f"{PATHS}:{programs}" if programs else PATHS,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "SLURM_TIME_FORMAT": "%s",
        **({"SLURM_CONF": str(settings.conf)} if settings.conf is not None else {}),
    }

    def run(argv: Sequence[str]) -> Said:
        program = f"{programs}/{argv[0]}" if programs else argv[0]
        try:
            done = subprocess.run(
                [program, *argv[1:]],
                env=environment,
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
