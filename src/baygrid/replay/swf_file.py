"""Reader of the Standard Workload Format, the format of the Parallel Workloads Archive.

A text file, gzipped or not: header comments `; Name: value`, then one job on each line, 18 numbers separated
by blanks, -1 where not known (Chapin et al., "Benchmarks and standards for the evaluation of parallel job
schedulers", JSSPP 1999). What stands behind the 18th (some archives add fields) is not read.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baygrid.replay.outcome import BadTrace

FIELDS: Final = 18


class Field(IntEnum):
    """The fields by their number in the standard. Times in seconds, memory in KiB per processor."""

    JOB = 1
    SUBMIT = 2
    WAIT = 3
    RUNTIME = 4
    PROCESSORS = 5
    CPU_TIME = 6
    MEMORY = 7
    REQUESTED_PROCESSORS = 8
    REQUESTED_TIME = 9
    REQUESTED_MEMORY = 10
    STATUS = 11
    USER = 12
    GROUP = 13
    EXECUTABLE = 14
    QUEUE = 15
    PARTITION = 16
    PRECEDING = 17
    THINK_TIME = 18


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """One file. `table`: shape (jobs, 18), in the order of the file; fractions are cut off."""

    path: Path
    header: Mapping[str, str]
    table: NDArray[np.int64]

    def __getitem__(self, field: Field) -> NDArray[np.int64]:
        """One field of every job, shape (jobs,)."""
        column: NDArray[np.int64] = self.table[:, field - 1]
        return column

    @property
    def width(self) -> NDArray[np.int64]:
        """Processors that each job takes: what it requested (field 8), else what it used (field 5)."""
        requested = self[Field.REQUESTED_PROCESSORS]
        return np.where(requested > 0, requested, self[Field.PROCESSORS])

    def by_submission(self, kept: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The rows of these jobs that ran and took something (their runtime is known: not negative), ties as
        in the file."""
        rows = np.flatnonzero(kept & (self[Field.RUNTIME] >= 0) & (self.width > 0))
        return rows[np.argsort(self[Field.SUBMIT][rows], kind="stable")]

    def processors(self) -> int:
        """How many processors the machine has: `MaxProcs` of the header, else its `MaxNodes`, else the sum
        over the lines of `NAME.swf.machines` beside the file (id, name, nodes, processors per node, ...).

        Raises `BadTrace` where none of them says it."""
        for name in ("MaxProcs", "MaxNodes"):
            if name in self.header:
                return self._count(self.header[name], f"{self.path}: header {name}")
        machines = self.path.with_name(self.path.name.removesuffix(".gz") + ".machines")
        if not machines.exists():
            raise BadTrace(f"{self.path}: no MaxProcs in the header, so say how many: --processors N")
        total = 0
        for number, line in enumerate(machines.read_text().splitlines(), 1):
            words = line.split()
            if len(words) < 4:
                raise BadTrace(f"{machines}:{number}: expected id, name, nodes, processors per node")
            total += self._count(words[2], f"{machines}:{number}") * self._count(
                words[3], f"{machines}:{number}"
            )
        return total

    def _count(self, word: str, where: str) -> int:
        if not word.isdecimal() or int(word) == 0:
            raise BadTrace(f"{where} is {word!r}, not a number of processors: say how many: --processors N")
        return int(word)


def read(path: Path) -> Log:
    """The log in `path`, gunzipped if its name ends with .gz. Raises `BadTrace`."""
    header: dict[str, str] = {}
    rows: list[list[str]] = []
    numbers: list[int] = []
    for number, line in enumerate(_text(path).split("\n"), 1):
        if line.startswith(";"):
            name, colon, value = line[1:].partition(":")
            if colon:
                header.setdefault(name.strip(), value.strip())
        elif words := line.split(None, FIELDS)[:FIELDS]:
            if len(words) < FIELDS:
                raise BadTrace(f"{path}:{number}: {len(words)} fields, expected {FIELDS}: is it an SWF file?")
            rows.append(words)
            numbers.append(number)
    if not rows:
        raise BadTrace(f"{path}: no jobs in it: expected lines of {FIELDS} numbers")
    try:
        values = np.array(rows, dtype=np.float64)
    except ValueError:
        raise _not_a_number(path, rows, numbers) from None
    if not np.isfinite(values).all():
        raise _not_a_number(path, rows, numbers)
    return Log(path, header, values.astype(np.int64))


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8", "replace")
    except OSError as error:
        raise BadTrace(f"{path}: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise BadTrace(f"{path}: cut short or damaged ({error}): fetch it again") from error


def _not_a_number(path: Path, rows: list[list[str]], numbers: list[int]) -> BadTrace:
    """Says which word of which line is at fault."""
    for number, row in zip(numbers, rows, strict=True):
        for field, word in zip(Field, row, strict=True):
            try:
                fine = bool(np.isfinite(float(word)))
            except ValueError:
                fine = False
            if not fine:
                name = field.name.lower().replace("_", " ")
                at = f"{path}:{number}: field {field.value} ({name})"
                return BadTrace(f"{at} is {word!r}, expected a number (-1: unknown)")
    raise AssertionError("called for rows that are all numbers")
