"""One queue: what goes in, how it goes on, and whether all came to its one true end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from scripts.demo.region import Failed, Region, expect, only
from scripts.demo_region.centres import CENTRES, PROJECT
from scripts.demo_region.jobs import Wanted

LOOK_S: Final = 0.5
PATIENCE_S: Final = 240.0
FINAL: Final = ("SUCCEEDED", "FAILED", "CANCELLED")

Job = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ended:
    """A job (or an array's element) at its end, with what was wanted of it."""

    wanted: Wanted
    job: Job


class Queue:
    """What was submitted, in its order."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._wanted: dict[str, Wanted] = {}
        self._ids: dict[str, str] = {}
        self._began = time.perf_counter()
        self._told = ""

    @property
    def size(self) -> int:
        return sum(wanted.size for wanted in self._wanted.values())

    def submit(self, jobs: Sequence[Wanted]) -> None:
        """One batch for those that come after none, then one for each that does."""
        free = [wanted for wanted in jobs if not wanted.after]
        for batch in [free, *([wanted] for wanted in jobs if wanted.after)]:
            documents = [wanted.document(PROJECT, self._ids) for wanted in batch]
            accepted = self._region.ask(PROJECT, "/v1/jobs", {"jobs": documents})
            for wanted, made in zip(batch, accepted, strict=True):
                self._wanted[made["id"]] = wanted
                self._ids[wanted.name] = made["id"]

    def id_of(self, name: str) -> str:
        """Of the job of this name that was submitted last."""
        return self._ids[name]

    def jobs(self) -> list[Ended]:
        """As they are now: arrays by their elements."""
        lines = self._region.ask(PROJECT, "/v1/jobs", limit="200")
        return [Ended(self._wanted[job["array"] or job["id"]], job) for job in reversed(lines)]

    def until_it_runs(self, name: str) -> None:
        """Until its log says something."""
        self._until(lambda: bool(self._region.run(PROJECT, "logs", self.id_of(name))), f"{name} to begin")

    def until_all_ended(self) -> list[Ended]:
        """Tells how far it is whenever that changes."""
        self._until(self._all_ended, "the end of all jobs")
        return self.jobs()

    def _until(self, holds: Any, what: str) -> None:
        end = time.perf_counter() + PATIENCE_S
        while not holds():
            if time.perf_counter() > end:
                raise Failed(f"waited {PATIENCE_S:.0f} s for {what}: {self._told}")
            time.sleep(LOOK_S)

    def _all_ended(self) -> bool:
        jobs = self.jobs()
        told = _progress(jobs)
        if told != self._told:
            self._region.screen.say(f"{time.perf_counter() - self._began:5.0f} s  {told}")
            self._told = told
        return all(one.job["state"] in FINAL for one in jobs)


def _progress(jobs: Sequence[Ended]) -> str:
    words = []
    for centre in (one.centre for one in CENTRES):
        here = Counter(one.job["state"] in FINAL for one in jobs if one.job["centre"] == centre)
        words.append(f"{centre} {here[False]} there, {here[True]} ended")
    waiting = sum(one.job["state"] not in FINAL and not one.job["centre"] for one in jobs)
    return " | ".join([f"{waiting} in the queue", *words])


def check(region: Region, ended: Sequence[Ended], size: int) -> None:
    """Raises Failed, naming everything that did not hold."""
    wrong = [] if len(ended) == size else [f"{len(ended)} jobs, not {size}"]
    for one in ended:
        wrong += _differences(one, region.ask(PROJECT, f"/v1/jobs/{one.job['id']}"))
    ran = {one.job["centre"] for one in ended}
    wrong += [f"no job ran at {one.centre}" for one in CENTRES if one.centre not in ran]
    for one in ended:
        checkpointed = "path" in one.wanted.fields.get("checkpoint", {})
        if checkpointed and "begins after step 0" in region.run(PROJECT, "logs", one.job["id"]):
            wrong.append(f"{one.wanted.name} began anew instead of going on")
    expect(not wrong, "\n  ".join(["not all is as it must be:", *wrong]))


def _differences(one: Ended, job: Job) -> list[str]:
    wanted, attempts = one.wanted, job["attempts"]
    pairs = {
        "state": (job["state"], wanted.state),
        "cause": (job["cause"], wanted.cause),
        "exit code": (job["exit_code"] if wanted.exit_code is not None else None, wanted.exit_code),
        "attempts": (tuple(attempt["state"] for attempt in attempts), wanted.states),
        "nodes": ({len(attempt["nodes"]) for attempt in attempts}, {wanted.nodes}),
        "centre": ({attempt["centre"] for attempt in attempts} - wanted.centres, set()),
    }
    name = wanted.name if job["index"] is None else f"{wanted.name}[{job['index']}]"
    return [
        f"{name} ({job['id']}): {what} {is_!r}, not {must!r}"
        for what, (is_, must) in pairs.items()
        if is_ != must
    ]


def table(region: Region, ended: Sequence[Ended]) -> None:
    """Every job: where it ran, how it ended, what it waited and what it costs."""
    rows = []
    for one in ended:
        job = one.job
        attempt: Mapping[str, Any] = next(iter(job["attempts"]), {})
        index = "" if job["index"] is None else f"[{job['index']}]"
        asked = attempt.get("accelerators") or ""
        rows.append([
            one.wanted.name + index, job["centre"] or "", attempt.get("partition") or "", asked,
            job["state"] + (f" ({job['cause']})" if job["cause"] else ""),
            str(attempt.get("n", 0)), _wait(job, attempt), job["charge"]["text"],
        ])  # fmt: skip
    heads = ["job", "centre", "partition", "accelerators", "state", "attempts", "wait", "cost"]
    region.screen.table(heads, rows, right=(5, 6, 7), whole=(0, 4))


def _wait(job: Job, attempt: Mapping[str, Any]) -> str:
    """From its submission to the start of its last attempt; some schedulers tell whole seconds only."""
    if not attempt.get("started_at"):
        return ""
    start, asked = (datetime.fromisoformat(text) for text in (attempt["started_at"], job["submitted_at"]))
    return f"{max(0.0, (start - asked).total_seconds()):.1f} s"


def money(region: Region, ended: Sequence[Ended]) -> dict[str, int]:
    """The one bill, which must be the sum of what each job and each centre charged. Minor units by centre."""
    region.show(PROJECT, "bill", "--project", PROJECT, "--recompute")
    bill = region.ask(PROJECT, f"/v1/projects/{PROJECT}/bill", recompute="true")
    by_centre: Counter[str] = Counter()
    for line in bill["lines"]:
        by_centre[line["centre"]] += line["amount"]["minor"]
    total = bill["total"]["minor"]
    jobs = sum(one.job["charge"]["minor"] for one in ended)
    charged = only(region.ask("operator", "/v1/projects"), name=PROJECT)["charged"]["minor"]
    expect(total == jobs == charged == sum(by_centre.values()),
           f"the bill is {total}, its jobs' charges {jobs}, the project's {charged}")  # fmt: skip
    expect(not bill["recomputed"]["differences"], f"recomputed: {bill['recomputed']['differences']}")
    for one in CENTRES:
        expect(by_centre[one.centre] > 0, f"{one.centre} charged nothing")
    return dict(by_centre)
