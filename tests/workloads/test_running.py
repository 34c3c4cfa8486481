"""Shards that leave a rest: every unit once and in order, whatever is interrupted when."""

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from baygrid.workloads.application import Done, Failed, Loading, Shard
from baygrid.workloads.engines.working import FinishedShard
from baygrid.workloads.running import Progress, run
from tests.workloads.counting import SCHEMA, Counting
from tests.workloads.inline import Inline

MOST = 3
LINES = [f"line {number}" for number in range(10)]


class CountSome:
    """No more than MOST lines of a shard."""

    def __call__(self, shard: Shard) -> Done:
        lines = json.loads(shard.work)
        rows = [{"line": line, "letters": len(line)} for line in lines[:MOST]]
        rest = shard.following(json.dumps(lines[MOST:]), len(lines) - MOST) if len(lines) > MOST else None
        return Done(pa.Table.from_pylist(rows, SCHEMA), len(rows), (Failed(lines[0], "odd"),), rest=rest)


@dataclass(frozen=True)
class Load:
    def __call__(self) -> CountSome:
        return CountSome()


class Long(Counting):
    """A shard of all lines between two of one line."""

    def shards(self) -> Generator[Shard]:
        for number, lines in enumerate((["first"], LINES, ["last"])):
            yield Shard(f"{number:06}", json.dumps(lines), len(lines))

    def loading(self) -> Load:  # type: ignore[override]
        return Load()


class Interrupted(Inline):
    """After so many shards."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.done: list[str] = []

    def __call__(self, loading: Loading, shards: Sequence[Shard]) -> Generator[FinishedShard]:
        for answer in super().__call__(loading, shards):
            if len(self.done) == self.after:
                raise KeyboardInterrupt
            self.done.append(answer.id)
            yield answer


def test_a_shard_is_done_in_parts_in_the_order_of_the_input(tmp_path: Path):
    told: list[Progress] = []
    totals, _ = run(Long("", ""), tmp_path, Inline(), told.append)
    assert pq.read_table(tmp_path / "letters.parquet")["line"].to_pylist() == ["first", *LINES, "last"]
    assert (totals.units, totals.shards, totals.resumed) == (12, 6, 0)
    assert [failed.input for failed in totals.failed] == ["first", *LINES[::MOST], "last"]
    assert [progress.done for progress in told] == [1, 4, 5, 8, 11, 12]
    assert {progress.total for progress in told} == {12}


@pytest.mark.parametrize("after", range(6))
def test_what_was_left_is_known_to_the_next_start(tmp_path: Path, after: int):
    def silent(_: Progress) -> None: ...

    first, second = Interrupted(after), Interrupted(100)
    with pytest.raises(KeyboardInterrupt):
        run(Long("", ""), tmp_path, first, silent)
    totals, _ = run(Long("", ""), tmp_path, second, silent)
    assert pq.read_table(tmp_path / "letters.parquet")["line"].to_pylist() == ["first", *LINES, "last"]
    assert len({*first.done, *second.done}) == len(first.done) + len(second.done) == 6
    assert (totals.units, totals.shards, totals.resumed) == (12, 6, after)
