"""Muri's traces: the published figures come out again, and bad lines say what to write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baygrid.replay import gangs, muri
from baygrid.replay.outcome import BadTrace
from benchmarks import jct

TRACES = (
    Path(os.environ.get("BAYGRID_TRACES", Path(__file__).parents[2].parent / "shared" / "traces")) / "philly"
)
needs_traces = pytest.mark.skipif(not TRACES.is_dir(), reason="needs ../shared")
HEAD = "job_id,num_gpu,submit_time,iterations,model_name,duration,iteration_time\n"

# Mean JCT, makespan and 99th percentile of JCT (s): Muri's simulator/draw_fig9-10.py, "raw data".
PUBLISHED = {
    ("trace1", "srtf"): (1370603.198, 26045465.533, 16647148.091),
    ("trace1", "srsf"): (980140.5699, 26065759.045, 15529913.228),
    ("trace1", "tiresias"): (3330371.307, 23556410.217, 14739851.505),
    ("trace1_pr", "srtf"): (2303543.816, 24513543.938, 19871388.291),
    ("trace1_pr", "srsf"): (1801859.995, 24272529.593, 18267307.811),
    ("trace1_pr", "tiresias"): (6921682.793, 21990477.824, 21765400.784),
    ("trace2", "srtf"): (2665607.375, 48847005.198, 33128484.196),
    ("trace2", "srsf"): (2213949.687, 49026465.311, 31241250.835),
    ("trace2", "tiresias"): (7396368.514, 48117093.308, 37913098.471),
    ("trace2_pr", "srtf"): (4079154.454, 48697594.999, 36640840.004),
    ("trace2_pr", "srsf"): (3384600.437, 47972347.554, 34656644.082),
    ("trace2_pr", "tiresias"): (10555502.040, 47686997.557, 44369455.222),
}
THEMIS = {"trace1": 1823179.078, "trace1_pr": 3314303.178, "trace2": 4628171.542, "trace2_pr": 12529490.82}


def mean_jct(trace: str, policy: str) -> float:
    value = muri.replay(TRACES / f"muri_{trace}.csv", policy).figures["mean_jct_s"]
    assert isinstance(value, float)
    return value


@needs_traces
@pytest.mark.parametrize(("trace", "policy"), PUBLISHED)
def test_the_published_orders_give_the_published_figures(trace, policy):
    figures = muri.replay(TRACES / f"muri_{trace}.csv", policy).figures
    mine = (figures["mean_jct_s"], figures["makespan_s"], figures["p99_jct_s"])
    assert mine == pytest.approx(PUBLISHED[trace, policy], rel=5e-6)


@needs_traces
@pytest.mark.parametrize("trace", THEMIS)
def test_without_durations_it_is_ahead_of_tiresias_and_themis(trace):
    mine = mean_jct(trace, "baygrid")
    assert mine < 0.65 * PUBLISHED[trace, "tiresias"][0]
    assert mine < THEMIS[trace]


@needs_traces
@pytest.mark.parametrize("trace", THEMIS)
def test_with_durations_it_is_ahead_of_srsf_and_near_the_bound(trace):
    mine = mean_jct(trace, "baygrid-informed")
    assert mine <= PUBLISHED[trace, "srsf"][0]
    if trace.endswith("_pr"):
        assert mine <= 1.01 * jct.bound(muri.jobs(TRACES / f"muri_{trace}.csv", charged=False), 64)


@needs_traces
@pytest.mark.parametrize(
    ("trace", "seconds"),
    [("trace1", 789_240), ("trace1_pr", 1_751_270), ("trace2", 2_067_434), ("trace2_pr", 3_297_950)],
)
def test_the_bound_is_that_of_another_program(trace, seconds):
    assert jct.bound(muri.jobs(TRACES / f"muri_{trace}.csv", charged=False), 64) == pytest.approx(
        seconds, abs=1
    )


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 16), st.integers(1, 900)), min_size=1, max_size=20)
)
@settings(max_examples=40, deadline=None)
def test_no_order_goes_under_the_bound(queue):
    jobs = [gangs.Job(submit, gpus, seconds) for submit, gpus, seconds in queue]
    for policy in gangs.POLICIES:
        assert gangs.run(jobs, policy, 2, 8).jct.mean() >= jct.bound(jobs, 16) - 1e-6


def write(folder: Path, *lines: str) -> Path:
    trace = folder / "trace.csv"
    trace.write_text(HEAD + "".join(f"{line}\n" for line in lines))
    return trace


def test_figures_of_a_queue_that_can_be_followed_by_hand(tmp_path):
    """Two gangs of 2 and then one of 1 on one node of 2: first come is 100, 190 and 185 s, in all 475."""
    trace = write(tmp_path, "0,2,0,1,bert,100000,1", "1,2,10000,1,bert,100000,1", "2,1,20000,1,bert,5000,1")
    figures = muri.replay(trace, "fifo", "1x2").figures
    assert list(figures) == ["mean_jct_s", "p99_jct_s", "makespan_s", "mean_wait_s", "jobs", "jobs_per_cpu_s"]
    assert figures["mean_jct_s"] == pytest.approx((100 + 190 + 185) / 3)
    assert figures["mean_wait_s"] == pytest.approx((0 + 90 + 180) / 3)
    assert figures["p99_jct_s"] == pytest.approx(190)
    assert (figures["makespan_s"], figures["jobs"]) == (205, 3)
    # the short one goes first as soon as it is there
    assert muri.replay(trace, "baygrid-informed", "1x2").figures["mean_jct_s"] == pytest.approx(
        (105 + 195 + 5) / 3
    )


def test_the_published_orders_carry_the_published_charges(tmp_path):
    """1,000 steps of 100 ms at 1.015; at the second arrival the first loses the 10 s of its model."""
    trace = write(tmp_path, "0,1,0,1000,bert,100000,100", "1,1,50000,1000,bert,100000,100")
    first, second = 101.5 + 10, 101.5 + 10
    assert muri.replay(trace, "srsf", "1x2").figures["mean_jct_s"] == pytest.approx((first + second) / 2)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("0,0,0,1,bert,5,1", "line 2: num_gpu is '0': write a whole number from 1 up"),
        ("0,1.5,0,1,bert,5,1", "num_gpu is '1.5'"),
        ("0,1,-5,1,bert,5,1", "submit_time is '-5': write a number from 0 up"),
        ("0,1,0,1,bert,nan,1", "duration is 'nan'"),
        ("0,1,0,1,bert", "line 2: too few values"),
        ("0,65,0,1,bert,5,1", "a job needs 65 GPUs, more than 8x8 has: name a larger cluster"),
    ],
)
def test_a_bad_line_is_named_with_its_cure(tmp_path, line, says):
    with pytest.raises(BadTrace) as told:
        muri.replay(write(tmp_path, line), "srsf" if "bert" in line else "fifo")
    assert says in str(told.value)


def test_what_is_no_trace_is_refused(tmp_path):
    with pytest.raises(BadTrace, match="no rows"):
        muri.replay(write(tmp_path), "fifo")
    with pytest.raises(BadTrace, match="not a cluster: write nodes x GPUs"):
        muri.replay(write(tmp_path, "0,1,0,1,bert,5,1"), "fifo", "8by8")
    bare = tmp_path / "bare.csv"
    bare.write_text("num_gpu,submit_time,duration\n1,0,5\n")
    assert muri.replay(bare, "fifo").figures["jobs"] == 1
    with pytest.raises(BadTrace, match="no column iterations, iteration_time, model_name"):
        muri.replay(bare, "tiresias")


@pytest.mark.parametrize("cluster", ["100000000x8", "12501x8", "8x100000"])
def test_a_cluster_too_large_to_replay_is_refused(cluster: str) -> None:
    with pytest.raises(BadTrace, match=f"{cluster} is too large: name a cluster of at most 100,000 GPUs"):
        muri.shape(cluster)
    assert muri.shape("12500x8") == (12_500, 8)
