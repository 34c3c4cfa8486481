"""The campaign's jobs: each says in one file of all that it begins and how it ends."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.region import Client, Json

PATIENCE_S = 300.0
CODES = (0, 0, 0, 3, 41)


@dataclass(frozen=True)
class Line:
    """Such as "begin ATTEMPT 7 ENGINE-ID" or "end ATTEMPT 7 CODE", of job 7."""

    word: str
    attempt: str
    number: int
    rest: str


@dataclass
class Book:
    """What the commands themselves wrote. One short write each, to the end of the file: none is lost."""

    path: Path

    def lines(self) -> list[Line]:
        rows = [line.split(" ", 3) for line in self.path.read_text().splitlines()]
        return [Line(word, attempt, int(number), rest) for word, attempt, number, rest in rows]

    def begun(self) -> Counter[str]:
        return Counter(line.attempt for line in self.lines() if line.word == "begin")

    def numbers(self, word: str) -> set[int]:
        """Of the jobs that have begun, or ended."""
        return {line.number for line in self.lines() if line.word == word}

    def engine_ids(self) -> dict[str, str]:
        """By attempt."""
        return {line.attempt: line.rest for line in self.lines() if line.word == "begin"}

    def ended(self) -> dict[str, int]:
        """Their exit codes, by attempt."""
        return {line.attempt: int(line.rest) for line in self.lines() if line.word == "end"}


@dataclass
class Job:
    """`code`: how its command ends, whenever it is let."""

    number: int
    code: int
    gate: Path | None
    id: str = ""


@dataclass
class Stream:
    """Gives jobs to one centre. `chance` decides their codes."""

    client: Client
    book: Book
    folder: Path
    chance: random.Random
    jobs: list[Job] = field(default_factory=list)

    def submit(self, centre: str, count: int, gate: Path | None = None) -> list[Job]:
        """`gate`: they end once this file is there."""
        given = []
        for _ in range(count):
            job = Job(len(self.jobs), self.chance.choice(CODES), gate)
            self.jobs.append(job)
            given.append(job)
            job.id = self.client.post("/v1/jobs", self._document(job, centre), key=f"job {job.number}")["id"]
        return given

    def _document(self, job: Job, centre: str) -> Json:
        wait = f'while [ ! -e "{job.gate}" ]; do sleep 0.2; done\n' if job.gate is not None else ""
        number = "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}"
        return {
            "name": f"job-{job.number}",
            "project": "default",
            "resources": {"cpus": 1 + job.number % 2, "memory": "1"},
            "time": "30m",
            "infra": centre,
            "envs": {"BOOK": str(self.book.path)},
            # What a dead node interrupts is done again as another attempt; what ends by itself never is.
            "retry": {"on": ["interruption"], "max": 20},
            "run": (
                f'echo "begin $BAYGRID_ATTEMPT {job.number} {number} $SLURM_JOB_NAME" >>"$BOOK"\n'
                f"echo out-{job.number}\n{wait}"
                f'echo "end $BAYGRID_ATTEMPT {job.number} {job.code}" >>"$BOOK"\n'
                f"exit {job.code}\n"
            ),
        }


def until(happened: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Asks again and again: for what tells nobody when it happens."""
    end = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < end, f"{what} did not come within {patience_s:g} s"
        time.sleep(0.1)
