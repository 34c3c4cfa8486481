"""One attempt at this machine, as the driver holds it in memory between two looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from baygrid.centres.folder.endings import STOPPED, left_behind
from baygrid.centres.folder.files import Exit, Files, Why
from baygrid.centres.folder.process import Process
from baygrid.centres.local import inside
from baygrid.centres.local.share import Share
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Observation
from baygrid.ports.messages import Order, Stop

SURVIVORS_MS = 10_000  # what a job leaves behind has at most this long after TERM


class Stage(Enum):
    STARTING = auto()  # spawned, or found with half a claim: who has it is not known yet
    RUNNING = auto()
    ENDING = auto()  # the supervisor has ended, others of its session have not
    DONE = auto()


@dataclass(frozen=True, slots=True)
class Facts:
    """Of the order, what must be known after a restart."""

    attempt: str = ""
    time_ms: int = 0
    grace_ms: int = 0
    memory_kib: int = 0
    outputs: tuple[str, ...] = ()
    signal: str = "TERM"
    checkpoint: str = ""
    image: str = ""

    @classmethod
    def of(cls, order: Order) -> Facts:
        return cls(
            order.attempt,
            order.time_s * 1000,
            order.grace_s * 1000,
            order.memory_mib * 1024 * order.count,
            tuple(order.outputs),
            order.signal,
            order.checkpoint,
            order.image,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "attempt": self.attempt,
            "time_ms": self.time_ms,
            "grace_ms": self.grace_ms,
            "memory_kib": self.memory_kib,
            "outputs": self.outputs,
            "signal": self.signal,
            "checkpoint": self.checkpoint,
            **({"image": self.image} if self.image else {}),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Facts:
        return cls(
            data["attempt"],
            data["time_ms"],
            data["grace_ms"],
            data["memory_kib"],
            tuple(data["outputs"]),
            data.get("signal", "TERM"),  # a claim of an older version has none
            data.get("checkpoint", ""),
            data.get("image", ""),
        )


@dataclass(slots=True)
class Attempt:
    """`pid` and `start` are the supervisor's, once it is known; `descriptor` watches it."""

    key: str
    files: Files
    facts: Facts = Facts()
    stage: Stage = Stage.STARTING
    pid: int = 0
    start: int = 0
    descriptor: int | None = None
    share: Share | None = None
    started_at: Instant | None = None
    why: Why | None = None
    stop: Stop | None = None  # to be carried out once the claim can be read
    kill_at: Instant = 0  # when what it left behind is killed
    look_at: Instant = 0
    looks: int = 0
    cpu_ticks: int = 0
    cpu_seconds: float = 0.0
    peak_kib: int = 0
    within: Process | None = None  # the first process of its container, once it was seen
    removing: bool = False  # it waits until its container is no more
    members: dict[int, int] = field(default_factory=dict)  # pid -> start, of its session, when last sampled
    seen: Observation = field(default_factory=lambda: Observation(AttemptState.WAITING, raw="starting"))

    def exit(self) -> Exit | None:
        """As its files tell it; None until it has ended."""
        return inside.exit_of(self.files) if self.facts.image else self.files.exit()

    @property
    def limit_at(self) -> Instant | None:
        """When its time is up."""
        if self.started_at is None or self.facts.time_ms <= 0:
            return None
        return self.started_at + self.facts.time_ms


_CAUSES = {"time-limit": "time-limit", "out-of-memory": "out-of-memory"}


def verdict(attempt: Attempt, ended: Exit | None, ended_at: Instant) -> Observation:
    """How it ended. What the driver did to it counts more than the exit code that came of it."""
    code = ended.code if ended is not None else None
    cause, detail, state = None, "", AttemptState.FAILED
    if attempt.why is not None and attempt.why.word in STOPPED:
        state = STOPPED[attempt.why.word]
    elif attempt.why is not None:
        cause = _CAUSES.get(attempt.why.word, "interrupted")
        detail = _details(attempt)[cause]
    elif ended is None:
        cause, detail = (
            "interrupted",
            "it ended without a word: killed from outside, or the machine restarted",
        )
    elif code == 0:
        state = AttemptState.SUCCEEDED
    elif ended.phase == inside.NEVER_BEGAN:
        cause, detail = "refused", f"its image {attempt.facts.image} cannot be run here: its log says why"
    elif ended.phase == "setup":
        cause, detail = "setup-failed", f"setup ended with exit code {code}"
    else:
        cause = "exit-code"
    facts = attempt.facts
    outputs = left_behind(attempt.files, state, cause, facts.outputs, facts.checkpoint)
    return Observation(
        state,
        raw=f"{ended.phase} exit {code}" if ended is not None else "gone",
        exit_code=code,
        cause=cause,
        detail=detail,
        started_at=attempt.started_at,
        ended_at=max(ended_at, attempt.started_at or 0),
        cpu_seconds=max(attempt.cpu_seconds, ended.cpu_seconds if ended is not None else 0.0),
        peak_memory_mib=-(-attempt.peak_kib // 1024),
        log_size=attempt.files.log_size(),
        outputs=outputs,
    )


def _details(attempt: Attempt) -> dict[str, str]:
    return {
        "time-limit": f"it ran longer than the {attempt.facts.time_ms // 1000} s that were asked for",
        "out-of-memory": f"it used {attempt.peak_kib // 1024} MiB"
        f" and had asked for {attempt.facts.memory_kib // 1024} MiB",
        "interrupted": "it was ended by the driver",
    }


def running(attempt: Attempt) -> Observation:
    """How it stands while it lives."""
    ending = attempt.why is not None or attempt.stage is Stage.ENDING
    return Observation(
        AttemptState.STOPPING if ending else AttemptState.RUNNING,
        raw=attempt.why.word if attempt.why is not None else f"pid {attempt.pid}",
        started_at=attempt.started_at,
        cpu_seconds=attempt.cpu_seconds,
        peak_memory_mib=-(-attempt.peak_kib // 1024),
    )
