"""The protocol between an agent and the server: values that cross the wire as JSON (see ARCHITECTURE.md,
Centres dial out).

The calls for jobs, all made by the agent: `POST report`, a parked `GET desired?after=gen`,
`PUT logs?offset=`, and `POST secrets` for an attempt that is about to start; blobs go by calls of teams, too.
Any of them may be lost, repeated or late without harm:
- a report carries (incarnation, seq); an older pair is refused with 409;
- everything not yet acknowledged (final states, usage) is in every report until the answer names it;
- an order is carried out at most once, because the centre claims its token first;
- an attempt that an answer does not mention is left running: only an explicit stop ends it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.placement.links import Sample
from baygrid.core.rating.value import Rating
from baygrid.ports.basics import Instant

WITHDRAWN: Final = "withdrawn"
"""Why an attempt is stopped that its centre's own scheduler keeps waiting (`Stop.reason`)."""

VERSION = 1  # a server also accepts VERSION - 1 once there is one

CAPABILITIES: Final = frozenset(
    {
        "gang",  # several nodes at once, whose ranks know each other
        "out-of-memory",  # what takes more memory than it asked for is ended, and that is told as its cause
        "accelerators",  # of its own, told by CUDA_VISIBLE_DEVICES
        "parts",  # a part of an accelerator, which others share
        "arrays",  # many jobs alike are one request to the centre's scheduler
        "estimate",  # when it will start is asked of the centre's scheduler
        "image",  # runs inside an image
        "outside-usage",  # what ran there without Baygrid is told, too
        "accounts",  # a project's jobs run as a user of its own
        "checkpoint",  # a signal of the job's choice before it is stopped, and its folder kept
        "secrets",  # values that only the job reads, and that are not in its log
        "exec",  # a command beside a running job
    }
)
"""What a centre may or may not be able to do."""


@dataclass(frozen=True, slots=True)
class NodeReport:
    """One node as the centre declares it: totals, not what is free."""

    name: str
    cpus: int
    memory_mib: int
    accelerators: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PartitionReport:
    """Nodes with the same rules. `time_limit_s` None: no limit."""

    name: str
    nodes: tuple[NodeReport, ...]
    time_limit_s: int | None = None


@dataclass(frozen=True, slots=True)
class DriverReport:
    """What runs a centre's jobs: the driver's name, the version of what it drives ("" where that has none),
    and which of `CAPABILITIES` are there."""

    name: str
    version: str = ""
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """What one stretch of an attempt had for itself (billed) and really used (shown). Written once by the
    agent.

    `n` counts the records of an attempt from 0; stretches are adjacent and do not overlap.
    `accelerators` is the number per node, `accelerator_share` thousandths of each; memory in MiB per node.
    `egress_bytes`: of its inputs, that came over a link for it before this stretch (so of the first one).
    """

    attempt: str
    n: int
    start: Instant
    end: Instant
    nodes: int
    cpus: int
    memory_mib: int
    accelerator: str | None
    accelerators: int
    cpu_seconds: float
    peak_memory_mib: int
    accelerator_share: int = 1000
    egress_bytes: int = 0


@dataclass(frozen=True, slots=True)
class SignedUsage:
    """`signature`: hex Ed25519 over `ports.wire.usage_bytes(usage)` by the agent's key."""

    usage: Usage
    signature: str


@dataclass(frozen=True, slots=True)
class Outside:
    """A job that ran at a centre without Baygrid: metered, not charged. Counted once, when it ended. What it
    had is in all, not per node. `id`: the centre's own, which may come again after years; then it ended at
    another time."""

    id: str
    account: str
    partition: str
    start: Instant
    end: Instant
    nodes: int
    cpus: int
    memory_mib: int
    accelerators: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SignedOutside:
    """`signature`: hex Ed25519 over `ports.wire.outside_bytes(job)` by the agent's key."""

    job: Outside
    signature: str


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """How one attempt stands at the centre. A final one carries its usage and repeats until acknowledged.

    `raw` is the centre's own word. `cause` for FAILED: exit-code, setup-failed, staging-failed,
    publishing-failed, out-of-memory, time-limit, interrupted, refused. `log_size`, of a final one: bytes,
    so that a reader knows when all of it is here. `outputs`: output name -> sha256 of a stored tar; of one
    that was preempted or interrupted, `checkpoint`. `nodes`: the names of all nodes that the centre's own
    scheduler chose, as many as were ordered; none while it has not, or where the order named them.
    `staged_bytes` of its inputs have come, of `staging_bytes` (None: not known). `expected_at`: when the
    centre's own scheduler thinks that it will start (None: it does not say, or it has).
    """

    attempt: str
    token: str
    state: AttemptState
    raw: str = ""
    exit_code: int | None = None
    cause: str | None = None
    detail: str = ""
    started_at: Instant | None = None
    ended_at: Instant | None = None
    log_size: int | None = None
    usage: tuple[SignedUsage, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    nodes: tuple[str, ...] = ()
    staged_bytes: int = 0
    staging_bytes: int | None = None
    expected_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """How long would one more such attempt wait in the queue of the centre's own scheduler? As an order would
    say it; `project` has such jobs."""

    project: str
    partition: str
    count: int
    cpus: int
    memory_mib: int
    accelerator: str | None
    accelerators: int
    time_s: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """The answer. None: the scheduler does not say."""

    inquiry: Inquiry
    wait_s: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """`ack`: the `gen` up to which desired has been durably taken on. `inventory` is None while its digest
    (sha256 of the canonical JSON, with the driver's) is what the server last acknowledged. `driver` comes
    with it; None: of an agent from before there was one. `waits`: what the centre's own scheduler said just
    now. `links`: what was measured of the centre's link to the exchange, repeated until there is an answer.
    `outside`: some of the jobs that ended there without Baygrid, until the answer has taken them."""

    version: int
    incarnation: int
    seq: int
    ack: int
    now: Instant
    inventory_digest: str
    inventory: tuple[PartitionReport, ...] | None
    public_key: str
    attempts: tuple[AttemptReport, ...]
    driver: DriverReport | None = None
    waits: tuple[Forecast, ...] = ()
    links: tuple[Sample, ...] = ()
    outside: tuple[SignedOutside, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportAnswer:
    """`closed`: attempts whose final report is stored; the agent may forget them. `usage_stored`: (attempt,
    n) of records stored. `inventory_digest`: what the server holds; another value than the agent's asks for
    all. `refused`: (attempt, why) of what cannot be true; everything else of the report was taken. `renew`:
    the agent is to make itself a new credential. `asked`: what the centre's own scheduler is to be asked now
    and then, until an answer asks for something else. `outside_taken`: what the report had of it is stored;
    of what cannot be true, `refused` has the id."""

    gen: int
    closed: Sequence[str]
    usage_stored: Sequence[tuple[str, int]]
    inventory_digest: str
    refused: Sequence[tuple[str, str]] = ()
    renew: bool = False
    asked: Sequence[Inquiry] = ()
    outside_taken: bool = False


@dataclass(frozen=True, slots=True)
class SignedRating:
    """What part of a centre was measured to do. It comes by itself, not in a report. `signature`: hex Ed25519
    over `ports.wire.rating_bytes(rating)` by the agent's key."""

    rating: Rating
    signature: str


def join_bytes(centre: str, credential: str) -> bytes:
    """What an agent signs when it joins; `credential` is the SHA-256 of its secret, in hex."""
    return f"baygrid-join-1\n{centre}\n{credential}".encode()


@dataclass(frozen=True, slots=True)
class Source:
    """Where an input comes from that the server does not hold. `uri` as by `core.jobs.addresses`. `project`:
    whose right to it counts at the centre (the job's, or that of the dataset's owner). `sha256`: what its
    content must have, None where nobody knows. `bytes`: how many it is said to have."""

    uri: str
    project: str
    sha256: str | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """Run this attempt. `state` is what the server last knew: an agent that does not know an attempt which is
    already past PLACED must not start it but report UNKNOWN.

    `count`: of nodes. `nodes` names them; where it is empty, the centre's own scheduler chooses so many.

    `inputs`: name to the SHA-256 of a tar that the server holds; or to a URI, which `sources` has in full (an
    agent that knows no sources refuses it rather than run without).

    `signal` is what it is told to stop with, `grace_s` before KILL. `checkpoint`: a folder below the work
    directory ("" for none), published as the output `checkpoint` when the attempt is preempted or
    interrupted; `restore`: sha256 of the tar that is unpacked into it before the start.

    `accelerator_share` below 1000: so many thousandths of one accelerator on each node, which it shares with
    the attempts that have the same number in `accelerator_slots` there (one number for each node).

    `image`: what it runs inside, such as "docker:python:3.11" ("" for none).

    `secrets`: names; their values are asked for when it is about to start, and are in no message but that
    answer.

    `counts_egress`: the server knows `Usage.egress_bytes`; one from before there was that could not verify a
    record that has some."""

    attempt: str
    token: str
    job: str
    project: str
    state: AttemptState
    partition: str
    nodes: tuple[str, ...]
    cpus: int
    memory_mib: int
    accelerator: str | None
    accelerators: int
    time_s: int
    grace_s: int
    setup: str
    run: str
    envs: Mapping[str, str]
    workdir: str | None
    inputs: Mapping[str, str]
    outputs: tuple[str, ...]
    signal: str = "TERM"
    checkpoint: str = ""
    restore: str | None = None
    accelerator_share: int = 1000
    accelerator_slots: tuple[int, ...] = ()
    count: int = 0
    image: str = ""
    sources: Mapping[str, Source] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    counts_egress: bool = False

    def __post_init__(self) -> None:
        if not self.count:  # of a server, or in a journal, from before there was a count
            object.__setattr__(self, "count", len(self.nodes))


@dataclass(frozen=True, slots=True)
class Secrets:
    """The values of an attempt's secrets, by name. They are shown to nobody."""

    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stop:
    """`signal`, then KILL after `grace_s`. `reason` "preempted": its end is PREEMPTED, else CANCELLED.

    `WITHDRAWN` is only for what has not begun: it can never begin then. What has begun goes on as if nobody
    had asked, and saying so (RUNNING) makes the stop void; another stop may come after it."""

    attempt: str
    token: str
    reason: str
    grace_s: int
    signal: str = "TERM"


@dataclass(frozen=True, slots=True)
class Desired:
    """What changed after the `after` that was asked for; with after=0 everything that is open. A stop
    replaces the order of the same attempt."""

    gen: int
    orders: tuple[Order, ...]
    stops: tuple[Stop, ...]


class Refused(Exception):
    """The server refused a message for good: 401/403 (revoked), 409 (another agent took over), 422. `code`:
    of the server's problem, "" where something else answered."""

    def __init__(self, status: int, detail: str, code: str = "") -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
        self.code = code


class Unreachable(Exception):
    """The message or its answer was lost: try again later, nothing is known."""


class Renewed(Unreachable):
    """The server answered, but to a credential that has ended since: the next one is in use, try again."""
