"""Logs: the agent appends by offset, a user reads by offset."""

from __future__ import annotations

from dataclasses import dataclass

from baygrid.app.access import Action, Actor, permit
from baygrid.app.jobs import find_job
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound, TooLarge, WrongState
from baygrid.ports.records import AttemptRecord
from baygrid.ports.store import Tx, log_key

MAX_LOG_BYTES = 256 * 1024 * 1024
MAX_APPEND_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LogPart:
    """`size`: what the platform holds by now. `complete`: the attempt is over and all of it is here."""

    attempt: str
    offset: int
    data: bytes
    size: int
    complete: bool


def append(platform: Platform, actor: Actor, attempt: str, token: str, offset: int, data: bytes) -> int:
    """Adds a stretch of an attempt's log; repeating is harmless. Returns where the log now ends.

    A stretch that overlaps what is held is cut; one that begins beyond the end is not taken (the answer says
    where to go on). Beyond MAX_LOG_BYTES everything is accepted and dropped, so that a job never blocks on
    it.
    """
    if len(data) > MAX_APPEND_BYTES:
        raise TooLarge(f"send at most {MAX_APPEND_BYTES} bytes of a log at once")
    if offset < 0:
        raise Invalid.at("offset", "must not be negative")
    record = platform.store.read(lambda tx: _attempt_of_agent(tx, actor, attempt, token))
    held, end = record.log_size, offset + len(data)
    if held >= MAX_LOG_BYTES:
        return end
    if offset > held or end <= held:
        return held
    data = data[held - offset : MAX_LOG_BYTES - offset]
    platform.objects.put(log_key(attempt, held, len(data)), iter([data]))
    stored = platform.store.write(lambda tx: tx.logs.extend(attempt, held, len(data)))
    return end if stored == MAX_LOG_BYTES else stored


def _attempt_of_agent(tx: Tx, actor: Actor, attempt: str, token: str) -> AttemptRecord:
    record = tx.attempts.get([attempt]).get(attempt)
    if record is None or record.token != token or record.centre != actor.centre:
        raise NotFound(f"there is no attempt {attempt!r} with this token at this centre")
    permit(actor, Action.AGENT, centre=record.centre)
    return record


def read(platform: Platform, actor: Actor, job: str, attempt: str | None, offset: int, limit: int) -> LogPart:
    """Bytes from `offset`, at most about `limit`; of the newest attempt unless one is named."""
    if offset < 0:
        raise Invalid.at("offset", "must not be negative")

    def load(tx: Tx) -> tuple[AttemptRecord | None, list[tuple[int, int]]]:
        record = find_job(tx, actor, Action.READ, job)
        attempts = tx.attempts.of_jobs([job])
        if attempt is not None:
            attempts = [a for a in attempts if a.id == attempt]
            if not attempts:
                raise NotFound(f"job {job!r} has no attempt {attempt!r}")
        if not attempts:
            if record.state.final:
                raise WrongState(f"job {job!r} never ran ({record.state.value}), so it has no log")
            return None, []
        return attempts[-1], tx.logs.chunks(attempts[-1].id, offset)

    newest, chunks = platform.store.read(load)
    if newest is None:
        return LogPart("", offset, b"", 0, complete=False)
    return _part(platform, newest, chunks, offset, limit)


def tail(platform: Platform, attempt: str, offset: int, limit: int) -> LogPart:
    """The same of one attempt, for a reader that many share: each of them `may_read`, or does not get it."""

    def load(tx: Tx) -> tuple[AttemptRecord, list[tuple[int, int]]]:
        return tx.attempts.get([attempt])[attempt], tx.logs.chunks(attempt, offset)

    return _part(platform, *platform.store.read(load), offset, limit)


def may_read(platform: Platform, actor: Actor, job: str) -> None:
    """Raises NotFound, Forbidden."""
    platform.store.read(lambda tx: find_job(tx, actor, Action.READ, job))


def _part(
    platform: Platform, record: AttemptRecord, chunks: list[tuple[int, int]], offset: int, limit: int
) -> LogPart:
    data = bytearray()
    for start, size in chunks:
        if len(data) >= limit:
            break
        skip = max(0, offset - start)
        for piece in platform.objects.get(log_key(record.id, start, size), skip, size - skip):
            data += piece
    whole = record.log_size >= min(record.log_end or 0, MAX_LOG_BYTES)
    reached = offset + len(data) >= record.log_size
    over = record.state.final and whole and reached
    return LogPart(record.id, offset, bytes(data), record.log_size, over)
