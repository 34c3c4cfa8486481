"""One thread, one clock, one source of chance: everything in the simulated region is a step of this world.

A process runs steps until it crashes: what it had scheduled is then dropped, as memory is. A process can also
be stalled in the middle of a step (a virtual machine that is suspended): the others go on meanwhile, inside
that step, and it resumes with all that it believed before.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable
from random import Random

from baygrid.ports.basics import Instant

Do = Callable[[], None]

BEGIN: Instant = 1_760_000_000_000


class Crash(BaseException):
    """The process that runs this step dies here. Not an Exception: no code may survive it by catching."""


class Violation(BaseException):
    """Something that must never happen has happened. `subject`: the job or attempt that it happened to."""

    def __init__(self, invariant: str, detail: str, subject: str = "") -> None:
        super().__init__(f"{invariant}: {detail}")
        self.invariant = invariant
        self.detail = detail
        self.subject = subject


class Log:
    """All that happened, in order; its hash is the proof that a seed replays."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._hash = hashlib.sha256()

    def add(self, line: str) -> None:
        self.lines.append(line)
        self._hash.update(line.encode())

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def about(self, subject: str, most: int) -> list[str]:
        """The last lines that name `subject`, else the last lines of all."""
        found = [line for line in self.lines if subject in line] if subject else self.lines
        return found[-most:]


class Process:
    """One life of a server, agent or client."""

    def __init__(self, name: str, died: Do = lambda: None) -> None:
        self.name = name
        self.alive = True
        self.stalled = False
        self.waiting: list[tuple[str, Do]] = []  # what came while it was stalled
        self._died = died

    def die(self) -> None:
        if self.alive:
            self.alive = False
            self.waiting.clear()
            self._died()


class World:
    """`after_step` is called at the end of every step: the checker's place."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.now: Instant = BEGIN
        self.log = Log()
        self.current: Process | None = None
        self.after_step: Do = lambda: None
        self._heap: list[tuple[Instant, int, Process | None, str, Do]] = []
        self._count = 0
        self.steps = 0

    def chance(self, probability: float) -> bool:
        """Draws only where there is a chance at all, so that a switched-off fault costs nothing."""
        return probability > 0.0 and self.rng.random() < probability

    def between(self, low: int, high: int) -> int:
        return low + int(self.rng.random() * (high - low + 1))

    def note(self, text: str) -> None:
        who = self.current.name if self.current is not None else "-"
        self.log.add(f"{self.now - BEGIN} {who} {text}\n")

    def after(self, delay: int, what: str, do: Do, process: Process | None = None) -> None:
        self._count += 1
        heapq.heappush(self._heap, (self.now + max(0, delay), self._count, process, what, do))

    def run(self, until: Instant, done: Callable[[], bool] = lambda: False) -> None:
        """Steps in the order of their time, then of their making, up to and including `until`."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            if done():
                return
            at, _, process, what, do = heapq.heappop(heap)
            self.now = max(self.now, at)
            self.enter(process, what, do)
        self.now = max(self.now, until)

    def enter(self, process: Process | None, what: str, do: Do) -> None:
        """One step of `process`: at once, or when it resumes, or never."""
        if process is not None:
            if not process.alive:
                return
            if process.stalled:
                process.waiting.append((what, do))
                return
        before, self.current = self.current, process
        self.steps += 1
        try:
            if what:
                self.note(what)
            do()
        except Crash:
            assert process is not None
            self.note("crashes")
            process.die()
        finally:
            self.current = before
        self.after_step()

    def pause(self, process: Process, milliseconds: int, *, whole: bool) -> None:
        """Called inside a step of `process`: the world goes on for so long, without all of the process if
        `whole`, else beside this one step of it. Raises Crash if the process was killed meanwhile."""
        self.note(f"{'stalls' if whole else 'waits'} for {milliseconds}")
        self.after_step()  # what this step has committed so far is judged before anything else happens
        before, process.stalled = self.current, whole
        self.run(self.now + milliseconds)
        self.current, process.stalled = before, False
        if not process.alive:
            raise Crash
        waiting, process.waiting = process.waiting, []
        for what, do in waiting:
            self.after(0, what, do, process)
        self.note("goes on")
