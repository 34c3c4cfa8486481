"""Federated replay: what holds for every log, how old the broker's view is, figures worked out by hand."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.placement.federation.broker import by_arrival, short_first
from baygrid.replay.carbon import Grids, Series
from baygrid.replay.federation import POLICIES, Course, by_chance, isolated, pooled, replay, run
from baygrid.replay.federation_log import Federation, federation
from baygrid.replay.outcome import BadTrace
from baygrid.replay.swf_learned import Jobs

ORDERS = st.sampled_from([by_arrival, short_first])


def fed(capacity: list[int], *jobs: tuple[int, int, int, int]) -> Federation:
    """Jobs of (submitted, run time, processors, user), by submission; their home is the first wide site."""
    rows = np.array(jobs, dtype=np.int64).reshape(len(jobs), 4)
    home = [next(n for n, wide in enumerate(capacity) if wide >= job[2]) for job in jobs]
    asked = np.full(len(jobs), 5000)
    columns = Jobs(rows[:, 0], rows[:, 1], rows[:, 2], asked, rows[:, 3], rows[:, 3])
    return Federation(columns, np.array(home), np.array(capacity), None)


@st.composite
def federations(draw: st.DrawFn) -> Federation:
    capacity = draw(st.lists(st.integers(1, 5), min_size=2, max_size=4))
    job = st.tuples(
        st.integers(0, 800), st.integers(0, 900), st.integers(1, max(capacity)), st.integers(1, 3)
    )
    return fed(capacity, *sorted(draw(st.lists(job, min_size=1, max_size=25))))


def most_at_once(it: Federation, course: Course, site: int) -> int:
    here = course.site == site
    start, end = course.start[here], (course.start + it.jobs.runtime)[here]
    width = it.jobs.count[here]
    return max((int(width[(start <= now) & (now < end)].sum()) for now in start), default=0)


@given(federations(), ORDERS, st.sampled_from([0, 60, 300]), st.booleans())
def test_every_job_runs_once_on_a_site_with_room(it: Federation, order, stale: int, green: bool) -> None:
    series = Series(Path("grid"), np.array([0, 500]), np.array([90.0, 10.0]))
    grids = Grids([series, Series(Path("other"), np.array([0, 500]), np.array([50.0, 50.0]))], it.capacity)
    course = run(it, order, stale, grids if green else None)
    assert (course.start >= it.jobs.submit).all()
    assert (it.capacity[course.site] >= it.jobs.count).all()
    for site, capacity in enumerate(it.capacity):
        assert most_at_once(it, course, site) <= capacity
    again = run(it, order, stale, grids if green else None)
    assert course.start.tolist() == again.start.tolist()
    assert course.site.tolist() == again.site.tolist()


@given(federations(), st.integers(0, 9))
def test_without_a_broker_no_site_is_overfull_either(it: Federation, seed: int) -> None:
    course = by_chance(it, seed)
    assert (course.start >= it.jobs.submit).all()
    for site, capacity in enumerate(it.capacity):
        assert most_at_once(it, course, site) <= capacity
    assert (pooled(it) >= 0).all()
    assert (isolated(it) >= 0).all()


@pytest.mark.parametrize(
    ("stale", "start"), [(0, 200), (50, 200), (99, 200), (100, 200), (101, 201), (300, 400)]
)
def test_an_end_is_acted_on_when_it_is_told_and_not_before(stale: int, start: int) -> None:
    """Site 0 falls idle at 100, which is told `stale` seconds later; the third job comes at 200."""
    it = fed([1, 1], (0, 100, 1, 1), (0, 9000, 1, 2), (200, 10, 1, 3))
    assert run(it, by_arrival, stale).start[2] == start


@given(st.lists(st.integers(0, 900), min_size=1, max_size=20), st.data())
def test_what_happens_within_the_age_of_the_view_changes_no_choice(
    submit: list[int], data: st.DataObject
) -> None:
    """Two truths that differ only in what nobody has been told yet: the same choices."""
    stale, last = 1000, 900  # nothing that ends is told before the last job is placed
    capacity = [len(submit) + 1, len(submit)]
    worlds = [
        fed(capacity, *((at, data.draw(st.integers(0, 5000)), 1, 1) for at in sorted(submit)))
        for _ in range(2)
    ]
    assert last < stale
    first, second = (run(world, by_arrival, stale) for world in worlds)
    assert first.site.tolist() == second.site.tolist()


@given(
    st.lists(
        st.tuples(st.integers(0, 300), st.integers(1, 90), st.just(1), st.just(1)), min_size=1, max_size=30
    )
)
def test_a_broker_that_knows_the_present_serves_as_one_pool(jobs: list[tuple[int, int, int, int]]) -> None:
    it = fed([1, 3, 2], *sorted(jobs))
    assert (run(it, by_arrival, 0).start - it.jobs.submit).tolist() == pooled(it).tolist()


def test_more_jobs_wait_at_a_site_that_ends_many() -> None:
    """Once it is known that jobs are short, a site gets its next one before it says that it is idle."""
    jobs = [(at, 10, 1, 1) for at in range(0, 2000, 10)]
    it = fed([2, 1], *jobs)
    waits = run(it, by_arrival, 300).start - it.jobs.submit
    assert waits[-50:].mean() < 150  # half of what the age of the view alone would cost


def swf(folder: Path, *jobs: tuple[int, int, int, int], begin: int | None = 1_132_444_805) -> Path:
    """A log of jobs of (submitted, run time, processors, site)."""
    head = [f"; UnixStartTime: {begin}"] if begin is not None else []
    lines = [
        f"{n} {submit} -1 {ran} {wide} -1 -1 -1 5000 -1 -1 {n % 3} 1 -1 -1 {site} -1 -1"
        for n, (submit, ran, wide, site) in enumerate(jobs, 1)
    ]
    path = folder / "log.swf.gz"
    path.write_bytes(gzip.compress("\n".join(head + lines).encode()))
    return path


def test_sites_have_their_share_of_the_recorded_peak(tmp_path: Path) -> None:
    jobs = [(0, 100, 4, 7), (50, 100, 3, 7), (150, 10, 7, 7), (0, 10, 1, 9), (20, -1, 1, 9), (30, 5, 1, -1)]
    it = federation(swf(tmp_path, *jobs), 0.5)
    assert it.capacity.tolist() == [4, 1]  # of 7 (one that ends makes room at once) and of 1
    assert it.jobs.count.tolist() == [
        4,
        1,
        3,
    ]  # without the one of 7, the one that never ran, the homeless one
    assert it.home.tolist() == [0, 1, 0]
    assert it.begin == 1_132_444_805


@pytest.mark.parametrize(
    ("jobs", "said"),
    [
        ([(0, 1, 1, 1)], "field 16 names 1 sites"),
        ([(0, 1, 1, -1), (0, 1, 1, -1)], "field 16 names 0 sites"),
        ([(0, 1, 4, 1), (0, 1, 4, 2)], "no job fits"),
    ],
)
def test_a_log_that_is_no_federation_is_refused(tmp_path: Path, jobs: list, said: str) -> None:
    with pytest.raises(BadTrace, match=said):
        federation(swf(tmp_path, *jobs), 0.5)


def test_figures_of_a_log_worked_out_by_hand(tmp_path: Path) -> None:
    """Site 1 has one processor and all the work, site 2 has one and none: alone 0, 100, 200 and 0 s of wait;
    as a pool 0, 0, 100, and 100 for the last; through the broker each end is told 300 s late."""
    jobs = [(0, 100, 1, 1), (0, 100, 1, 1), (0, 100, 1, 1), (0, 100, 1, 2)]
    log = swf(tmp_path, *jobs)
    figures = replay(log, "fifo", 0.3, stale=300).figures
    assert figures["jobs"] == 4
    assert figures["isolated_wait_s"] == 75
    assert figures["pooled_fifo_wait_s"] == 50
    assert figures["mean_wait_s"] == 200
    assert figures["makespan_s"] == 500
    assert replay(log, "fifo", 0.3, stale=0).figures["mean_wait_s"] == 50


@pytest.mark.parametrize("policy", POLICIES)
def test_a_seed_says_all(tmp_path: Path, policy: str) -> None:
    log = swf(tmp_path, *((n * 7 % 90, n * 13 % 200, 1 + n % 2, 1 + n % 4) for n in range(60)))
    told: list[dict] = []
    first, second = (dict(replay(log, policy, 0.5, 60, seed=3, progress=lambda *it: told.append({}))
                          .figures) for _ in range(2))  # fmt: skip
    rate = first.pop("jobs_per_cpu_s")
    second.pop("jobs_per_cpu_s")
    assert first == second
    assert isinstance(rate, int)


def test_an_unknown_policy_or_capacity_is_refused(tmp_path: Path) -> None:
    log = swf(tmp_path, (0, 1, 1, 1), (0, 1, 1, 2))
    with pytest.raises(ValueError, match="random, fifo, baygrid"):
        replay(log, "best", 1.0)
    with pytest.raises(ValueError, match="above 0"):
        replay(log, "fifo", 0.0)


TRACES = Path(os.environ.get("BAYGRID_TRACES", Path(__file__).parents[3] / "shared" / "traces"))
LCG = TRACES / "hpc" / "LCG-2005-1.swf.gz"


@pytest.mark.slow
@pytest.mark.skipif(not LCG.is_file(), reason="needs ../shared")
def test_170_sites_seen_late_wait_less_than_one_pool_and_clean_sites_cost_no_wait() -> None:
    pytest.importorskip("pyarrow", reason="needs the extra `replay`")
    series = [TRACES / "opendc" / f"carbon_2022_{grid}.parquet" for grid in ("NL", "DE", "FR", "BE")]
    figures = dict(replay(LCG, "baygrid", 0.2, stale=300, carbon=series).figures)
    told = {name: float(str(value)) for name, value in figures.items()}
    assert told["jobs"] == 188_041
    assert told["isolated_wait_s"] == pytest.approx(78_166, abs=1)
    assert told["pooled_fifo_wait_s"] == pytest.approx(4_998, abs=1)
    assert told["mean_wait_blind_s"] <= told["pooled_fifo_wait_s"] / 2
    assert told["p99_wait_s"] <= 1.2 * told["pooled_fifo_p99_wait_s"]
    assert told["p999_wait_s"] <= 1.4 * told["pooled_fifo_p999_wait_s"]
    assert told["gco2_saved_percent"] >= 5
    assert told["mean_wait_s"] <= 1.05 * told["mean_wait_blind_s"]
