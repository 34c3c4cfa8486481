"""What the engine is asked, and when: one call at a time, in a thread, and longer and longer pauses while it
does not answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from baygrid.centres.engine import EngineSilent
from baygrid.centres.hands import Hands, Mailbox
from baygrid.centres.queued.attempt import Pace
from baygrid.ports.basics import Instant


@dataclass(frozen=True, slots=True)
class Errand:
    """One call. `about` comes back with its result."""

    kind: str
    about: Any
    call: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """`silence`: why there is none."""

    kind: str
    about: Any
    result: Any = None
    silence: str = ""


class Asking:
    """`fileno()` is readable when an answer is there."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._mailbox = Mailbox()
        self._hands = Hands("engine", 1, self._mailbox)
        self._pauses = 0
        self.busy = False
        self.not_before: Instant = 0
        self.silent_since: Instant | None = None
        self.trouble = ""

    def fileno(self) -> int:
        return self._mailbox.fileno()

    def give(self, errand: Errand) -> None:
        self.busy = True
        self._hands.give(errand.kind, errand.about, errand.call)

    def take(self, now: Instant) -> list[Answer]:
        """Raises whatever a call raised that is neither silence nor an error of the system."""
        return [self._answer(kind, about, result, now) for kind, about, result in self._mailbox.take()]

    def close(self) -> None:
        """A call that is under way is not waited for."""
        self._hands.stop(0)

    def _answer(self, kind: str, about: Any, result: Any, now: Instant) -> Answer:
        self.busy = False
        if isinstance(result, EngineSilent | OSError):
            longest = self._pace.again_most
            self.not_before = now + min(longest, self._pace.again << min(self._pauses, 20))
            self._pauses += 1
            self.silent_since = self.silent_since if self.silent_since is not None else now
            self.trouble = str(result) or type(result).__name__
            return Answer(kind, about, silence=self.trouble)
        if isinstance(result, Exception):
            raise result
        self._pauses, self.not_before, self.silent_since, self.trouble = 0, 0, None, ""
        return Answer(kind, about, result)
