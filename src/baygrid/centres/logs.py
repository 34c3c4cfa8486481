"""Which stretch of which log goes to the server next. Offsets make repeating harmless, and nothing here is
durable, because the server says what it holds."""

from __future__ import annotations

from collections.abc import Iterable

from baygrid.centres.remembered import Phase, Remembered
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Centre

EVERY_MS = 300  # while a log grows
QUIET_MS = 1_500  # while it does not
CHUNK = 256 * 1024
STEP_BYTES = 2 * 1024 * 1024
STEP_ATTEMPTS = 256
MAX_STALLS = 8


def chunks(kept: Iterable[Remembered], centre: Centre, now: Instant) -> list[tuple[str, str, int, bytes]]:
    """One bounded step over the logs whose turn it is."""
    found: list[tuple[str, str, int, bytes]] = []
    size = looked = 0
    for one in kept:
        if one.log_done or one.log_at > now:
            continue
        if looked >= STEP_ATTEMPTS or size >= STEP_BYTES:
            break
        looked += 1
        ended = one.phase is not Phase.ORDERED
        if one.log_offset is None:
            data, offset = b"", 0
        else:
            offset = one.log_offset
            data = centre.read_log(one.order, offset, CHUNK)
            if not data:
                one.log_done = ended
                one.log_pause = min(QUIET_MS, max(EVERY_MS, one.log_pause * 2))
                one.log_at = now + one.log_pause
                continue
        one.log_pause = EVERY_MS
        one.log_at = now + EVERY_MS
        size += len(data)
        found.append((one.order.attempt, one.order.token, offset, data))
    return found


def stored(one: Remembered, end: int, now: Instant) -> None:
    """The server holds the log up to `end`, which may be less than was sent, or more."""
    if one.log_offset is not None and end <= one.log_offset:
        one.log_stalls += 1
        one.log_at = now + EVERY_MS * one.log_stalls
        one.log_done = one.log_stalls >= MAX_STALLS and one.phase is Phase.FINAL
    else:
        one.log_stalls = 0
        if one.phase is not Phase.ORDERED:
            one.log_at = now
    one.log_offset = end


def wake_at(kept: Iterable[Remembered]) -> Instant | None:
    """When the next log wants to be looked at."""
    return min((one.log_at for one in kept if not one.log_done), default=None)
