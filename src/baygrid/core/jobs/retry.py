"""Whether a job is tried again after an attempt that did not succeed. Off unless the job asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from baygrid.core import reading
from baygrid.core.jobs import fields
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.jobs.problems import Problems, Section
from baygrid.core.reasons import JSON

MAX_RETRIES: Final = 100
WHAT: Final = ("interruption", "lost", "error")

# More time or memory is not had by trying again, so `time-limit` and `out-of-memory` are no errors here.
_MEANT: Final[Mapping[str, str]] = {
    "interrupted": "interruption",
    **dict.fromkeys(("exit-code", "setup-failed", "staging-failed", "publishing-failed", "refused"), "error"),
}


_PAUSES: Final[Mapping[str, tuple[int, int, int]]] = {
    "interruption": (0, 5, 60),
    "lost": (0, 5, 60),
    "error": (10, 20, 600),
}
"""Seconds before the first retry, before the second (from then on each time twice as long), and at most. An
interruption was not the job's doing, so it goes on at once; what failed by itself may well fail again."""


@dataclass(frozen=True, slots=True)
class Retry:
    """At most `most` times, after what is named in `on`."""

    on: tuple[str, ...] = ()
    most: int = 0

    def after(self, state: AttemptState, cause: str | None, retries: int) -> bool:
        """Whether to try again after an attempt that ended so, where that was done `retries` times before."""
        ended = _ended(state, cause)
        return state in (AttemptState.FAILED, AttemptState.LOST) and retries < self.most and ended in self.on


def pause_s(state: AttemptState, cause: str | None, retries: int) -> int:
    """Seconds to let pass before the next attempt, after one that ended so and is to be tried again;
    `retries`: how often that was done before."""
    first, second, most = _PAUSES[_ended(state, cause) or "error"]
    return first if retries == 0 else min(most, second << min(retries - 1, 20))


def _ended(state: AttemptState, cause: str | None) -> str | None:
    return "lost" if state is AttemptState.LOST else _MEANT.get(cause or "")


NEVER: Final = Retry()
_ON: Final = fields.items(fields.word(*WHAT))


def retry(value: object, path: str, found: Problems) -> Retry:
    """Parse the field `retry`: after anything where `on` is left out, once where `max` is."""
    section = Section(value, path, ("on", "max"), found)
    on = section.part("on", _ON, WHAT)
    most = section.leaf("max", reading.whole(0, MAX_RETRIES), 1)
    return Retry(tuple(word for word in WHAT if word in on), most) if most else NEVER


def document(wanted: Retry) -> dict[str, JSON] | None:
    """The field `retry` that parses to `wanted`."""
    return {"on": list(wanted.on), "max": wanted.most} if wanted != NEVER else None
