"""The shapes of jobs, of their attempts, and of why they are where they are; see `schemas`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from baygrid.api.schemas import Money, Shape, Time, Unit
from baygrid.core.jobs.lifecycle import AttemptState, JobState


class Reason(Shape):
    code: str
    text: str
    data: dict[str, Any]


class Chosen(Shape):
    centre: str
    partition: str
    offer: str
    cost: Money


class CandidateLink(Shape):
    """From the exchange to a candidate's centre, as it was when that was judged."""

    mbit_s: float | None
    origin: Literal["measured", "declared", "unknown"]
    gib_price: float = Field(description="major units for a GiB, as the policy says")
    measured_at: Time | None


class CandidateWork(Shape):
    """What the job's work is expected to come to at a candidate, by the newest rating measured there."""

    unit: Unit
    per: int = Field(description="a million images, one hour of audio, one km")
    takes_s: int | None = Field(description="seconds, with a quarter to spare; null: nothing was measured")
    late: bool = Field(description="that is more than the job's time, after which it is stopped")
    cost: Money = Field(description="for so long, at most for its time; for all of that where not measured")
    price: str | None = Field(
        examples=["0.55"], description="major units for `per` units, where it ends in time"
    )
    profile: str | None = Field(examples=["images@1"])
    measured_at: Time | None


class Candidate(Shape):
    name: str = Field(examples=["hub/gpu H100:8"])
    centre: str
    partition: str
    offer: str | None
    accelerator: str | None
    verdict: Literal["chosen", "possible", "busy", "no"]
    wait_s: int | None = Field(description="seconds until it starts there")
    centre_wait_s: int | None = Field(
        description="seconds in the centre's own queue, as its scheduler said itself; null: it said nothing"
    )
    start: Time | None = Field(description="when it is expected to begin, where that is known")
    transfer_s: int | None = Field(description="seconds, by the centre's link to the exchange")
    run_s: int | None = Field(description="seconds that it is expected to run")
    cost: Money | None = Field(description="for all of the time that it asks for")
    voucher: Money | None = Field(description="of that, what vouchers would pay as they are now")
    trades: list[str] = Field(description="trades and spot listings that the cost reckons with")
    gco2: float | None = Field(description="grams, where the operator declared watts and carbon")
    link: CandidateLink | None = Field(description="over which its data comes, where it has any")
    work: CandidateWork | None = Field(description="of a job that says how much work it has")
    reasons: list[Reason]


class Explanation(Shape):
    """Why a job is where it is, would go where it would go, or waits."""

    subject: str
    outcome: Literal["placed", "would-place", "waiting", "impossible"]
    chosen: Chosen | None
    text: str
    facts: dict[str, Any] = Field(description="what the text says, in figures: position, expected start")
    candidates: list[Candidate]


class Attempt(Shape):
    id: str
    n: int
    centre: str
    partition: str
    offer: str
    nodes: list[str] = Field(description="none while the centre's own scheduler has not said which")
    count: int = Field(description="of nodes")
    state: AttemptState
    raw: str = Field(description="the centre's own word")
    placed_at: Time
    expected_at: Time | None = Field(
        description="when the centre's own scheduler expects to start it, while it waits there and says so"
    )
    started_at: Time | None
    ended_at: Time | None
    exit_code: int | None
    cause: str | None
    detail: str
    log_size: int
    staged_bytes: int = Field(description="of its inputs, so far")
    staging_bytes: int | None = Field(description="of its inputs in all, where that is known")
    outputs: dict[str, str] = Field(description="name to SHA-256 of a tar")
    not_charged: str | None = Field(description="why it is not, of one that its centre lost or broke off")
    cost_so_far: Money
    accelerators: str | None = Field(
        description='on each node: "H100:8", or "H100:0.5" of one that it shares'
    )


class CentreAttempt(Shape):
    """An attempt as the operator of its centre sees it."""

    id: str
    job: str
    name: str
    project: str
    n: int
    partition: str
    offer: str
    nodes: list[str] = Field(description="none while the centre's own scheduler has not said which")
    count: int = Field(description="of nodes")
    cpus: int = Field(description="on each node")
    memory_mib: int = Field(description="on each node")
    accelerators: str | None = Field(
        description='on each node: "H100:8", or "H100:0.5" of one that it shares'
    )
    state: AttemptState
    raw: str = Field(description="the centre's own word")
    placed_at: Time
    started_at: Time | None
    ended_at: Time | None
    exit_code: int | None
    cause: str | None
    detail: str


class JobLine(Shape):
    id: str
    project: str
    name: str
    state: JobState
    submitted_at: Time
    ended_at: Time | None
    cause: str | None = Field(description="why it ended so; of a HELD one array, after or money")
    detail: str
    exit_code: int | None
    hold: Money
    charge: Money
    overrun: Money = Field(description="what lay above the hold and fell to the platform")
    supported: Money = Field(description="what vouchers paid besides")
    centre: str | None
    partition: str | None
    offer: str | None
    array: str | None = Field(description="of an element")
    index: int | None = Field(description="of an element")
    queue: str
    priority: str
    waits_for: list[str] = Field(description="jobs and arrays that have not succeeded yet")
    not_before: Time | None = Field(description="of a job that is held to back off")
    attempts: list[Attempt] = Field(description="in lists only the last")


class Job(JobLine):
    spec: dict[str, Any] = Field(description="the job file as it is carried out")
    reasons: Explanation | None = Field(description="why it runs there")


class SubmittedJob(Shape):
    id: str
    name: str
    state: JobState
    size: int | None = Field(default=None, description="of an array: how many elements")


class Array(Shape):
    """Many jobs of one job file. Its state is final when the last of them is."""

    id: str
    project: str
    name: str
    state: JobState
    submitted_at: Time
    size: int
    parallel: int = Field(description="how many may be queued or running at once")
    left: int = Field(description="how many have not ended")
    failed: int = Field(description="how many have ended without success")
    states: dict[JobState, int]
    waits_for: list[str]


class JobBatch(Shape):
    """Jobs that are sent together belong to one project."""

    jobs: list[dict[str, Any]] = Field(min_length=1, max_length=1000)
    project: str | None = None


class JobFile(BaseModel):
    """The job file as JSON. Unknown fields are refused; see the guide for every field."""

    name: str
    project: str | None = Field(default=None, description="a team's own where it is left out")
    run: str = Field(examples=["python train.py"])
    time: str | int = Field(examples=["4h"], description="how long it may run")
    nodes: int | str = Field(default=1, description="a range such as 2..8: as many as can be had")
    resources: dict[str, Any] = Field(
        default={}, examples=[{"accelerators": "H100:8", "cpus": "8+", "memory": "64+"}]
    )
    workdir: str | None = Field(default=None, examples=["blob:<sha256>"])
    inputs: dict[str, str] = {}
    outputs: dict[str, str] = {}
    setup: str | None = None
    envs: dict[str, str] = {}
    infra: Any = "any"
    budget: dict[str, Any] = Field(default={}, examples=[{"max_cost": "500 CNY"}])
    data: dict[str, Any] = Field(default={}, examples=[{"residency": ["CN-QH", "HK"]}])
    lost_after: str | int = "never"
    priority: Literal["low", "normal", "high", "urgent"] = "normal"
    queue: str = "default"
    prefer: Literal["cost", "time", "energy"] = "cost"
    array: dict[str, Any] | None = Field(default=None, examples=[{"range": "0-99", "parallel": 10}])
    after: list[str] = Field(default=[], examples=[["job-06f9m3..."]])
    retry: dict[str, Any] = Field(default={}, examples=[{"on": ["interruption", "lost"], "max": 2}])
    checkpoint: dict[str, Any] = Field(
        default={}, examples=[{"signal": "USR1", "grace": "60s", "path": "ckpt"}]
    )
    deadline: str | None = Field(default=None, examples=["2027-01-31T08:00+08:00"])
    work: dict[Unit, float] = Field(default={}, examples=[{"images": 2000000}])
