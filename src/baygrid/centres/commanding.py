"""What a centre is told of the attempts: which of them it is to start, and which to stop.

Permission to start is durable before the centre is told; a start that may have happened is ended by the
centre's own claim only.
"""

from __future__ import annotations

from baygrid.centres.attempts import Attempts
from baygrid.centres.folder.staging import nothing_to_fetch
from baygrid.centres.remembered import Phase, Remembered, go_entry
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Centre, StagingFailed
from baygrid.ports.messages import Stop

STARTS_PER_TICK = 64
MAX_START_TRIES = 8


class Commander:
    """`epoch` as the agent's."""

    def __init__(self, attempts: Attempts, centre: Centre, epoch: str) -> None:
        self._attempts, self._centre, self._epoch = attempts, centre, epoch

    def start(self, now: Instant) -> None:
        """Starts what is ready and whose turn it is, a bounded number in one step."""
        ready = [kept for kept in self._attempts.phases[Phase.READY].values() if kept.stop is None]
        for kept in ready:
            if kept.retry_at > now:
                self._attempts.wake(kept.retry_at)
        ready = [kept for kept in ready if kept.retry_at <= now]
        if len(ready) > STARTS_PER_TICK:
            ready = ready[:STARTS_PER_TICK]
            self._attempts.wake(now)
        late = [kept for kept in ready if kept.go is None]
        for kept in late:
            kept.go = self._epoch
        self._attempts.write([go_entry(kept) for kept in late])
        for kept in ready:
            try:
                if not kept.needs_network:
                    self._centre.prepare(kept.order, nothing_to_fetch)
                self._centre.start(kept.order, now)
            except StagingFailed as failure:
                self._give_up(kept, str(failure))
            except OSError as error:
                self._attempts.later(kept, str(error), now)
                if kept.tries >= MAX_START_TRIES:
                    self._give_up(kept, str(error))
            else:
                kept.trouble = ""
                self._attempts.enter(kept, Phase.ORDERED)

    def _give_up(self, kept: Remembered, why: str) -> None:
        """It may have been started in an earlier life: only the centre's own claim ends that."""
        kept.trouble = why
        kept.stop = Stop(kept.order.attempt, kept.order.token, "it could not be started", 0)
        kept.refused = True
        self._attempts.stops[kept.order.attempt] = kept

    def stop(self, now: Instant) -> None:
        """Passes stops on. The centre is told even of what never started: it then refuses to start it."""
        for attempt, kept in list(self._attempts.stops.items()):
            if kept.stop is None or kept.phase in (Phase.PUBLISH, Phase.FINAL):
                del self._attempts.stops[attempt]
            elif kept.phase is Phase.STAGE and kept.busy:
                continue  # its files are being written; `staged` comes
            elif now < kept.retry_at and not kept.refused:
                self._attempts.wake(kept.retry_at)
            else:
                try:
                    self._centre.stop(kept.stop, now)
                except OSError as error:
                    self._attempts.later(kept, str(error), now)
                    continue
                del self._attempts.stops[attempt]
                kept.stop_told = True
                self._attempts.enter(kept, Phase.ORDERED)
