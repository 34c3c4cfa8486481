"""The processes of attempts: each supervisor leads a session, and what it started is in that."""

from __future__ import annotations

from collections.abc import Iterable

from baygrid.centres.folder.process import Process
from baygrid.centres.local import processes
from baygrid.centres.local.attempt import Attempt


def members(attempt: Attempt) -> list[Process]:
    """Who is left of its session. A session whose number a newer process leads is not its session."""
    found = []
    marker = f"BAYGRID_ATTEMPT={attempt.facts.attempt}".encode()
    for process in processes.everyone():
        if process.session != attempt.pid or process.start < attempt.start:
            continue
        if process.pid == attempt.pid and process.start != attempt.start:
            return []
        known = attempt.members.get(process.pid) == process.start
        if known or processes.carries(process.pid, marker):
            found.append(process)
    return found


def sample(attempts: Iterable[Attempt]) -> list[Attempt]:
    """One pass over all processes of the machine, for the memory and cpu time of every session. Returns those
    that have more memory than they may."""
    sessions = {attempt.pid: attempt for attempt in attempts}
    sizes = dict.fromkeys(sessions, 0)
    ticks = dict.fromkeys(sessions, 0)
    found: dict[int, dict[int, int]] = {pid: {} for pid in sessions}
    for process in processes.everyone():
        if process.session in sessions:
            sizes[process.session] += process.rss_kib
            ticks[process.session] += process.cpu_ticks
            found[process.session][process.pid] = process.start
    over = []
    for pid, attempt in sessions.items():
        attempt.members = found[pid]
        attempt.cpu_seconds = max(attempt.cpu_seconds, round(ticks[pid] / processes.TICKS, 3))
        limit, size = attempt.facts.memory_kib, sizes[pid]
        if 0 < limit < size:
            size = sum(map(processes.shared_kib, found[pid]))
        attempt.peak_kib = max(attempt.peak_kib, size)
        if 0 < limit < size:
            over.append(attempt)
    return over
