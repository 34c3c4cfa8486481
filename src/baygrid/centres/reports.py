"""What the server must still be told. Final states and usage are in every report until the server names them;
the rest goes when it changed, and all of it once a minute, which heals whatever was lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from baygrid.centres.remembered import Phase, Remembered
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.placement.links import KEPT, Sample
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Observation
from baygrid.ports.messages import (
    VERSION,
    WITHDRAWN,
    AttemptReport,
    DriverReport,
    Forecast,
    PartitionReport,
    Report,
    ReportAnswer,
    SignedOutside,
)
from baygrid.ports.wire import inventory_digest

HEARTBEAT_MS = 10_000
TOGETHER_MS = 20
"""What is not an end may wait so long for company: a short job needs one report, not four."""
FULL_EVERY_MS = 60_000
BYTES_PER_REPORT = 600_000
"""Of attempts, about: a JSON body has at most 1 MiB, and what does not fit comes with the next report."""
USAGE_PER_REPORT = 500
"""Records of one attempt at once; an end is told when no more than these are left."""
DETAIL_LENGTH = 2_000
EXPECTED_STEP_MS = 60_000
"""A report is not sent for less of a change in when an attempt is expected to start."""


class Reporter:
    """Which attempts changed since the server last answered, and what it knows of the nodes."""

    def __init__(self, incarnation: int, public_key: str) -> None:
        self.due_at: Instant = 0
        self._incarnation, self._public_key = incarnation, public_key
        self._seq = 0
        self._changed: dict[str, int] = {}  # attempt -> number of its last change
        self._changes = 0
        self._sent: dict[str, int] = {}
        self._rest: dict[
            str, int
        ] = {}  # attempt -> records of usage that it had when it was last told in part
        self._full_at: Instant = 0
        self._inventory: Sequence[PartitionReport] = ()
        self._driver: DriverReport | None = None
        self._digest = ""
        self._server_digest: str | None = None
        self.outside: tuple[SignedOutside, ...] = ()
        self.waits: tuple[Forecast, ...] = ()
        self._waits_sent: tuple[Forecast, ...] = ()
        self._waits_known: tuple[Forecast, ...] = ()
        self._links: list[Sample] = []
        self._links_sent = 0

    def note(self, attempt: str, by: Instant = 0) -> None:
        """The server does not know this yet; it is told at `by`, 0 meaning now."""
        self._changes += 1
        self._changed[attempt] = self._changes
        self.due_by(by)

    def due_by(self, at: Instant) -> None:
        """There is something to tell, at `at` at the latest."""
        self.due_at = min(self.due_at, at)

    def note_link(self, sample: Sample, by: Instant) -> None:
        """Only the newest ones count."""
        self._links = [*self._links, sample][-KEPT:]
        self._links_sent = 0
        self.due_by(by)

    def drop(self, attempt: str) -> None:
        self._changed.pop(attempt, None)

    def full_due(self, now: Instant) -> bool:
        return now >= self._full_at

    def describe(self, inventory: Sequence[PartitionReport], driver: DriverReport | None) -> None:
        if inventory != self._inventory or driver != self._driver or not self._digest:
            self._inventory, self._driver = tuple(inventory), driver
            self._digest = inventory_digest(inventory, driver)

    def build(self, kept: Mapping[str, Remembered], ack: int, now: Instant) -> Report:
        if self.full_due(now):
            self._full_at = now + FULL_EVERY_MS
            for attempt in kept:
                self._changed.setdefault(attempt, 0)
        chosen = list(self._changed)
        chosen += [a for a, one in kept.items() if (one.final or one.unstored) and a not in self._changed]
        chosen = [attempt for attempt in chosen if attempt in kept]
        told = list(_fitting(view(kept[attempt]) for attempt in chosen))
        more = any(attempt in self._changed for attempt in chosen[len(told) :]) or self._shrinks(told, kept)
        self._sent = {one.attempt: self._changed.get(one.attempt, 0) for one in told}
        self._seq += 1
        self.due_at = now if more else now + HEARTBEAT_MS
        known = self._server_digest == self._digest
        self._waits_sent = self.waits
        self._links_sent = len(self._links)
        return Report(
            version=VERSION,
            incarnation=self._incarnation,
            seq=self._seq,
            ack=ack,
            now=now,
            inventory_digest=self._digest,
            inventory=None if known else tuple(self._inventory),
            public_key=self._public_key,
            attempts=tuple(told),
            driver=None if known else self._driver,
            outside=self.outside,
            waits=() if self.waits is self._waits_known else self.waits,
            links=tuple(self._links),
        )

    def _shrinks(self, told: Sequence[AttemptReport], kept: Mapping[str, Remembered]) -> bool:
        """Whether ends wait for usage that the server does take: what it refused can wait with the rest."""
        before = self._rest
        self._rest = {
            one.attempt: len(kept[one.attempt].unstored)
            for one in told
            if kept[one.attempt].final and not one.state.final
        }
        return any(count < before.get(attempt, count + 1) for attempt, count in self._rest.items())

    def answered(self, answer: ReportAnswer) -> list[str]:
        """Returns the attempts whose present state the server now knows."""
        told = [attempt for attempt, change in self._sent.items() if self._changed.get(attempt) == change]
        for attempt in told:
            del self._changed[attempt]
        self._sent = {}
        self._waits_known = self._waits_sent
        self._links, self._links_sent = self._links[self._links_sent :], 0
        self._server_digest = answer.inventory_digest
        if self._server_digest != self._digest:
            self.due_at = 0
        return told


def _fitting(reports: Iterable[AttemptReport]) -> Iterator[AttemptReport]:
    """As many as fit, at least one."""
    left = BYTES_PER_REPORT
    for number, one in enumerate(reports):
        texts = sum(len(text.encode()) + 4 for text in (one.raw, one.detail, *one.nodes))
        left -= 600 + texts + 500 * len(one.usage) + 160 * len(one.outputs)
        if left < 0 and number:
            return
        yield one


def view(kept: Remembered) -> AttemptReport:
    """How an attempt stands, as the server is told."""
    attempt, token = kept.order.attempt, kept.order.token
    usage = tuple(kept.unstored[:USAGE_PER_REPORT])
    if kept.final is not None and len(kept.unstored) <= USAGE_PER_REPORT:
        return replace(kept.final, usage=usage)
    seen = kept.seen
    started_at = seen.started_at if seen is not None else None
    raw = clean(seen.raw) if seen is not None else ""
    detail = clean(seen.detail) if seen is not None else ""
    if kept.phase is Phase.UNKNOWN:
        raw = "closed here before" if kept.old else "not known here"
    return AttemptReport(
        attempt,
        token,
        _state(kept),
        raw,
        detail=detail or kept.trouble,
        started_at=started_at,
        usage=usage,
        nodes=seen.nodes if seen is not None else (),
        expected_at=seen.expected_at if seen is not None else None,
        staged_bytes=kept.staged_bytes,
        staging_bytes=kept.staging_bytes,
    )


def _state(kept: Remembered) -> AttemptState:
    if kept.phase is Phase.UNKNOWN:
        return AttemptState.UNKNOWN
    seen = kept.seen
    if kept.phase is Phase.PUBLISH or (seen is not None and seen.state.final):
        return AttemptState.PUBLISHING  # its end is told with the last of its usage
    if kept.phase is Phase.STAGE:
        return AttemptState.STAGING
    stops = kept.stop is not None and kept.stop.reason != WITHDRAWN
    if stops and (seen is None or seen.state is not AttemptState.UNKNOWN):
        return AttemptState.STOPPING
    return AttemptState.PLACED if seen is None else seen.state


def final_report(kept: Remembered, seen: Observation, now: Instant) -> AttemptReport:
    """The last word on an attempt, without its usage (that is kept apart until it is stored)."""
    return AttemptReport(
        attempt=kept.order.attempt,
        token=kept.order.token,
        state=seen.state,
        raw=clean(seen.raw),
        exit_code=seen.exit_code,
        cause=seen.cause,
        detail=clean(seen.detail),
        started_at=seen.started_at,
        ended_at=seen.ended_at if seen.ended_at is not None else now,
        log_size=seen.log_size,
        outputs=dict(kept.outputs) if seen.outputs else {},
        nodes=seen.nodes,
        staged_bytes=kept.staged_bytes,
        staging_bytes=kept.staging_bytes,
    )


def failed(
    cause: str, detail: str, started_at: Instant | None = None, ended_at: Instant | None = None
) -> Observation:
    return Observation(
        AttemptState.FAILED, cause=cause, detail=detail, started_at=started_at, ended_at=ended_at
    )


def same(one: Observation | None, other: Observation) -> bool:
    """Whether the server would be told the same: use counts on, and goes into its own records."""
    return one is other or (
        one is not None
        and one.state is other.state
        and one.raw == other.raw
        and one.detail == other.detail
        and one.started_at == other.started_at
        and one.nodes == other.nodes
        and _about(one.expected_at, other.expected_at)
    )


def _about(one: Instant | None, other: Instant | None) -> bool:
    """A scheduler plans anew all the time: of small shifts the report of everything tells."""
    if one is None or other is None:
        return one is other
    return abs(one - other) < EXPECTED_STEP_MS


def clean(text: str) -> str:
    """What any database takes."""
    return text.replace("\x00", "").encode(errors="replace").decode()[:DETAIL_LENGTH]
