"""What a centre may claim of an attempt: what its agent signed, what it was given, when it could have run.

Whatever is not plausible is refused item by item, so that one wrong record never keeps a centre from being
heard. What a centre declares of itself is judged in `app/declared.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from baygrid.app.signatures import verify
from baygrid.core.jobs.checkpoint import OUTPUT
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.jobs.locations import is_uploaded
from baygrid.core.placement.links import Sample
from baygrid.core.reading import is_name
from baygrid.ports.basics import Instant
from baygrid.ports.messages import AttemptReport, PartitionReport, Report, Usage
from baygrid.ports.records import AttemptRecord, JobRecord

CLOCK_MS = 600_000
"""By how much a centre's clock may differ from ours before we stop believing its times."""
LENGTH_MS = 60_000
"""By how much more an attempt may have used than the time since it was placed: a clock that is off moves both
ends of a stretch, so lengths are believed less readily than times. Time that passes mends it."""
MAX_BYTES = 1 << 60
FAR_MS = 10 * 365 * 86_400_000
"""No scheduler knows what it will do after so long a time."""
MAX_CPUS, MAX_MEMORY_MIB = 1 << 16, 1 << 30
"""Of one node."""
MAX_FIGURE = 10**14
"""Bit/s, or microseconds: 100 Tbit/s, or three years."""
MAX_QUESTIONS = 1_000
NAME_LENGTH = 253
"""The longest name of a host (RFC 1035)."""
MODEL_LENGTH = 64
"""Of what is shown: one more than the name of a model has."""
TEXT_LENGTH = 10_000
"""Of what a centre says in its own words; an agent of ours stops at 2000 characters."""
NOT_HERE = "this centre has no such attempt, or its token is another"


def implausible(report: Report, now: Instant) -> dict[str, str]:
    """Why, by attempt, judged by the report alone. Outside any transaction, since verifying takes time."""
    wrong: dict[str, str] = {}
    seen: set[str] = set()
    for item in report.attempts:
        why = _state_by_itself(item, now) or _usage_by_itself(item, report.public_key, now)
        if item.attempt in seen:
            why = "it is twice in this report"
        if why is not None:
            wrong[item.attempt] = why
        seen.add(item.attempt)
    return wrong


def _state_by_itself(item: AttemptReport, now: Instant) -> str | None:
    if item.state is AttemptState.LOST:
        return "an agent cannot say LOST: what it does not know is UNKNOWN"
    if not item.state.final and (item.outputs or item.ended_at is not None or item.exit_code is not None):
        return "it says how it ended before it has"
    if max(len(item.raw), len(item.detail)) > TEXT_LENGTH:
        return f"what it says in words is longer than {TEXT_LENGTH} characters"
    if item.cause is not None and not is_name(item.cause):
        return "its cause is no word such as exit-code"
    if item.exit_code is not None and abs(item.exit_code) >= 1 << 31:
        return "its exit code has more than 32 bits"
    if not 0 <= item.staged_bytes <= MAX_BYTES or not 0 <= (item.staging_bytes or 0) <= MAX_BYTES:
        return "it says that more bytes were staged than there can be"
    if not 0 <= (item.log_size or 0) <= MAX_BYTES:
        return "it says that its log is longer than any can be"
    if max(item.started_at or 0, item.ended_at or 0) > now + CLOCK_MS:
        return "it began or ended in the future"
    if item.started_at is not None and item.ended_at is not None and item.ended_at < item.started_at:
        return "it ended before it began"
    return None


def _usage_by_itself(item: AttemptReport, public_key: str, now: Instant) -> str | None:
    for signed in item.usage:
        usage = signed.usage
        if usage.attempt != item.attempt:
            return f"usage {usage.n} belongs to attempt {usage.attempt[:100]!r}"
        if usage.end < usage.start or usage.n < 0 or usage.cpu_seconds < 0 or usage.peak_memory_mib < 0:
            return f"usage {usage.n} is negative"
        if usage.end > now + CLOCK_MS:
            return f"usage {usage.n} ends in the future"
        if item.state.final and item.ended_at is not None and usage.end > item.ended_at + CLOCK_MS:
            return f"usage {usage.n} ends after the attempt"
        if not 0 <= usage.egress_bytes <= MAX_BYTES:
            return f"usage {usage.n} says that more bytes came than there can be"
        if usage.peak_memory_mib > MAX_MEMORY_MIB:
            return f"usage {usage.n} had more memory than any node has"
        if not verify(public_key, signed):
            return f"usage {usage.n} is not signed by the key of this report"
    return _overlap([signed.usage for signed in item.usage])


def _overlap(records: Sequence[Usage]) -> str | None:
    by_number = sorted(records, key=lambda usage: usage.n)
    if any(a.n == b.n or a.end > b.start for a, b in pairwise(by_number)):
        return "its usage records overlap"
    return None


def misfit(
    attempt: AttemptRecord,
    item: AttemptReport,
    stored: Sequence[Usage],
    inventory: Sequence[PartitionReport],
    now: Instant,
) -> str | None:
    """Why the claims cannot be this attempt's: it has other nodes, had other resources, or was not placed
    yet. `stored`: its usage that is here already; `inventory`: of its centre."""
    if item.nodes and (why := _no_nodes_of(attempt, item.nodes)):
        return why
    earliest = attempt.placed_at - CLOCK_MS
    if any(at is not None and at < earliest for at in (item.started_at, item.ended_at)):
        return "it began or ended before it was placed"
    for signed in item.usage:
        why = _not_as_given(attempt, signed.usage)
        if why is not None:
            return why
        if signed.usage.start < earliest:
            return f"usage {signed.usage.n} begins before the attempt was placed"
    return _more_than_time(attempt, item, stored, inventory, now) if item.usage else None


def _not_as_given(attempt: AttemptRecord, usage: Usage) -> str | None:
    given = (
        attempt.count,
        attempt.cpus,
        attempt.memory_mib,
        attempt.accelerator,
        attempt.accelerators,
        attempt.accelerator_share,
    )
    claimed = (
        usage.nodes,
        usage.cpus,
        usage.memory_mib,
        usage.accelerator and usage.accelerator[:MODEL_LENGTH],
        usage.accelerators,
        usage.accelerator_share,
    )
    return (
        None if claimed == given else f"usage {usage.n} claims {claimed}, and the attempt was given {given}"
    )


def _more_than_time(
    attempt: AttemptRecord,
    item: AttemptReport,
    stored: Sequence[Usage],
    inventory: Sequence[PartitionReport],
    now: Instant,
) -> str | None:
    """What is stored under a number stays, so only what is new counts beside it."""
    numbers = {usage.n for usage in stored}
    records = [*stored, *(signed.usage for signed in item.usage if signed.usage.n not in numbers)]
    if why := _overlap(records):
        return why
    room_ms = max(0, now - attempt.placed_at) + LENGTH_MS
    if sum(usage.end - usage.start for usage in records) > room_ms:
        return "it says that it ran for longer than the time since it was placed"
    largest = max(
        (node.cpus for part in inventory if part.name == attempt.partition for node in part.nodes),
        default=MAX_CPUS,
    )
    cpus = attempt.count * max(largest, attempt.cpus)
    if sum(usage.cpu_seconds for usage in records) > cpus * room_ms / 1000:
        return f"it used more processor time than {cpus} cpus have had since it was placed"
    return None


def odd_sample(sample: Sample, now: Instant) -> str | None:
    """Why a measurement of a link cannot be true."""
    figures = (sample.bit_s, sample.least_us, sample.median_us)
    if any(figure is not None and not 0 < figure <= MAX_FIGURE for figure in figures):
        return "it has a figure that no link has"
    if not 0 <= sample.lost <= sample.sent <= MAX_QUESTIONS:
        return f"it says that {sample.lost} of {sample.sent} questions were lost"
    if not 0 <= sample.at <= now + CLOCK_MS:
        return "it was made in the future"
    return None


def expected(item: AttemptReport, now: Instant) -> Instant | None:
    """When its centre expects to start what waits there. It is shown and decides nothing, so an odd one is
    left out rather than refused."""
    at = item.expected_at
    known = at is not None and item.state is AttemptState.WAITING and item.started_at is None
    return at if known and at is not None and 0 <= at <= now + FAR_MS else None


def _no_nodes_of(attempt: AttemptRecord, nodes: Sequence[str]) -> str | None:
    """Several ranks of a gang may be on one node, so a name may come twice. What it runs on never changes: it
    runs once."""
    if len(nodes) != attempt.count:
        return f"it names {len(nodes)} nodes, and the attempt was given {attempt.count}"
    if any(not 0 < len(name) <= NAME_LENGTH or not name.isprintable() for name in nodes):
        return f"a node's name has 1 to {NAME_LENGTH} printable characters"
    if attempt.nodes and tuple(nodes) != attempt.nodes:
        return "it names other nodes than those that the attempt has"
    return None


def not_its_outputs(job: JobRecord, item: AttemptReport, kept: Mapping[str, int]) -> str | None:
    """Why these cannot be results of that job. `kept`: bytes by SHA-256 of what this centre has stored; what
    others stored is theirs, and naming it must not open it."""
    names = {OUTPUT, *job.spec.get("outputs", ())}
    for name, sha256 in item.outputs.items():
        if name not in names:
            return f"the job has no output {name[:40]!r}"
        if sha256 not in kept:
            return f"this centre has not stored what it names as output {name!r}"
    return None


def more_came_than_there_is(job: JobRecord, item: AttemptReport, stored: Sequence[Usage]) -> str | None:
    """Why so many bytes cannot have come over a link for this job: it brings only files that the server has,
    so that their size is known. `stored`: its usage that is here already."""
    if not all(is_uploaded(place) for place in job.spec.get("inputs", {}).values()):
        return None
    numbers = {usage.n for usage in stored}
    new = [signed.usage for signed in item.usage if signed.usage.n not in numbers]
    came = sum(usage.egress_bytes for usage in (*stored, *new))
    if came > job.input_bytes:
        return f"it says that {came} bytes came for it, and the files of its job have {job.input_bytes}"
    return None


def told(text: str) -> str:
    """Words of a centre as a terminal may show them: no escape sequences, no other control characters."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
