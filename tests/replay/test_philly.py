"""Philly by virtual cluster: each a pool of its own, the figures over all, what does not belong left out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from baygrid.replay import philly
from baygrid.replay.gangs import run
from baygrid.replay.outcome import BadTrace

TRACES = (
    Path(os.environ.get("BAYGRID_TRACES", Path(__file__).parents[2].parent / "shared" / "traces")) / "philly"
)


def files(folder: Path, *lines: str, vcs: str = "a,1\nb,2\n") -> tuple[Path, Path]:
    trace, vc = folder / "trace.csv", folder / "vc.csv"
    trace.write_text(
        "timestamp,duration,num_gpus,gpu_time,cluster\n" + "".join(f"{line}\n" for line in lines)
    )
    vc.write_text("vc,node num\n" + vcs)
    return trace, vc


@pytest.mark.parametrize("policy", philly.POLICIES)
def test_clusters_do_not_wait_for_each_other(tmp_path, policy):
    """Not in order of time, as in the real file: on a, 8 GPUs wait for 8; b is free."""
    trace, vc = files(
        tmp_path,
        "2017-10-09 07:00:10,100.0,8,800,a",
        "2017-10-09 07:00:00,50.0,8,400,a",
        "2017-10-09 07:00:05,50.0,16,800,b",
    )
    figures = philly.replay(trace, vc, policy).figures
    assert figures["jobs"] == 3
    assert "skipped" not in figures
    assert figures["makespan_s"] == pytest.approx(150)
    assert figures["mean_jct_s"] == pytest.approx((50 + 140 + 50) / 3)


def test_what_no_cluster_can_run_is_counted(tmp_path):
    trace, vc = files(
        tmp_path,
        "2017-10-09 07:00:00,50,8,400,a",
        "2017-10-09 07:00:00,50,9,450,a",
        "2017-10-09 07:00:00,50,1,50,elsewhere",
    )
    figures = philly.replay(trace, vc, "baygrid").figures
    assert (figures["jobs"], figures["skipped"]) == (1, 2)


@pytest.mark.parametrize(
    ("line", "vcs", "says"),
    [
        ("yesterday,50,8,400,a", "a,1\n", "line 2: timestamp is 'yesterday': write for example 2017-10-09"),
        ("2017-10-09 07:00:00,x,8,400,a", "a,1\n", "duration is 'x'"),
        ("2017-10-09 07:00:00,5,8,400,a", "a,0\n", "line 2: node num is '0'"),
        ("2017-10-09 07:00:00,5,8,400,a", "a,1\na,2\n", "line 3: a: every virtual cluster needs a name"),
        ("2017-10-09 07:00:00,5,8,400,a", "b,1\n", "no job fits a virtual cluster"),
    ],
)
def test_a_bad_line_is_named_with_its_cure(tmp_path, line, vcs, says):
    with pytest.raises(BadTrace) as told:
        philly.replay(*files(tmp_path, line, vcs=vcs), "fifo")
    assert says in str(told.value)


@pytest.mark.slow
@pytest.mark.skipif(not TRACES.is_dir(), reason="needs ../shared")
def test_on_the_real_trace_rotation_waits_less_than_first_come():
    pools, skipped = philly.jobs(TRACES / "philly_sia.csv", philly.clusters(TRACES / "philly_vc.csv"))
    assert (len(pools), sum(len(queue) for _, queue in pools), skipped) == (11, 82_229, 18)
    wait = {
        policy: sum(float(run(queue, policy, nodes, philly.WIDTH).wait.sum()) for nodes, queue in pools)
        for policy in ("fifo", "baygrid", "baygrid-informed")
    }
    assert wait["baygrid-informed"] < wait["baygrid"] < 0.65 * wait["fifo"]
