"""Group commit: writers that come at the same time share one commit, without a thread of its own.

Flat combining: the first writer leads. It takes everybody who waits, runs all their works in one
transaction, commits once and lets them go; meanwhile new writers queue up, and the first of those leads next.
A writer that is alone never waits for anybody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock, get_ident
from typing import Any

from baygrid.ports import store as ports


class Entry:
    """One caller's work and what became of it."""

    __slots__ = ("done", "error", "gate", "leads", "result", "work")

    def __init__(self, work: Callable[[ports.Tx], Any]) -> None:
        self.work = work
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False  # committed, or failed for good
        self.leads = False
        self.gate: Lock | None = None  # held until the entry is done or leads

    def outcome(self) -> Any:
        """The result, or raises the error."""
        if self.error is None:
            return self.result
        try:
            raise self.error
        finally:
            self.error = None  # breaks the cycle between the error's traceback and this entry


class Group:
    """`run(entries)` carries out a whole group and leaves in each entry its result or its error. It returns
    what is to be done after the next group has been let in and before its own callers return."""

    def __init__(self, run: Callable[[list[Entry]], Callable[[], None]], limit: int = 128) -> None:
        self._run = run
        self._limit = limit
        self._mutex = Lock()
        self._waiting: deque[Entry] = deque()
        self._busy = False
        self._leader: int | None = None

    def submit(self, entry: Entry) -> Any:
        """Returns what the entry's work returned, once that is committed."""
        if self._leader == get_ident():
            raise RuntimeError("a write inside a write: use the transaction that is already there")
        with self._mutex:
            self._waiting.append(entry)
            if self._busy:
                entry.gate = Lock()
                entry.gate.acquire()  # the caller's own, not contended
            else:
                self._busy = True
                entry.leads = True
        if entry.gate is not None:
            self._wait(entry, entry.gate)
        if not entry.done:
            self._lead(entry)
        return entry.outcome()

    def _wait(self, entry: Entry, gate: Lock) -> None:
        try:
            gate.acquire()
        except BaseException:  # an interrupted caller must not leave the others without a leader
            with self._mutex:
                if entry in self._waiting:
                    self._waiting.remove(entry)
                if entry.leads:
                    self._pass_on()
            raise

    def _lead(self, leader: Entry) -> None:
        self._leader = get_ident()
        after: Callable[[], None] | None = None
        entries: list[Entry] = []
        try:
            with self._mutex:
                while self._waiting and len(entries) < self._limit:
                    entries.append(self._waiting.popleft())
            after = self._run(entries)
        except BaseException as error:  # noqa: BLE001 - `run` was interrupted: every caller gets to hear of it
            for entry in entries:
                entry.error = entry.error or error
        finally:
            self._leader = None
            with self._mutex:
                self._pass_on()
            try:
                if after is not None:
                    after()
            finally:
                for entry in entries:
                    entry.done = True
                    if entry is not leader and entry.gate is not None:
                        entry.gate.release()

    def _pass_on(self) -> None:
        """The first who waits leads next. Called with the mutex held."""
        if self._waiting:
            following = self._waiting[0]
            following.leads = True
            assert following.gate is not None
            following.gate.release()
        else:
            self._busy = False
