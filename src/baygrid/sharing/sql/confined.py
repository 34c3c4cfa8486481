"""The process in which a query runs. It has two pipes and nothing else: no file, no address, no secret,
little memory and time. What it says is JSON and bytes."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import resource
import secrets
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from multiprocessing.connection import Connection
from typing import Any, Final, NoReturn

import duckdb
import pyarrow as pa

from baygrid.core.data.terms import Mode
from baygrid.ports.reader import BadExpression, Name, ReadFailed
from baygrid.sharing.sql import parsing, planning
from baygrid.sharing.sql.running import Engine, fresh

BYTES: Final = b"b"
SAID: Final = "baygrid"
"""Under this key the last batch of an answer, an empty one, says: `rows`, `more` (there was more than may be
sent), `withheld` (groups of too few persons, null where that may not be told)."""
LONGEST: Final = 64 << 20
"""Bytes of one frame."""

_PIECE: Final = 1 << 20
_FILES: Final = 5
"""Standard input, output and error (of nothing), and the pipes."""
_DEATH: Final = 1
"""PR_SET_PDEATHSIG (prctl(2))."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one query: `memory` of DuckDB, in bytes; the process may have as much again, and `_ROOM`. `seconds`
    of computing. `size`: bytes of an answer at most."""

    memory: int = 1 << 30
    seconds: int = 300
    size: int = 1 << 30


STANDARD: Final = Bounds()


@dataclass(frozen=True, slots=True)
class Asked:
    """`rows`: no more than these are wanted."""

    sql: str
    rows: int
    bounds: Bounds = STANDARD


_ROOM: Final = 1 << 30


def run(asked: Asked, down: Connection, up: Connection, parent: int) -> NoReturn:
    """All that the forked process does. `parent`: without it there is nothing to do."""
    try:
        down, up = _confine(asked.bounds, down, up, parent)
        database = fresh(asked.bounds.memory)
        _seal()
        _Query(asked, database, down, up).run()
    except BadExpression as refused:
        _say(up, {"refused": str(refused)})
    except ReadFailed as failure:
        _say(up, {"failed": str(failure)})
    except MemoryError:
        _say(up, {"failed": "the query needs more memory than it has: ask for fewer rows, groups or columns"})
    except RecursionError:
        _say(up, {"refused": "the query is nested too deeply"})
    except BaseException as error:  # noqa: BLE001 - its message may hold values, its name does not
        _say(up, {"failed": f"the query broke ({type(error).__name__})"})
    finally:
        os._exit(0)


def _confine(bounds: Bounds, down: Connection, up: Connection, parent: int) -> tuple[Connection, Connection]:
    """Before anything of the query is looked at: bounds, and no file but the pipes."""
    ctypes.CDLL(None).prctl(_DEATH, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    highest = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    kept = [os.open(os.devnull, os.O_RDWR), down.fileno(), up.fileno()]
    kept = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, _FILES) for descriptor in kept]
    for to, descriptor in enumerate((kept[0], kept[0], *kept)):
        os.dup2(descriptor, to)
    os.closerange(_FILES, highest)
    os.environ.clear()
    for kind, limit in (
        (resource.RLIMIT_DATA, 2 * bounds.memory + _ROOM),
        (resource.RLIMIT_CPU, bounds.seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _FILES + 1),  # DuckDB looks at how much memory there is, then `_seal`
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))
    return Connection(_FILES - 2, writable=False), Connection(_FILES - 1, readable=False)


def _seal() -> None:
    """From now on no file can be opened, and no connection."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))


def _say(up: Connection, document: Any) -> None:
    up.send_bytes(json.dumps(document).encode())


class _Query:
    def __init__(
        self, asked: Asked, database: duckdb.DuckDBPyConnection, down: Connection, up: Connection
    ) -> None:
        self._asked, self._database, self._down, self._up = asked, database, down, up
        self._mark = secrets.token_hex(8)

    def run(self) -> None:
        tree = parsing.parse(self._asked.sql)
        _say(self._up, {"names": planning.names(tree)})
        plan = planning.plan(tree, self._tables(), self._mark)
        engine = Engine(self._database, plan, self._mark)
        loads = [{"table": it.table, "columns": it.columns, "person": it.person} for it in plan.loads]
        _say(self._up, {"loads": loads})
        for load in plan.loads:
            engine.load(load, self._rows())
        withheld = [engine.group(groups) for groups in plan.groups]
        told = [known for _, known in withheld if known is not None]
        schema, batches = engine.answer()
        more = self._answer(schema, batches, sum(told) if told else None)
        _say(self._up, {"withheld": sum(exact for exact, _ in withheld), "more": more})

    def _tables(self) -> dict[Name, planning.Governed]:
        return {
            tuple(it["table"]): planning.Governed(
                tuple(it["columns"]), Mode(it["mode"]), it["k"], frozenset(it["impersonal"]), it["subject"]
            )
            for it in json.loads(self._down.recv_bytes())
        }

    def _rows(self) -> pa.RecordBatchReader:
        schema = pa.ipc.read_schema(pa.py_buffer(self._down.recv_bytes()))
        return pa.RecordBatchReader.from_batches(schema, self._batches(schema))

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        while content := self._down.recv_bytes():
            yield pa.ipc.read_record_batch(pa.py_buffer(content), schema)

    def _answer(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch], withheld: int | None) -> bool:
        """Sends it; whether there was more than may be sent. The first rows are made before anything goes
        out, so that what fails at once is an error and no broken stream."""
        first = [batch for batch in (next(batches, None),) if batch is not None]
        out = _Out(self._up)
        writer = pa.ipc.new_stream(pa.PythonFile(out, "w"), schema)
        rows = size = 0
        more = False
        for batch in chain(first, batches):
            more = rows + batch.num_rows > self._asked.rows or size + batch.nbytes > self._asked.bounds.size
            part = (
                batch.slice(0, self._asked.rows - rows)
                if size <= self._asked.bounds.size
                else batch.slice(0, 0)
            )
            rows, size = rows + part.num_rows, size + part.nbytes
            writer.write_batch(part)
            _say(self._up, {"rows": rows})
            out.send()
            if more:
                break
        said = {"rows": rows, "more": more, "withheld": withheld}
        empty = pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)
        writer.write_batch(empty, custom_metadata={SAID: json.dumps(said)})
        writer.close()
        out.send()
        return more


class _Out:
    """A file whose content goes up in pieces."""

    closed = False

    def __init__(self, up: Connection) -> None:
        self._up, self._content = up, bytearray()

    def write(self, content: Any) -> int:
        self._content += content
        return len(content)

    def flush(self) -> None:
        """All goes out by `send`."""

    def close(self) -> None:
        """The pipe is closed by whoever opened it."""

    def send(self) -> None:
        for start in range(0, len(self._content), _PIECE):
            self._up.send_bytes(BYTES + self._content[start : start + _PIECE])
        self._content.clear()
