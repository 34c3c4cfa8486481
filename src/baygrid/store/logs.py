"""Which stretches of a log are in the object store. The log's end is one number in the attempt's row."""

from __future__ import annotations

from sqlalchemy import func, select, update

from baygrid.store.sql import Session, Statement, insert_new, number, text
from baygrid.store.tables import attempts, log_chunks

_EXTEND = Statement(
    update(attempts)
    .where(attempts.c.id == text("key"), attempts.c.log_size == number("end"))
    .values(log_size=attempts.c.log_size + number("more"))
)
_END = Statement(select(attempts.c.log_size).where(attempts.c.id == text("key")))
_INSERT = insert_new(log_chunks)
_C = log_chunks.c
# Stretches are adjacent, so the reader's place lies in the last one that begins at or before it.
_FIRST = (
    select(func.max(_C.start))
    .where(_C.attempt == text("key"), _C.start <= number("beyond"))
    .scalar_subquery()
)
_CHUNKS = Statement(
    select(_C.start, _C.size)
    .where(_C.attempt == text("key"), _C.start >= _FIRST, _C.start + _C.size > number("beyond"))
    .order_by(_C.start)
)


class Logs:
    """Implements `ports.store.Logs`. An attempt that does not exist is a KeyError."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def extend(self, attempt: str, offset: int, size: int) -> int:
        """A stretch of no bytes only asks where the log ends."""
        if size > 0 and self._session.change(_EXTEND, {"key": attempt, "end": offset, "more": size}):
            self._session.change(_INSERT, {"attempt": attempt, "start": offset, "size": size})
            self._session.topics.add(f"log:{attempt}")
            return offset + size
        found = self._session.all(_END, {"key": attempt})
        if not found:
            raise KeyError(attempt)
        end: int = found[0][0]
        return end

    def chunks(self, attempt: str, offset: int) -> list[tuple[int, int]]:
        return [
            (start, size) for start, size in self._session.all(_CHUNKS, {"key": attempt, "beyond": offset})
        ]
