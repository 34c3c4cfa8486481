"""What an agent remembers of each attempt, and how that is written to and read back from its journal.

Entries of the journal (`t` names the kind): an incarnation, an order or stop taken on, the permission to
start (`go`, durable *before* the start), a signed usage record and whether the server has it, a final report,
that both sides are done (`closed`), and up to when the server knows what ran there without Baygrid
(`outside`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from baygrid.centres.journal import Entry
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Observation
from baygrid.ports.messages import WITHDRAWN, AttemptReport, Order, SignedUsage, Stop
from baygrid.ports.wire import from_json, to_json

KEEP_CLOSED = 200_000
KEEP_CLOSED_MS = 7 * 86_400_000


class Phase(Enum):
    """What the agent does next with an attempt."""

    CHECK = auto()  # read back from the journal: does the centre know it?
    STAGE = auto()  # bytes must come from the server first
    READY = auto()  # start it
    ORDERED = auto()  # start was called, or a stop: the centre says how it stands
    UNKNOWN = auto()  # was past PLACED when first heard of, and the centre does not know it: never start it
    PUBLISH = auto()  # ended; outputs or a checkpoint go to the server
    FINAL = auto()


@dataclass(slots=True)
class Remembered:
    """One attempt. `go`: it may have been started, in the epoch named. `old`: it had ended and been
    closed here before this order came, late or from a server's restored database. `refused`: it could not
    be started."""

    order: Order
    phase: Phase
    adopt: bool = False
    old: bool = False
    go: str | None = None
    stop: Stop | None = None
    stop_told: bool = False
    seen: Observation | None = None
    final: AttemptReport | None = None
    closed: bool = False
    # usage: `n` records so far, up to `until`, holding `cpu_seconds`; `unstored` are not yet acknowledged
    n: int = 0
    until: Instant | None = None
    cpu_seconds: float = 0.0
    unstored: list[SignedUsage] = field(default_factory=list)
    # work that can fail and is tried again
    busy: bool = False
    tries: int = 0
    retry_at: Instant = 0
    trouble: str = ""
    refused: bool = False
    outputs: dict[str, str] = field(default_factory=dict)
    staged_bytes: int = 0
    staging_bytes: int | None = None
    came: dict[str, int] = field(default_factory=dict)  # inputs that came over a link: bytes of each
    # the log: None until the server has said how much it holds
    log_offset: int | None = 0
    log_at: Instant = 0
    log_pause: int = 0
    log_stalls: int = 0
    log_done: bool = False

    @property
    def egress_bytes(self) -> int:
        return sum(self.came.values())

    @property
    def needs_network(self) -> bool:
        order = self.order
        files = order.workdir is not None or order.restore is not None or bool(order.inputs)
        return files or bool(order.secrets)

    def try_later(self, trouble: str, now: Instant) -> None:
        """Each time after twice as long, at most a minute."""
        self.tries += 1
        self.trouble = trouble
        self.retry_at = now + min(60_000, 500 * 2 ** min(self.tries, 10))


def blank_order(stop: Stop) -> Order:
    """For a stop whose order never came: enough to ask the centre about it, nothing that could be run."""
    return Order(
        attempt=stop.attempt,
        token=stop.token,
        job="",
        project="",
        state=AttemptState.STOPPING,
        partition="",
        nodes=(),
        cpus=0,
        memory_mib=0,
        accelerator=None,
        accelerators=0,
        time_s=0,
        grace_s=stop.grace_s,
        setup="",
        run="",
        envs={},
        workdir=None,
        inputs={},
        outputs=(),
    )


def stays(had: Stop | None, stop: Stop) -> bool:
    """Whether the stop that it had stays. One that was to be withdrawn may still be stopped for good."""
    return had is not None and (had.reason != WITHDRAWN or stop.reason == WITHDRAWN)


def order_entry(kept: Remembered) -> Entry:
    entry: Entry = {"t": "order", "order": to_json(kept.order)}
    if kept.adopt:
        entry["adopt"] = True
    if kept.go is not None:
        entry["go"] = kept.go
    if kept.egress_bytes:
        entry["egress"] = kept.egress_bytes
    return entry


def go_entry(kept: Remembered) -> Entry:
    """With how much had come for it by then."""
    entry: Entry = {"t": "go", "attempt": kept.order.attempt, "epoch": kept.go}
    return entry | ({"egress": kept.egress_bytes} if kept.egress_bytes else {})


def stop_entry(stop: Stop) -> Entry:
    return {"t": "stop", "stop": to_json(stop)}


def usage_entry(signed: SignedUsage) -> Entry:
    return {"t": "usage", "usage": to_json(signed)}


def final_entry(report: AttemptReport) -> Entry:
    return {"t": "final", "report": to_json(report)}


@dataclass(slots=True)
class Memory:
    """All that survives a restart. `closed`: when both sides were done with an attempt; kept for days, so
    that a late answer or a restored server cannot have it run again. `outside`: the mark of
    `centres.outside.Meter`."""

    incarnation: int = 0
    gen: int = 0
    outside: Instant | None = None
    attempts: dict[str, Remembered] = field(default_factory=dict)
    closed: dict[str, Instant] = field(default_factory=dict)

    @classmethod
    def replay(cls, entries: Iterable[Entry]) -> Memory:
        memory = cls()
        for entry in entries:
            memory._apply(entry)
        return memory

    def dump(self, now: Instant) -> Iterator[Entry]:
        """The shortest journal that says the same."""
        yield {"t": "incarnation", "v": self.incarnation}
        yield {"t": "gen", "v": self.gen}
        if self.outside is not None:
            yield {"t": "outside", "v": self.outside}
        oldest = now - KEEP_CLOSED_MS
        recent = list(self.closed.items())[-KEEP_CLOSED:]
        self.closed = {attempt: at for attempt, at in recent if at >= oldest}
        if self.closed:
            yield {"t": "closed", "at": list(self.closed.items())}
        for kept in self.attempts.values():
            if kept.old:
                continue
            yield order_entry(kept)
            if kept.stop is not None:
                yield stop_entry(kept.stop)
            if kept.n:
                yield {
                    "t": "used",
                    "attempt": kept.order.attempt,
                    "n": kept.n,
                    "until": kept.until,
                    "cpu": kept.cpu_seconds,
                    "unstored": to_json(kept.unstored),
                }
            if kept.final is not None:
                yield final_entry(kept.final)

    def _apply(self, entry: Entry) -> None:
        kind = entry["t"]
        if kind == "incarnation":
            self.incarnation = entry["v"]
        elif kind == "gen":
            self.gen = entry["v"]
        elif kind == "outside":
            self.outside = entry["v"]
        elif kind == "order":
            order = from_json(Order, entry["order"])
            self.attempts[order.attempt] = Remembered(
                order,
                Phase.CHECK,
                adopt=entry.get("adopt", False),
                go=entry.get("go"),
                log_offset=None,
                came={"": entry.get("egress", 0)},
            )
        elif kind == "stop":
            stop = from_json(Stop, entry["stop"])
            kept = self.attempts.setdefault(
                stop.attempt, Remembered(blank_order(stop), Phase.CHECK, adopt=True, log_offset=None)
            )
            kept.stop = stop
        elif kind == "closed":
            for attempt, at in entry["at"]:
                self.attempts.pop(attempt, None)
                self.closed[attempt] = at
        else:
            self._apply_to_attempt(kind, entry)

    def _apply_to_attempt(self, kind: str, entry: Entry) -> None:
        if kind == "usage":
            signed = from_json(SignedUsage, entry["usage"])
            kept = self.attempts[signed.usage.attempt]
            kept.n, kept.until = signed.usage.n + 1, signed.usage.end
            kept.cpu_seconds += signed.usage.cpu_seconds
            kept.unstored.append(signed)
        elif kind == "final":
            report = from_json(AttemptReport, entry["report"])
            kept = self.attempts[report.attempt]
            kept.final, kept.phase = report, Phase.FINAL
        elif kind == "go":
            kept = self.attempts[entry["attempt"]]
            kept.go, kept.came = entry["epoch"], {"": entry.get("egress", 0)}
        elif kind == "used":
            kept = self.attempts[entry["attempt"]]
            kept.n, kept.until, kept.cpu_seconds = entry["n"], entry["until"], entry["cpu"]
            kept.unstored = [from_json(SignedUsage, one) for one in entry["unstored"]]
        elif kind == "stored":
            kept = self.attempts[entry["attempt"]]
            kept.unstored = [one for one in kept.unstored if one.usage.n != entry["n"]]
        else:
            raise ValueError(
                f"the journal has an entry of an unknown kind {kind!r}: it is of a newer version"
            )
