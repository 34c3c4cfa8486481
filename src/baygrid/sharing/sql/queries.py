"""Queries, each in processes of its own, so many at once and no more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Final

from baygrid.ports.reader import Asker, Busy
from baygrid.sharing import child
from baygrid.sharing.process import Limits, stream
from baygrid.sharing.sql import gate
from baygrid.sharing.sql.confined import STANDARD, Asked, Bounds
from baygrid.sharing.work import Bench, bench_of

_WALL: Final = 4
"""How many times longer than it computes a query may take: it waits for its tables, and for who reads."""
_ROOM: Final = 2 << 30
"""Bytes that the process which reads tables may have beside what DuckDB holds."""


class Queries:
    """Safe for several threads. `at_once`: how many run at a time; `patience`: seconds that one waits for its
    turn."""

    def __init__(
        self, bench: Bench, bounds: Bounds = STANDARD, at_once: int = 4, patience: float = 10.0
    ) -> None:
        self._bench, self._bounds, self._patience = bench, bounds, patience
        self._turns = threading.BoundedSemaphore(at_once)

    def query(self, sql: str, rows: int, asker: Asker) -> Iterator[bytes]:
        """As `ports.reader.Reader` has it."""
        if not self._turns.acquire(timeout=self._patience):
            raise Busy("too many queries run at once: try again in a moment")
        try:
            yield from self._answer(Asked(sql, rows, self._bounds), asker)
        finally:
            self._turns.release()

    def _answer(self, asked: Asked, asker: Asker) -> Iterator[bytes]:
        memory = max(self._bench.bounds.memory, asked.bounds.memory) + _ROOM
        limits = Limits(
            memory, _WALL * asked.bounds.seconds, "ask for fewer rows, groups or columns", asker.waits
        )
        rows: int | None = None
        made = 0
        withheld: int | None = None
        with bench_of(self._bench) as bench, closing(stream(limits, _answer, asked)) as frames:
            try:
                names = [tuple(name) for name in next(frames)["names"]]
                tables = asker.tables(names)
                rows = 0
                found = frames.send((bench, tables))  # with secrets: only once the query is apart
                while True:
                    if isinstance(found, bytes):
                        asker.goes(len(found))
                        rows = made
                        yield found
                    else:
                        made, withheld = found.get("rows", made), found.get("withheld")
                    try:
                        found = next(frames)
                    except StopIteration:
                        return
            finally:
                if rows is not None:
                    asker.answered(rows, withheld)


def _answer(asked: Asked) -> Iterator[object]:
    """In the child."""
    yield from gate.answer(asked, child.reply)
