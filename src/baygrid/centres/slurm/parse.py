"""What Slurm's commands answer, as values. Pure.

A line that is not whole is somebody's name with a newline in it, and is left out; a word that is not known
is UNKNOWN for that job alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from baygrid.centres.engine import NAME, Outside, Sight, Stand
from baygrid.centres.slurm import commands
from baygrid.centres.slurm.nodes import (
    accelerators,
    accelerators_used,
    count,
    hosts,
    instant,
    mebibytes,
    seconds,
    tres,
)
from baygrid.ports.basics import Instant
from baygrid.ports.messages import NodeReport, PartitionReport

STANDS: Final[Mapping[str, tuple[Stand, str | None]]] = {
    "PENDING": (Stand.WAITING, None),
    "CONFIGURING": (Stand.WAITING, None),
    "REQUEUED": (Stand.WAITING, None),
    "REQUEUE_FED": (Stand.WAITING, None),
    "REQUEUE_HOLD": (Stand.WAITING, None),
    "SPECIAL_EXIT": (Stand.WAITING, None),
    "RESV_DEL_HOLD": (Stand.WAITING, None),
    "RUNNING": (Stand.RUNNING, None),
    "SUSPENDED": (Stand.RUNNING, None),
    "RESIZING": (Stand.RUNNING, None),
    "SIGNALING": (Stand.RUNNING, None),
    "STOPPED": (Stand.RUNNING, None),
    "COMPLETING": (Stand.STOPPING, None),
    "STAGE_OUT": (Stand.STOPPING, None),
    "COMPLETED": (Stand.ENDED, None),
    "FAILED": (Stand.ENDED, None),
    "CANCELLED": (Stand.ENDED, "cancelled"),
    "TIMEOUT": (Stand.ENDED, "time-limit"),
    "DEADLINE": (Stand.ENDED, "time-limit"),
    "OUT_OF_MEMORY": (Stand.ENDED, "out-of-memory"),
    "PREEMPTED": (Stand.ENDED, "preempted"),
    "NODE_FAIL": (Stand.ENDED, "interrupted"),
    "BOOT_FAIL": (Stand.ENDED, "interrupted"),
    "LAUNCH_FAILED": (Stand.ENDED, "interrupted"),
    "RECONFIG_FAIL": (Stand.ENDED, "interrupted"),
}
"""https://slurm.schedmd.com/job_state_codes.html. Our jobs are never requeued, so PREEMPTED is an end."""

BRIEF_MS: Final = 10_000
"""slurmctld tells slurmdbd of starts every five seconds, and of an end only after its start."""

LAG_MS: Final = 15_000

FLUSHED: Final = "CANCELLED"
"""In the accounting, where who cancelled a job is named with it. Nobody did this: slurmctld began anew
without its state, and all that it had is ended so."""

_AWAY = re.compile(
    "Unable to contact|timed out|[Cc]onnection (refused|reset|timed out)|Connection failure"
    "|Transport endpoint|Zero Bytes were transmitted|temporarily un|standby mode|Unable to connect"
    "|No route to host"
    "|Network is unreachable|[Uu]nable to establish|establish a configuration|not responding|Host is down"
    "|shutting down|credential|Protocol authentication"
)
_LATER = re.compile("SubmitJob|MaxJobs|Required partition not available|Required node not available")
_START = re.compile(r"to start at (\S+) ")
_SUFFIXES = "*~#!%$@^-+"
_GONE = set("*$@^")
"""sinfo(1), node state codes: does not respond, in maintenance, reboots."""
_USABLE = {"idle", "mixed", "allocated", "completing", "planned", "reserved", "blocked", "power_down",
           "powering_down", "powered_down", "powering_up"}  # fmt: skip


class Garbled(ValueError):
    """The answer is not whole."""


def rows(text: str, mark: str, width: int) -> Iterator[list[str]]:
    """Raises Garbled where the last line was cut off."""
    if text and not text.endswith("\n"):
        raise Garbled("the answer ends in the middle of a line")
    for line in text.split("\n"):
        cells = line.split(mark)
        if len(cells) == width:
            yield cells


def stand(word: str) -> tuple[Stand, str | None]:
    """With the cause of an end. sacct says "CANCELLED by 1001"."""
    return STANDS.get(word.partition(" ")[0], (Stand.UNKNOWN, None))


def exit_code(text: str) -> int | None:
    """As a shell has it. Of "7:0", "0:9" (a signal), or "1792": squeue of 22.05 says what wait(2) gave."""
    code, colon, number = text.partition(":")
    if not (code + number).isdigit():
        return None
    left, killed = (int(code), int(number)) if colon else (int(code) >> 8 & 255, int(code) & 127)
    return 128 + killed if killed else left


def listed(text: str, mark: str) -> list[Sight]:
    """Of `commands.listed`: all under Slurm's own names. What has ended is left out."""
    found = []
    for id, word, start, nodes, reason, name in rows(text, mark, len(commands.LISTED)):
        where, _ = stand(word)
        if where is Stand.ENDED:
            continue
        at = _instant(start)
        waiting = where is Stand.WAITING
        found.append(
            Sight(
                name,
                id,
                where,
                word,
                reason="" if reason == "None" else reason,
                nodes=() if waiting else _hosts(nodes),  # backfill plans some, and may choose others
                started_at=None if waiting else at,
                expected_at=at if waiting else None,
            )
        )
    return found


def remembered(text: str, mark: str) -> list[Sight]:
    """Of `commands.remembered`: what was used is not known."""
    width = len(commands.REMEMBERED) + 1  # each field is followed by the mark
    return [_past(*cells[:-1]) for cells in rows(text, mark, width)]


def accounted(text: str, mark: str) -> list[Sight]:
    """Of `commands.accounted`: jobs, with the most memory that one of their steps had on one node."""
    jobs: dict[str, Sight] = {}
    for cells in rows(text, mark, len(commands.ACCOUNTED)):
        id, word, start, end, code, nodes, memory, cpu, peak, reason, name = cells
        id, dot, _ = id.partition(".")
        if not dot:
            past = _past(id, word, start, end, code, nodes, memory, reason, name)
            if word == FLUSHED:
                past = replace(past, cause=None, reason=past.reason or "Slurm lost it", exit_code=None)
            jobs[id] = replace(past, cpu_seconds=_spent(cpu))
        elif id in jobs:
            jobs[id] = replace(jobs[id], peak_memory_mib=max(jobs[id].peak_memory_mib, _memory(peak)))
    return list(jobs.values())


def _past(
    id: str, word: str, start: str, end: str, code: str, nodes: str, memory: str, reason: str, name: str
) -> Sight:
    """`memory`: what it had asked for on each node, and has reached where that was not enough.

    A slurmd that cannot launch a job (its prolog fails, it knows another job of that number) asks that it be
    queued again, and where that is off, as for ours, cancels it in root's name."""
    where, cause = stand(word)
    ended, hosts_had = where is Stand.ENDED, () if where is Stand.WAITING else _hosts(nodes)
    if cause == "cancelled" and hosts_had:
        cause = "unlaunched"
    return Sight(
        name,
        id,
        where,
        word,
        reason="" if reason == "None" else reason,
        nodes=hosts_had,
        exit_code=exit_code(code) if ended else None,
        cause=cause,
        started_at=None if where is Stand.WAITING else _instant(start),
        ended_at=_instant(end) if ended else None,
        peak_memory_mib=_memory(memory) if cause == "out-of-memory" else 0,
    )


def brief(sight: Sight) -> bool:
    """Whether it ended too soon for the accounting to be worth waiting for."""
    if sight.stand is not Stand.ENDED or sight.started_at is None or sight.ended_at is None:
        return sight.stand is Stand.ENDED
    return sight.ended_at - sight.started_at < BRIEF_MS


def joined(told: list[Sight], counted: list[Sight], now: Instant) -> list[Sight]:
    """What slurmctld told, with what the accounting has counted; of what slurmctld has forgotten, that alone.
    An end is held back for a while until it is counted."""
    known = {sight.id: sight for sight in counted}
    found = []
    for sight in told:
        other = known.pop(sight.id, None)
        if sight.stand is Stand.ENDED and other is not None and other.stand is Stand.ENDED:
            sight = other
        elif sight.stand is Stand.ENDED and not brief(sight) and now < (sight.ended_at or 0) + LAG_MS:
            sight = replace(sight, stand=Stand.STOPPING)
        found.append(sight)
    return [*found, *known.values()]


def outside(text: str, mark: str, since: Instant, until: Instant) -> list[Outside]:
    """Of `commands.used`: what is not ours and ended in [since, until). What never ran is left out."""
    found = []
    for id, word, start, end, _, resources, partition, user, name in rows(text, mark, len(commands.USED)):
        began, ended = _instant(start), _instant(end)
        if name.startswith(NAME) or stand(word)[0] is not Stand.ENDED:
            continue
        if began is None or ended is None or ended <= began or not since <= ended < until:
            continue
        had = tres(resources)
        found.append(
            Outside(
                id,
                user,
                partition,
                began,
                ended,
                count(had.get("node", "1")),
                count(had.get("cpu", "0")),
                mebibytes(had.get("mem", "")),
                accelerators_used(had),
            )
        )
    return found


def submitted(text: str) -> str:
    """The id: "17", or "17;cluster". Raises Garbled."""
    id = text.strip().partition(";")[0]
    if not id.isdigit():
        raise Garbled(f"sbatch answered {text[:80]!r}")
    return id


def away(trouble: str) -> bool:
    """Whether these words of a command mean that nothing is known."""
    return _AWAY.search(trouble) is not None


def later(trouble: str) -> bool:
    """Whether Slurm refused for a reason that passes: a limit on jobs at once, a partition that is down."""
    return _LATER.search(trouble) is not None


def told(trouble: str) -> str:
    """What a command had to say, as one sentence."""
    lines = [
        re.sub(r"^\S*s(batch|cancel|control|acctmgr): (error: )?", "", line) for line in trouble.splitlines()
    ]
    return "; ".join(line for line in lines if line)


def start(trouble: str) -> Instant | None:
    """Of `commands.test_only`, which answers on standard error."""
    match = _START.search(trouble)
    return _instant(match[1]) if match else None


def config(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


@dataclass(frozen=True, slots=True)
class Reserved:
    """What one reservation that is active keeps from others, on each of its nodes."""

    nodes: tuple[str, ...]
    cpus: int
    accelerators: Mapping[str, int] = field(default_factory=dict)


def reservations(text: str) -> list[Reserved]:
    """Of `commands.reservations`. One of parts of nodes takes the same part of each."""
    found = []
    for line in text.splitlines():
        fields = dict(word.split("=", 1) for word in line.split() if "=" in word)
        if fields.get("State") != "ACTIVE":
            continue
        names, had = _hosts(fields.get("Nodes", "")), tres(fields.get("TRES", ""))
        if names:
            share = -(-count(had.get("cpu", "0")) // len(names))
            gpus = {model: -(-n // len(names)) for model, n in accelerators_used(had).items()}
            found.append(Reserved(names, share, gpus))
    return found


def inventory(
    text: str, mark: str, reserved: list[Reserved], offered: tuple[str, ...] = ()
) -> tuple[PartitionReport, ...]:
    """Of `commands.nodes`: what could be had if nothing ran."""
    nodes: dict[str, list[NodeReport]] = {}
    limits: dict[str, int | None] = {}
    for name, partition, word, available, cpus, memory, limit, gres in rows(text, mark, len(commands.NODES)):
        partition = partition.removesuffix("*")
        if available != "up" or (offered and partition not in offered):
            continue
        most = seconds(limit)
        limits[partition] = int(most) if most is not None else None
        there = nodes.setdefault(partition, [])
        if _usable(word):
            node = NodeReport(name, count(cpus.rstrip("+")), count(memory.rstrip("+")), accelerators(gres))
            node = _without(node, reserved)
            if node.cpus > 0:
                there.append(node)
    return tuple(PartitionReport(name, tuple(there), limits[name]) for name, there in nodes.items())


def _usable(word: str) -> bool:
    base = word.rstrip(_SUFFIXES)
    return base in _USABLE and not _GONE & set(word[len(base) :])


def _without(node: NodeReport, reserved: list[Reserved]) -> NodeReport:
    for one in reserved:
        if node.name in one.nodes:
            left = {model: n - one.accelerators.get(model, 0) for model, n in node.accelerators.items()}
            node = replace(node, cpus=node.cpus - one.cpus, accelerators=left)
    return node


def _instant(text: str) -> Instant | None:
    """None also for what is no time: one odd field must not hide all others."""
    try:
        return instant(text)
    except ValueError:
        return None


def _hosts(text: str) -> tuple[str, ...]:
    try:
        return hosts(text)
    except ValueError:
        return ()


def _spent(text: str) -> float:
    try:
        return seconds(text) or 0.0
    except ValueError:
        return 0.0


def _memory(text: str) -> int:
    try:
        return mebibytes(text)
    except ValueError:
        return 0
