"""The process that may see the tables: it opens them, and lets through what their terms show.

It never touches a query. That is for another process (`confined`), forked before the first secret came, so
that it has no address, no password and no hidden row in its memory. Between the two are two pipes: up come
JSON and the answer's bytes, down go JSON and Arrow batches."""

from __future__ import annotations

import json
import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pyarrow as pa

from baygrid.core.data.terms import Mode
from baygrid.ports.reader import BadExpression, Name, ReadFailed, Shared
from baygrid.sharing.engine import connect, told
from baygrid.sharing.expressions import names, read
from baygrid.sharing.formats.opened import opened
from baygrid.sharing.formats.table import Table
from baygrid.sharing.shown import Shown, shown
from baygrid.sharing.sql import confined
from baygrid.sharing.sql.confined import Asked
from baygrid.sharing.types import quoted
from baygrid.sharing.work import Bench, registered

_ROWS: Final = 50_000
"""Of one batch that goes down."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A table of the query: what its owner shares of it, and how that is read."""

    name: Name
    shared: Shared
    table: Table
    part: Shown


def answer(asked: Asked, tables: Callable[[], tuple[Bench, Mapping[Name, Shared]]]) -> Iterator[Any]:
    """Of a query: first the names of its tables (`names`), then, once `tables` tells what they are, the bytes
    of an Arrow stream, before each piece how many rows went out (`rows`), and at last what is to be said of
    all (`withheld`, `more`). Raises BadExpression, ReadFailed."""
    with ExitStack() as stack:
        other = stack.enter_context(_Confined(asked))
        yield {"names": other.hear()["names"]}
        bench, shared = tables()
        scratch = Path(stack.enter_context(TemporaryDirectory(dir=bench.scratch, prefix="query-")))
        found = [_opened(stack, bench, scratch / str(at), *each) for at, each in enumerate(shared.items())]
        other.say([_governed(each) for each in found])
        by_name = {each.name: each for each in found}
        loads = [(by_name[tuple(load["table"])], load) for load in other.hear()["loads"]]
        stack.enter_context(_Pouring(other, lambda: _pour(bench, scratch, loads, other)))
        yield from other.answer()


def _pour(
    bench: Bench, scratch: Path, loads: Sequence[tuple[_Open, Mapping[str, Any]]], other: _Confined
) -> None:
    for it, load in loads:
        _let_through(bench, scratch, it, load, other)


def _opened(stack: ExitStack, bench: Bench, scratch: Path, name: Name, shared: Shared) -> _Open:
    try:
        table = stack.enter_context(opened(shared.source, bench.allowed, scratch))
        if shared.fingerprint not in ("", table.look.fingerprint):
            raise ReadFailed("it has changed just now: ask again")
        return _Open(name, shared, table, shown(table.look.columns, shared.terms, shared.salt))
    except (ReadFailed, BadExpression) as failure:
        raise ReadFailed(f"{'.'.join(name)} cannot be read: {failure}") from None


def _governed(it: _Open) -> dict[str, Any]:
    terms = it.shared.terms
    return {
        "table": it.name,
        "columns": [column.name for column in it.part.columns],
        "mode": terms.mode.value,
        "k": terms.k,
        "impersonal": sorted(it.shared.impersonal),
        "subject": it.shared.subject is not None,
    }


def _let_through(bench: Bench, scratch: Path, it: _Open, load: Mapping[str, Any], other: _Confined) -> None:
    """The rows of one table as they are shown; of its columns those that were asked for, if they are
    shown."""
    asked = set(load["columns"] or (column.name for column in it.part.columns))
    values = [(column.name, sql) for column, sql in it.part.values if column.name in asked]
    needed = [name for name in it.part.needed if _is_needed(it, asked, name)]
    person = load["person"] if it.shared.terms.mode is Mode.AGGREGATE else None
    if person is not None and it.shared.subject is not None:
        key = secrets.token_hex(16)  # of this one query: what tells persons apart tells nothing else
        values.append((person, f"md5('{key}' || CAST({quoted(it.shared.subject)} AS VARCHAR))"))
        needed = [*dict.fromkeys((*needed, it.shared.subject))]
    with told(), connect(bench.bounds, scratch) as database:
        raw = registered(database, it.table, needed)
        where = "" if it.part.condition is None else f" WHERE {it.part.condition}"
        chosen = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in values)
        rows = database.execute(f"SELECT {chosen} FROM {raw}{where}").to_arrow_reader(_ROWS)  # noqa: S608
        other.pour(rows)


def _is_needed(it: _Open, asked: set[str], name: str) -> bool:
    """Masks may read other columns, so that with masks all count."""
    terms = it.shared.terms
    if terms.masks or name in asked:
        return True
    return terms.filter is not None and name in names(read(terms.filter, it.table.look.columns, "the filter"))


class _Pouring:
    """Rows go down while the answer comes up: a query may answer before it has seen them all, or need no
    more."""

    def __init__(self, other: _Confined, work: Callable[[], object]) -> None:
        self._other, self._work = other, work
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._other.end()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._work()
        except _Gone:
            return
        except Exception as failure:  # noqa: BLE001 - told by who answers, in its own thread
            self._other.fail(failure)


class _Gone(Exception):
    """The query's process is, or needs nothing more."""


class _Confined:
    """The process that runs the query, and the pipes to it."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._failure: Exception | None = None

    def __enter__(self) -> _Confined:
        up, self._down = Pipe(duplex=False), Pipe(duplex=False)
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            confined.run(self._asked, self._down[0], up[1], parent)
        self._down[0].close()
        up[1].close()
        self._up: Connection = up[0]
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._up.close()
        os.waitpid(self._pid, 0)

    def end(self) -> None:
        """Whatever it still does, nobody waits for it. Whoever sends it something hears `_Gone`."""
        os.kill(self._pid, signal.SIGKILL)

    def fail(self, failure: Exception) -> None:
        """A table could not be read: that is what is said, whatever the query says of it."""
        self._failure = failure
        self.end()

    def say(self, document: Any) -> None:
        """Raises _Gone."""
        self._send(json.dumps(document).encode())

    def hear(self) -> dict[str, Any]:
        """The next that is no bytes of the answer. Raises BadExpression, ReadFailed as it says, or if it is
        gone."""
        found = self._next()
        if not isinstance(found, dict):
            raise ReadFailed("the query broke")
        return found

    def pour(self, rows: pa.RecordBatchReader) -> None:
        self._send(rows.schema.serialize())
        for batch in rows:
            self._send(batch.serialize())
        self._send(b"")

    def answer(self) -> Iterator[Any]:
        while True:
            found = self._next()
            yield found
            if isinstance(found, dict) and "withheld" in found:
                return

    def _next(self) -> Any:
        try:
            frame = self._up.recv_bytes(confined.LONGEST)
        except (EOFError, OSError):
            raise self._failure or self._over() from None
        if frame[:1] == confined.BYTES:
            return frame[1:]
        found = json.loads(frame)
        if self._failure is not None and ("refused" in found or "failed" in found):
            raise self._failure
        if "refused" in found:
            raise BadExpression(found["refused"])
        if "failed" in found:
            raise ReadFailed(found["failed"])
        return found

    def _send(self, content: Any) -> None:
        try:
            self._down[1].send_bytes(content)
        except OSError:
            raise _Gone from None

    def _over(self) -> ReadFailed:
        memory, seconds = self._asked.bounds.memory >> 20, self._asked.bounds.seconds
        return ReadFailed(
            f"the query needs more than {memory} MiB of memory or {seconds} s of computing: ask for less"
        )
