"""An application small enough to be killed at any moment: it counts the letters of each line of a file.

A line `!die` kills the worker that reads it, `!once FILE` does so unless FILE is there and makes it first,
`!raise` is a defect, `!bad` an input that cannot be read, `!wait FILE` takes until FILE is there. What was
begun is written to `journal`. As a program: python -m tests.workloads.counting --input FILE --output DIR."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from baygrid.workloads import command
from baygrid.workloads.application import (
    Application,
    ApplicationError,
    Done,
    Failed,
    Outcome,
    Results,
    Shard,
)
from baygrid.workloads.stages import Stages

SCHEMA = pa.schema([("line", pa.string()), ("letters", pa.int64())])


@dataclass(frozen=True)
class Load:
    journal: str
    loads: bool

    def __call__(self) -> Count:
        if not self.loads:
            raise ApplicationError("the model is not there")
        return Count(Path(self.journal))


class Count:
    def __init__(self, journal: Path) -> None:
        self._journal = journal

    def __call__(self, shard: Shard) -> Done:
        with self._journal.open("a") as journal:
            journal.write(f"{shard.id} {os.getpid()}\n")
        stages = Stages()
        rows, failed = [], []
        with stages("count"):
            for line in json.loads(shard.work):
                self._obey(line)
                if line == "!bad":
                    failed.append(Failed(line, "bad"))
                else:
                    rows.append({"line": line, "letters": len(line)})
        return Done(pa.Table.from_pylist(rows, SCHEMA), len(rows), tuple(failed), stages.seconds)

    def _obey(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "!die" or (word == "!once" and not Path(rest).exists()):
            if word == "!once":
                Path(rest).touch()
            os.kill(os.getpid(), 9)
        if word == "!raise":
            raise LookupError("nobody thought of this")
        while word == "!wait" and not Path(rest).exists():
            time.sleep(0.01)


@dataclass(frozen=True)
class Counting:
    input: str
    journal: str
    loads: bool = True
    name: str = "counting"
    unit: str = "images"
    schema: pa.Schema = SCHEMA

    def shards(self) -> Iterator[Shard]:
        if not Path(self.input).exists():
            raise ApplicationError(f"{self.input} is not there")
        for number, line in enumerate(Path(self.input).read_text().splitlines()):
            yield Shard(f"{number:06}", json.dumps([line]), 1)

    def loading(self) -> Load:
        return Load(self.journal, self.loads)

    def finish(self, results: Results, output: Path) -> Outcome:
        whole = pa.concat_tables([SCHEMA.empty_table(), *(done.rows for _, done in results)])
        pq.write_table(whole, output / "letters.parquet")
        return Outcome(
            {"letters": output / "letters.parquet"}, {"letters": sum(whole["letters"].to_pylist())}
        )


class Command:
    name = "counting"
    description = "Count letters."

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--journal", required=True)
        parser.add_argument("--no-load", action="store_true")

    def asked(self, options: argparse.Namespace) -> Application:
        return Counting(options.input, options.journal, not options.no_load)


if __name__ == "__main__":
    # As a module of its own: a class of `__main__` would have another name in the workers.
    from tests.workloads.counting import Command as Named

    command.program(Named(), sys.argv[1:])
