"""What is known of a job that is being watched: one value, changed only by what arrives."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from baygrid.client.progress import LogReader
from baygrid.client.wire import FINAL_STATES, Attempt, Event, Explanation, Job, money, seconds
from baygrid.core.units import Money as Amount
from baygrid.core.units import parse_duration

TAIL: Final = 8
STAGES: Final = ("submitted", "placed", "staging", "running", "publishing", "done")
_STAGE_OF: Final = {
    "job-submitted": "submitted",
    "job-held": "held",
    "job-placed": "placed",
    "attempt-staging": "staging",
    "attempt-waiting": "waiting",
    "attempt-running": "running",
    "attempt-stopping": "stopping",
    "attempt-publishing": "publishing",
    "attempt-unknown": "unknown",
    "job-succeeded": "done",
    "job-failed": "failed",
    "job-cancelled": "cancelled",
}


@dataclass
class Watch:
    """`stages` are those that were reached, with the time; `why_waiting` is the placement's word for a job in
    queue; `held` is the last hold that was seen, since a job that ended holds nothing; `lost`: the server
    does not answer."""

    job: Job
    stages: dict[str, str] = field(default_factory=dict)
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))
    log: LogReader = field(default_factory=LogReader)
    attempt: str | None = None
    why_waiting: Explanation | None = None
    lost: bool = False

    def __post_init__(self) -> None:
        self.stages.setdefault("submitted", self.job["submitted_at"])
        self.held = self.job["hold"]

    def update(self, job: Job) -> None:
        """Takes the job as it is now."""
        self.job = job
        if job["hold"]["minor"]:
            self.held = job["hold"]

    @property
    def final(self) -> bool:
        return self.job["state"] in FINAL_STATES

    @property
    def last_attempt(self) -> Attempt | None:
        return self.job["attempts"][-1] if self.job["attempts"] else None

    @property
    def stage(self) -> str:
        """The last that it reached."""
        return next(reversed(self.stages))

    @property
    def why(self) -> Explanation | None:
        """Why there, or while it waits why not yet."""
        return self.job["reasons"] or self.why_waiting

    def hear(self, event: Event) -> str | None:
        """Takes an event; the stage that it begins, if it begins one."""
        if event["attempt"] and event["attempt"] != self.attempt:
            self.attempt = event["attempt"]
        if event["kind"] == "job-requeued":  # it goes through all of it again
            self.stages = {"submitted": self.stages["submitted"], "queued again": event["at"]}
            self.why_waiting = None
            return "queued again"
        stage = _STAGE_OF.get(event["kind"])
        if stage is None or stage in self.stages:
            return None
        self.stages[stage] = event["at"]
        return stage

    def read(self, data: bytes) -> list[str]:
        """Takes a part of the log; its lines without the reports."""
        lines = self.log.feed(data)
        self.tail.extend(lines)
        return lines

    def cost(self, now: float) -> str:
        """What it has cost: what was charged, or while it runs an estimate from the price of its offer."""
        if self.final:
            return money(self.job["charge"])
        attempt, why = self.last_attempt, self.job["reasons"]
        known, currency = self.job["charge"]["minor"], self.job["charge"]["currency"]
        if attempt is None or not attempt["started_at"]:
            return money(self.job["charge"])
        known = max(known, attempt["cost_so_far"]["minor"])
        price = why["chosen"]["cost"] if why and why["chosen"] else None
        if price and price["currency"] == currency:
            # The quoted cost is for the whole time asked for, and time passes evenly.
            length = parse_duration(self.job["spec"]["time"])
            passed = min(1.0, max(0.0, (now - seconds(attempt["started_at"])) / max(1, length)))
            known = max(known, int(price["minor"] * passed))
        return f"about {Amount(known, currency)}"

    def exit_code(self) -> int:
        """The job's own where it failed with one; a job that ended otherwise without success is 1."""
        if self.job["state"] == "SUCCEEDED":
            return 0
        code = self.job["exit_code"]
        if self.job["state"] != "FAILED" or not code:
            return 1
        return code if 0 < code < 256 else 128 + abs(code) % 128

    def verdict(self) -> str:
        """How it ended, in one sentence."""
        job = self.job
        if job["state"] == "SUCCEEDED":
            return f"{job['id']} succeeded" + (f"; {job['detail']}" if job["detail"] else "")
        why = ", ".join(part for part in (job["cause"], job["detail"]) if part)
        code = f" with exit code {job['exit_code']}" if job["exit_code"] else ", without an exit code"
        how = "was cancelled" if job["state"] == "CANCELLED" else f"failed{code}"
        return f"{job['id']} {how}{f': {why}' if why and why != 'cancelled' else ''}"
