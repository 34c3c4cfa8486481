"""Supervisors that are waited for: one descriptor is readable when any of them has ended."""

from __future__ import annotations

import os
import select

from baygrid.centres.local import processes
from baygrid.centres.local.attempt import Attempt


class Supervisors:
    """Each by its descriptor (a pidfd). A stray lost its claim to another, or does not know of it yet."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, Attempt] = {}
        self._strays: dict[int, int] = {}  # descriptor -> pid

    def fileno(self) -> int:
        return self._epoll.fileno()

    def watch(self, attempt: Attempt, descriptor: int) -> None:
        attempt.descriptor = descriptor
        self._watched[descriptor] = attempt
        self._epoll.register(descriptor, select.EPOLLIN)

    def let_go(self, attempt: Attempt, *, stray: bool = True) -> None:
        """`stray`: a supervisor of ours still runs without a claim, and is waited for when it leaves."""
        descriptor, attempt.descriptor = attempt.descriptor, None
        if descriptor is None:
            return
        del self._watched[descriptor]
        if stray:
            self._strays[descriptor] = attempt.pid
        else:
            self._epoll.unregister(descriptor)
            os.close(descriptor)

    def ended(self) -> list[Attempt]:
        """The attempts whose supervisor has ended; they are watched until they are let go. Strays are seen
        off here."""
        found = []
        for descriptor, _ in self._epoll.poll(0):
            if descriptor in self._strays:
                self._epoll.unregister(descriptor)
                os.close(descriptor)
                processes.reap(self._strays.pop(descriptor))
            else:
                found.append(self._watched[descriptor])
        return found

    def close(self) -> None:
        for descriptor in (*self._watched, *self._strays):
            os.close(descriptor)
        self._epoll.close()
