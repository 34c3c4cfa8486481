"""The processes of attempts: each supervisor leads a session, and what it started is in that."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress

from baygrid.centres.folder.process import Process
from baygrid.centres.local import inside, processes
from baygrid.centres.local.attempt import Attempt


def members(attempt: Attempt) -> list[Process]:
    """Who is left of its session. A session whose number a newer process leads is not its session."""
    everyone = list(processes.everyone())
    found = contained(attempt, everyone)
    marker = f"BAYGRID_ATTEMPT={attempt.facts.attempt}".encode()
    for process in everyone:
        if process.session != attempt.pid or process.start < attempt.start:
            continue
        if process.pid == attempt.pid and process.start != attempt.start:
            return found
        known = attempt.members.get(process.pid) == process.start
        if known or processes.carries(process.pid, marker):
            found.append(process)
    return found


def contained(attempt: Attempt, everyone: Iterable[Process]) -> list[Process]:
    """Those in its container, the first one before all others: its kernel ends them with that one."""
    if not attempt.facts.image:
        return []
    if attempt.within is None:
        found = processes.look(inside.pid_of(attempt.files) or 0)
        marker = f"BAYGRID_ATTEMPT={attempt.facts.attempt}".encode()
        if found is None or found.start < attempt.start or not processes.carries(found.pid, marker):
            return []
        attempt.within = found
    return below(attempt.within, everyone)


def below(first: Process, everyone: Iterable[Process]) -> list[Process]:
    """It and what came of it, as far as it is there: an orphan's parent is the first one of its container."""
    children = defaultdict(list)
    found = []
    for process in everyone:
        children[process.parent].append(process)
        if (process.pid, process.start) == (first.pid, first.start):
            found.append(process)
    for process in found:  # which grows
        found += children[process.pid]
    return found


def signal_all(attempt: Attempt, number: int) -> None:
    """To all of its session, whose supervisor has not been waited for, and all in its container. Once there
    is one, Podman is only killed: told to end it would not wait for what the job does with its grace."""
    within = contained(attempt, processes.everyone()) if attempt.facts.image else []
    if within and number != signal.SIGKILL:
        with suppress(ProcessLookupError):
            os.kill(attempt.pid, number)
    else:
        processes.signal_group(attempt.pid, number)
    for process in within:
        processes.signal_one(process, number)


def sample(attempts: Iterable[Attempt]) -> list[Attempt]:
    """One pass over all processes of the machine, for the memory and cpu time of every session, or container:
    Podman's own is not the job's. Returns those that have more memory than they may."""
    sessions = {attempt.pid: attempt for attempt in attempts}
    everyone = list(processes.everyone())
    whose = {
        (process.pid, process.start): attempt.pid
        for attempt in sessions.values()
        for process in contained(attempt, everyone)
    }
    sizes = dict.fromkeys(sessions, 0)
    ticks = dict.fromkeys(sessions, 0)
    found: dict[int, dict[int, int]] = {pid: {} for pid in sessions}
    for process in everyone:
        of = whose.get((process.pid, process.start), process.session)
        if of in sessions and (of != process.session or not sessions[of].facts.image):
            sizes[of] += process.rss_kib
            ticks[of] += process.cpu_ticks
            found[of][process.pid] = process.start
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
