"""What a centre may claim: what its agent signed, what the attempt was given, when it could have run.

Whatever is not plausible is refused item by item, so that one wrong record never keeps a centre from being
heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from baygrid.app.signatures import verify
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.messages import AttemptReport, Report
from baygrid.ports.records import AttemptRecord

CLOCK_MS = 600_000
"""By how much a centre's clock may differ from ours before we stop believing its times."""
MAX_BYTES = 1 << 60
FAR_MS = 10 * 365 * 86_400_000
"""No scheduler knows what it will do after so long a time."""
NAME_LENGTH = 253
"""The longest name of a host (RFC 1035)."""


def implausible(report: Report, now: Instant) -> dict[str, str]:
    """Why, by attempt, judged by the report alone. Outside any transaction, since verifying takes time."""
    wrong: dict[str, str] = {}
    seen: set[str] = set()
    for item in report.attempts:
        why = _by_itself(item, report.public_key, now)
        if item.attempt in seen:
            why = "it is twice in this report"
        if why is not None:
            wrong[item.attempt] = why
        seen.add(item.attempt)
    return wrong


def _by_itself(item: AttemptReport, public_key: str, now: Instant) -> str | None:
    if item.state is AttemptState.LOST:
        return "an agent cannot say LOST: what it does not know is UNKNOWN"
    if not 0 <= item.staged_bytes <= MAX_BYTES or not 0 <= (item.staging_bytes or 0) <= MAX_BYTES:
        return "it says that more bytes were staged than there can be"
    for signed in item.usage:
        usage = signed.usage
        if usage.attempt != item.attempt:
            return f"usage {usage.n} belongs to attempt {usage.attempt!r}"
        if usage.end < usage.start or usage.n < 0 or usage.cpu_seconds < 0 or usage.peak_memory_mib < 0:
            return f"usage {usage.n} is negative"
        if usage.end > now + CLOCK_MS:
            return f"usage {usage.n} ends in the future"
        if not verify(public_key, signed):
            return f"usage {usage.n} is not signed by the key of this report"
    records = sorted((signed.usage for signed in item.usage), key=lambda usage: usage.n)
    if any(a.n == b.n or a.end > b.start for a, b in pairwise(records)):
        return "its usage records overlap"
    return None


def misfit(attempt: AttemptRecord, item: AttemptReport) -> str | None:
    """Why the claims cannot be this attempt's: it has other nodes, had other resources, or was not placed
    yet."""
    if item.nodes and (why := _no_nodes_of(attempt, item.nodes)):
        return why
    given = (
        attempt.count,
        attempt.cpus,
        attempt.memory_mib,
        attempt.accelerator,
        attempt.accelerators,
        attempt.accelerator_share,
    )
    for signed in item.usage:
        usage = signed.usage
        claimed = (
            usage.nodes,
            usage.cpus,
            usage.memory_mib,
            usage.accelerator,
            usage.accelerators,
            usage.accelerator_share,
        )
        if claimed != given:
            return f"usage {usage.n} claims {claimed}, and the attempt was given {given}"
        if usage.start < attempt.placed_at - CLOCK_MS:
            return f"usage {usage.n} begins before the attempt was placed"
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
