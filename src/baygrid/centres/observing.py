"""Asks a centre what it sees of its attempts, and what follows: usage, the next phase, the end."""

from __future__ import annotations

from baygrid.centres.attempts import Attempts
from baygrid.centres.metering import Signer, stretches
from baygrid.centres.remembered import Phase, Remembered, usage_entry
from baygrid.centres.reports import Reporter, failed, same
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Centre, Observation
from baygrid.ports.messages import WITHDRAWN

ASK_AGAIN_MS = 1_000

_LOOKED_AT = (Phase.CHECK, Phase.ORDERED, Phase.UNKNOWN)


class Observer:
    """`epoch` as the agent's. `usage_every`: at the latest after so many ms, what was used is signed.
    `trouble`: why the centre could not be asked the last time, "" if it could."""

    def __init__(
        self,
        attempts: Attempts,
        reporter: Reporter,
        centre: Centre,
        key: Signer,
        epoch: str,
        usage_every: int,
    ) -> None:
        self.trouble = ""
        self._attempts, self._reporter, self._centre, self._key = attempts, reporter, centre, key
        self._epoch, self._usage_every = epoch, usage_every

    def look(self, now: Instant) -> None:
        """Once at everything that may have been started."""
        asked = [
            kept for phase in _LOOKED_AT for kept in self._attempts.phases[phase].values() if not kept.old
        ]
        try:
            seen = self._centre.observe([kept.order for kept in asked], now)
        except OSError as error:
            self.trouble = str(error)
            self._attempts.wake(now + ASK_AGAIN_MS)
            return
        self.trouble = ""
        for kept in asked:
            one = seen.get(kept.order.token)
            if one is None:
                self._saw_nothing(kept, now)
            else:
                self._saw(kept, one, now)

    def _saw(self, kept: Remembered, seen: Observation, now: Instant) -> None:
        for signed in stretches(kept, seen, self._usage_every, now, self._key):
            self._attempts.before_report(usage_entry(signed))
            self._reporter.note(kept.order.attempt)
        if kept.stop is not None and kept.stop.reason == WITHDRAWN and seen.started_at is not None:
            kept.stop = None  # it has begun, and goes on
            self._attempts.stops.pop(kept.order.attempt, None)
        if not seen.state.final:
            if kept.phase is not Phase.ORDERED or not same(kept.seen, seen):
                self._attempts.enter(kept, Phase.ORDERED)
            kept.seen = seen
        elif seen.outputs:  # results, or a checkpoint
            kept.seen = seen
            self._attempts.enter(kept, Phase.PUBLISH)
        elif kept.refused and seen.started_at is None:
            self._attempts.finish(kept, failed("refused", kept.trouble, ended_at=seen.ended_at), now)
        else:
            self._attempts.finish(kept, seen, now)

    def _saw_nothing(self, kept: Remembered, now: Instant) -> None:
        """The centre does not know the token: never "completed"."""
        if kept.go is not None and kept.go != self._epoch and kept.seen is None:
            self._attempts.finish(
                kept, failed("interrupted", "the machine restarted before it was seen to run"), now
            )
        elif kept.stop_told and kept.seen is None:
            self._attempts.finish(kept, Observation(AttemptState.CANCELLED, raw="never started here"), now)
        elif kept.phase is Phase.CHECK and kept.stop is None:
            if not kept.adopt:
                kept.log_offset = 0
            # Permission to start came after staging. It may have been started, so it must not fail here
            # without the centre's word: starting again asks the centre.
            fresh = Phase.STAGE if kept.needs_network and kept.go is None else Phase.READY
            self._attempts.enter(kept, Phase.UNKNOWN if kept.adopt else fresh)
            self._attempts.wake(now)
        elif kept.phase is Phase.ORDERED:
            gone = Observation(
                AttemptState.UNKNOWN,
                raw="no longer known here",
                started_at=kept.seen.started_at if kept.seen is not None else None,
            )
            if kept.seen != gone:
                kept.seen = gone
                self._reporter.note(kept.order.attempt)
