"""The campaign's jobs: each says in one file of all that it begins and how it ends."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaign.book import Book
from tests.campaign.engine import MEMORY_GIB, Engine, cpus_of
from tests.faults.region import Client, Json

CODES = (0, 0, 0, 3, 41)


@dataclass
class Job:
    """`code`: how its command ends, whenever it is let."""

    number: int
    code: int
    gate: Path | None
    id: str = ""


@dataclass
class Stream:
    """Gives jobs to centres. `chance` decides their codes."""

    client: Client
    book: Book
    folder: Path
    chance: random.Random
    jobs: list[Job] = field(default_factory=list)

    def submit(self, engine: Engine, count: int, gate: Path | None = None) -> list[Job]:
        """`gate`: they end once this file is there."""
        given = []
        for _ in range(count):
            job = Job(len(self.jobs), self.chance.choice(CODES), gate)
            self.jobs.append(job)
            given.append(job)
            job.id = self.client.post("/v1/jobs", self._document(job, engine), key=f"job {job.number}")["id"]
        return given

    def _document(self, job: Job, engine: Engine) -> Json:
        wait = f'while [ ! -e "{job.gate}" ]; do sleep 0.2; done\n' if job.gate is not None else ""
        return {
            "name": f"job-{job.number}",
            "project": "default",
            "resources": {"cpus": cpus_of(job.number), "memory": str(MEMORY_GIB)},
            "time": "3h",
            "infra": engine.centre.name,
            "envs": {"BOOK": str(self.book.path)},
            # What a dead node interrupts is done again as another attempt; what ends by itself never is.
            "retry": {"on": ["interruption"], "max": 20},
            "run": (
                f'echo "begin $BAYGRID_ATTEMPT {job.number} {engine.mark}" >>"$BOOK"\n'
                f"echo out-{job.number}\n{wait}"
                f'echo "end $BAYGRID_ATTEMPT {job.number} {job.code} $(date +%s%3N)" >>"$BOOK"\n'
                f"exit {job.code}\n"
            ),
        }
