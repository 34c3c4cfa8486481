"""Jobs that ran at the centre without Baygrid: asked for every hour, signed, sent in pages, each kept by the
server once.

The journal has only the mark up to which the server has everything. Whatever is lost or repeated before the
mark moves is asked for and sent again, and the server knows it by its id and end. An accounting may learn of
an end late, so each question reaches back beyond the mark.
"""

from __future__ import annotations

from collections.abc import Iterator

from baygrid.centres.journal import Entry
from baygrid.centres.metering import Signer
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Centre, Metered
from baygrid.ports.messages import Outside, SignedOutside
from baygrid.ports.wire import outside_bytes

EVERY_MS = 3_600_000
LAG_MS = 600_000
"""What ended just now may not be accounted for yet."""
BACK_MS = 6 * 3_600_000
"""By so much later than it ended may a job come into the accounting."""
WINDOW_MS = 6 * 3_600_000
"""So much time at once, after a long absence."""
PAGE = 200
CAPABILITY = "outside-usage"


class Meter:
    """`mark`: all that ended before it is at the server. None: this agent has never told of any; what ended
    before it began is not told, but for `BACK_MS`."""

    def __init__(self, centre: Centre, key: Signer, mark: Instant | None, now: Instant) -> None:
        able = isinstance(centre, Metered) and CAPABILITY in centre.capabilities()
        self._centre = centre if able and isinstance(centre, Metered) else None
        self._key = key
        self.mark = mark if mark is not None else now
        self._until: Instant | None = None  # of the question that is open
        self._next: Instant = now
        self._told: dict[tuple[str, Instant], None] = {}  # at the server, and may be asked for again
        self._pages: list[tuple[SignedOutside, ...]] = []
        self._sent: tuple[SignedOutside, ...] = ()

    def wake_at(self) -> Instant | None:
        """When the next question is due."""
        return None if self._centre is None or self._until is not None else self._next

    def tick(self, now: Instant) -> list[Entry]:
        """Asks, and takes in what was answered. Returns what is to be journaled."""
        if self._centre is None:
            return []
        if self._until is None and now >= self._next:
            self._next = now + EVERY_MS
            until = min(now - LAG_MS, self.mark + WINDOW_MS)
            if until > self.mark:
                self._until = until
                self._centre.ask_outside(self.mark - BACK_MS, until)
        if self._until is None or self._pages:
            return []
        answer = self._centre.outside()
        if answer is None:
            return []
        fresh = [job for job in answer if (job.id, job.end) not in self._told]
        self._pages = [tuple(self._signed(fresh[at : at + PAGE])) for at in range(0, len(fresh), PAGE)]
        return [] if self._pages else self._through(now)

    @property
    def more(self) -> bool:
        """Whether there is something to send."""
        return bool(self._pages)

    def page(self) -> tuple[SignedOutside, ...]:
        """What goes with the next report."""
        self._sent = self._pages[0] if self._pages else ()
        return self._sent

    def taken(self, now: Instant) -> list[Entry]:
        """The server has what went with the last report."""
        if not self._sent or not self._pages or self._pages[0] is not self._sent:
            return []
        self._told.update(((signed.job.id, signed.job.end), None) for signed in self._pages.pop(0))
        return [] if self._pages else self._through(now)

    def _through(self, now: Instant) -> list[Entry]:
        """All of the last answer is at the server."""
        assert self._until is not None
        self.mark, self._until = self._until, None
        self._told = {key: None for key in self._told if key[1] >= self.mark - BACK_MS}
        if self.mark + LAG_MS < now - EVERY_MS:
            self._next = now  # there is more to catch up with
        return [entry(self.mark)]

    def _signed(self, jobs: list[Outside]) -> Iterator[SignedOutside]:
        for job in jobs:
            yield SignedOutside(job, self._key.sign(outside_bytes(job)))


def entry(mark: Instant) -> Entry:
    return {"t": "outside", "v": mark}
