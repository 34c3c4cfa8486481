"""One line of /proc/PID/stat, as a claim holds it and the kernel tells it."""

from __future__ import annotations

import os
from dataclasses import dataclass

PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


@dataclass(frozen=True, slots=True)
class Process:
    """One line of /proc/PID/stat. `start` in clock ticks since boot; cpu time with that of waited-for
    children."""

    pid: int
    state: str
    parent: int
    group: int
    session: int
    cpu_ticks: int
    start: int
    rss_kib: int


def parse_stat(text: str) -> Process:
    """Raises ValueError. A command's name may hold spaces and brackets, so the fields count from the last
    one."""
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    try:
        return Process(
            pid=int(head.split(" ", 1)[0]),
            state=fields[0],
            parent=int(fields[1]),
            group=int(fields[2]),
            session=int(fields[3]),
            cpu_ticks=sum(map(int, fields[11:15])),
            start=int(fields[19]),
            rss_kib=int(fields[21]) * PAGE_KIB,
        )
    except IndexError:
        raise ValueError("not a line of /proc/PID/stat") from None
