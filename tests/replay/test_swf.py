"""Replays of SWF logs: figures by hand, figures that others got, and what is told of bad input."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baygrid.replay.outcome import BadTrace
from baygrid.replay.swf import POLICIES, replay, run
from baygrid.replay.swf_learned import Jobs, Learned

TRACES = Path(os.environ.get("BAYGRID_TRACES", Path(__file__).parents[3] / "shared" / "traces"))
KTH = TRACES / "hpc" / "KTH-SP2-1996-2.1-cln.swf.gz"

needs_traces = pytest.mark.skipif(not KTH.exists(), reason="needs ../shared")


def log(folder: Path, jobs: list[tuple[int, int, int, int]], header: str = "; MaxProcs: 4\n") -> Path:
    """Jobs as (submitted, runs, processors, requested time)."""
    lines = [
        f"{number} {submit} -1 {runs} {count} -1 -1 {count} {request} -1 1 7 1 -1 -1 -1 -1 -1"
        for number, (submit, runs, count, request) in enumerate(jobs)
    ]
    path = folder / "t.swf"
    path.write_text(header + "\n".join(lines) + "\n")
    return path


def played(path: Path, policy: str, processors: int | None = None) -> dict[str, Any]:
    return dict(replay(path, policy, processors).figures)


def test_figures_by_hand(tmp_path: Path) -> None:
    path = log(tmp_path, [(100, 10, 4, 10), (100, 5, 2, 20), (105, 20, 2, 20)])
    found = played(path, "fifo")
    rate = found.pop("jobs_per_cpu_s")
    assert rate > 0
    assert found == {
        "mean_jct_s": round((10 + 15 + 25) / 3, 3),
        "p99_jct_s": 24.8,
        "makespan_s": 30,
        "mean_wait_s": 5.0,
        "jobs": 3,
        "mean_bounded_slowdown": round((1 + 1.5 + 1.25) / 3, 4),
        "p999_wait_s": 9.99,
        "utilisation": round((40 + 10 + 40) / (30 * 4), 4),
    }


def test_easy_fills_the_hole_that_fifo_leaves(tmp_path: Path) -> None:
    path = log(tmp_path, [(0, 100, 3, 100), (1, 10, 4, 10), (2, 50, 1, 60)])
    assert played(path, "fifo")["makespan_s"] == 160
    assert played(path, "easy")["makespan_s"] == 110


@pytest.mark.parametrize("policy", POLICIES)
def test_jobs_that_cannot_be_replayed_are_dropped(tmp_path: Path, policy: str) -> None:
    path = log(tmp_path, [(0, -1, 2, 10), (0, 10, 0, 10), (0, 10, 5, 10), (0, 10, 4, 10)])
    assert played(path, policy)["jobs"] == 1
    assert played(path, policy)["skipped"] == 3
    assert played(path, policy, processors=8)["jobs"] == 2


def test_a_log_with_nothing_to_replay(tmp_path: Path) -> None:
    with pytest.raises(BadTrace, match=r"none of its jobs fits 4 processors: give --processors N"):
        replay(log(tmp_path, [(0, 10, 5, 10)]), "fifo")


def test_an_unknown_policy(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one of fifo, sjf, easy"):
        replay(log(tmp_path, [(0, 10, 1, 10)]), "lottery")


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_known_before_it_happens(seed: int) -> None:
    """Jobs that still run at some time might as well run longer: all decisions, all expectations and all
    ranges told until then are the same."""
    chance = np.random.default_rng(seed)
    submit = np.sort(chance.integers(0, 20_000, 300))
    runtime = chance.integers(1, 900, 300)
    count, user = chance.integers(1, 5, 300), chance.integers(0, 4, 300)
    first = Jobs(submit, runtime, count, np.full(300, 900), user, user)
    line = Learned(first, 4)
    start = run(first, line)
    until = 12_000
    longer = np.where(start + runtime > until, 900, runtime)
    assert (longer != runtime).sum() > 50
    second = Jobs(submit, longer, count, np.full(300, 900), user, user)
    other = Learned(second, 4)
    again = run(second, other)
    assert ((start == again) | ((start > until) & (again > until))).all()
    told = [it for it in line.told if it[1] <= until]
    assert len(told) > 50
    assert told == [it for it in other.told if it[1] <= until]


def test_same_log_same_schedule(tmp_path: Path) -> None:
    path = log(tmp_path, [(t, 1 + t * 7 % 50, 1 + t % 4, 60) for t in range(200)])
    for policy in POLICIES:
        first, second = played(path, policy), played(path, policy)
        assert first | {"jobs_per_cpu_s": 0} == second | {"jobs_per_cpu_s": 0}


def test_progress_ends_at_the_total(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    replay(log(tmp_path, [(t, 3, 1, 5) for t in range(1500)]), "fifo", progress=lambda *it: told.append(it))
    assert told == [(1000, 1500), (1500, 1500)]


@pytest.mark.slow
@needs_traces
def test_kth_gives_the_figures_of_another_simulator() -> None:
    """AccaSim 1.1.3 on the same log: mean wait 389,854 s first come first served, 15,312 s shortest first."""
    assert played(KTH, "fifo")["mean_wait_s"] == pytest.approx(389_854, rel=0.001)
    assert played(KTH, "sjf")["mean_wait_s"] == pytest.approx(15_312, rel=0.001)


@pytest.mark.slow
@needs_traces
@pytest.mark.parametrize(
    "name", ["KTH-SP2-1996-2.1-cln.swf.gz", "NASA-iPSC-1993-3.1-cln.swf.gz", "wagap-2013.swf.gz"]
)
def test_baygrid_is_better_than_easy(name: str) -> None:
    """On NASA at its own load 6 of 18,239 jobs wait under either: the 99.9 % wait is nought for both."""
    own, easy = (played(TRACES / "hpc" / name, policy) for policy in ("baygrid", "easy"))
    assert own["mean_bounded_slowdown"] < easy["mean_bounded_slowdown"]
    assert own["p999_wait_s"] < easy["p999_wait_s"] or easy["p999_wait_s"] == 0 == own["p999_wait_s"]
    if "KTH" in name:
        assert own["starts_told"] > 10_000
        assert 0.75 <= own["starts_in_range"] <= 0.85
