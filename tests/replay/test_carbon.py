"""Carbon series: read, moved to the days of a log, dealt out to sites, and summed."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.replay.carbon import JOULES_A_KWH, WATTS, Grids, Series, read
from baygrid.replay.outcome import BadTrace

HOUR = 3600


def series(*intensity: float, first: int = 0, step: int = HOUR) -> Series:
    at = first + step * np.arange(len(intensity))
    return Series(Path("grid"), at, np.array(intensity))


def seconds(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(dt.datetime(year, month, day, hour, tzinfo=dt.UTC).timestamp())


@given(st.lists(st.floats(0, 900), min_size=2, max_size=5), st.integers(-50, 400), st.integers(0, 300))
def test_grams_are_the_sum_over_every_second(intensity: list[float], start: int, run: int) -> None:
    it = series(*intensity, step=60)
    each = [intensity[min(max(second // 60, 0), len(intensity) - 1)] for second in range(start, start + run)]
    found = it.grams(np.array([start]), np.array([start + run]), np.array([3]))
    assert found[0] == pytest.approx(sum(each) * 3 * WATTS / JOULES_A_KWH, rel=1e-6, abs=1e-9)


def test_a_log_keeps_its_date_in_another_year() -> None:
    hours = 24 * 400
    year = series(*range(hours), first=seconds(2022, 1, 1))
    moved = year.starting(seconds(2005, 11, 20, 5), 3 * 24 * HOUR)
    assert year.intensity[moved.index(0)] == (seconds(2022, 11, 20, 5) - seconds(2022, 1, 1)) / HOUR
    assert year.starting(seconds(2022, 3, 1), HOUR).at[0] == seconds(2022, 1, 1) - seconds(2022, 3, 1)


def test_a_series_that_is_too_short_is_refused() -> None:
    with pytest.raises(BadTrace, match=r"grid: in no year .* 11\.0 days"):
        series(1, 2, 3).starting(seconds(2005, 11, 20), 11 * 24 * HOUR)


def test_sites_get_grids_in_turn_by_their_capacity() -> None:
    grids = Grids([series(10, 11), series(20, 21)], np.array([5, 9, 7, 7]))
    assert grids.intensity(0).tolist() == [20, 10, 20, 10]
    assert grids.intensity(HOUR).tolist() == [21, 11, 21, 11]
    one = np.array([0])
    kilograms = grids.kilograms(np.array([1]), one, one + HOUR, one + 100)
    assert kilograms == pytest.approx(10 * WATTS * HOUR * 100 / JOULES_A_KWH / 1000)


def written(folder: Path, name: str, **columns: list) -> Path:
    pyarrow = pytest.importorskip("pyarrow", reason="needs the extra `replay`")
    from pyarrow.parquet import write_table

    write_table(pyarrow.table(columns), folder / name)
    return folder / name


def test_a_folder_is_its_carbon_files_in_order_of_name(tmp_path: Path) -> None:
    times = [dt.datetime(2022, 1, 1), dt.datetime(2022, 1, 1, 1)]
    for name in ("carbon_b.parquet", "carbon_a.parquet", "tasks.parquet"):
        written(tmp_path, name, timestamp=times, carbon_intensity=[1.5, 2.5])
    found = read([tmp_path])
    assert [each.path.name for each in found] == ["carbon_a.parquet", "carbon_b.parquet"]
    assert found[0].at.tolist() == [seconds(2022, 1, 1), seconds(2022, 1, 1, 1)]
    assert found[0].intensity.tolist() == [1.5, 2.5]


FIRST, NEXT = dt.datetime(2022, 1, 1), dt.datetime(2022, 1, 2)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"timestamp": [FIRST, NEXT], "intensity": [1.0, 2.0]}, "columns timestamp and carbon_intensity"),
        ({"timestamp": [FIRST], "carbon_intensity": [1.0]}, "at least two rows"),
        ({"timestamp": [NEXT, FIRST], "carbon_intensity": [1.0, 2.0]}, "ascend"),
        ({"timestamp": [FIRST, NEXT], "carbon_intensity": [1.0, None]}, "below zero"),
        ({"timestamp": [FIRST, NEXT], "carbon_intensity": ["a", "b"]}, "numbers"),
    ],
)
def test_bad_files_are_named_with_what_was_expected(
    tmp_path: Path, columns: dict[str, list], said: str
) -> None:
    path = written(tmp_path, "carbon_x.parquet", **columns)
    with pytest.raises(BadTrace, match=said) as caught:
        read([path])
    assert "carbon_x.parquet" in str(caught.value)


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="needs the extra `replay`")
    (tmp_path / "carbon_x.parquet").write_text("timestamp,carbon_intensity\n")
    with pytest.raises(BadTrace, match="expected parquet"):
        read([tmp_path])
    (tmp_path / "carbon_x.parquet").unlink()
    with pytest.raises(BadTrace, match=r"--carbon FILE"):
        read([tmp_path])
