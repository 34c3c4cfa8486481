"""The own way: against the truth of a synthetic drive, and against the reference of a real one."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from baygrid.workloads.driving.ego.motion import Motion, motion
from baygrid.workloads.driving.ego.readings import Gathering
from baygrid.workloads.driving.geometry.geodesy import Plane, earth_centred
from baygrid.workloads.driving.recording import comma
from baygrid.workloads.driving.synthetic import readings
from baygrid.workloads.driving.synthetic.drive import PLACE, Drive, drive
from baygrid.workloads.driving.values import Fix, Imu, Place, Wheel
from baygrid.workloads.stages import Stages

MINUTE = Path(__file__).parents[3] / "shared" / "data" / "comma2k19"


@pytest.fixture(scope="module")
def made() -> Drive:
    return drive(3)


def gathered(
    made: Drive, fixes: np.ndarray | None = None, wheels: bool = True, imu: bool = True
) -> Gathering:
    """The drive's readings; of the fixes those that `fixes` is true of."""
    found = Gathering()
    if imu:
        t, rates, forces = readings.imu(made)
        found.imu(t, rates[:, 2], forces[:, 0])
    if wheels:
        found.wheel(*readings.wheel(made))
    t, places = readings.fixes(made)
    kept = np.ones(len(t), bool) if fixes is None else fixes
    found.fixes(True, np.column_stack([t, places, np.full(len(t), readings.FIX_SD)])[kept])
    return found


def off(made: Drive, found: Motion) -> np.ndarray:
    """How far the way found is from the true one at each of its moments (m), seen from above."""
    assert found.plane is not None
    t = found.trajectory.t
    x, y, _ = made.route.place(made.route.along(t), 0.0)
    latitude, longitude = PLACE.to_geodetic(x, y, np.zeros(len(t)))
    true = found.plane.of_geodetic(latitude, longitude, np.full(len(t), PLACE.height))
    return np.hypot(found.trajectory.x - true[:, 0], found.trajectory.y - true[:, 1])


def found_of(gathering: Gathering) -> Motion:
    found = motion(gathering.readings())
    assert found is not None
    return found


def test_a_plane_leads_back_to_where_it_came_from() -> None:
    plane = Plane(22.15, 113.95, 5.0)
    east, north, up = (
        np.array([0.0, 5_000.0, -20_000.0]),
        np.array([0.0, 8_000.0, 3.0]),
        np.array([0.0, 40.0, -3.0]),
    )
    latitude, longitude = plane.to_geodetic(east, north, up)
    assert (latitude[0], longitude[0]) == pytest.approx((22.15, 113.95), abs=1e-11)
    height = np.linalg.norm(earth_centred(latitude, longitude, np.zeros(3)), axis=1)
    assert ((height > 6.35e6) & (height < 6.38e6)).all()
    again = plane.of_geodetic(latitude, longitude, plane.height + up + (east**2 + north**2) / 2 / 6.37e6)
    assert again == pytest.approx(np.column_stack([east, north, up]), abs=0.2)


def test_the_way_is_found_within_the_error_of_the_fixes(made: Drive) -> None:
    found = found_of(gathered(made))
    assert np.sqrt(np.mean(off(made, found) ** 2)) < 1.2
    assert found.length == pytest.approx(made.route.way[-1], rel=0.005)
    speed = np.interp(found.trajectory.t, made.route.t, made.route.speed)
    assert np.sqrt(np.mean((found.trajectory.speed - speed) ** 2)) < 0.1
    assert found.refused == 0


def test_what_it_says_of_its_own_error_holds(made: Drive) -> None:
    """Over many drives the error, by what is said of it, is about one: neither boast nor excuse."""
    shares = [
        off(other, found) / found.trajectory.sd
        for other in map(drive, range(12))
        for found in [found_of(gathered(other))]
    ]
    assert 0.4 < np.sqrt(np.mean(np.concatenate(shares) ** 2) / 2) < 1.4


def test_a_tunnel_is_crossed_and_the_doubt_grows_in_it(made: Drive) -> None:
    t, _ = readings.fixes(made)
    found = found_of(gathered(made, (t < 20) | (t > 45)))
    inside = (found.trajectory.t > 25) & (found.trajectory.t < 40)
    assert found.longest_gap > 24
    assert off(made, found).max() < 4
    assert found.trajectory.sd[inside].min() > 1.05 * found.trajectory.sd[found.trajectory.t < 15].max()


def test_wrong_fixes_are_not_believed(made: Drive) -> None:
    wrong = gathered(made)
    rows = wrong._fixes[True][0]
    rows[100:110, 1] += 0.001  # 111 m north for two seconds
    rows[200, 2] -= 0.01
    found = found_of(wrong)
    assert found.refused == 11
    assert np.sqrt(np.mean(off(made, found) ** 2)) < 1.3


def test_fixes_that_stay_elsewhere_are_believed_in_the_end(made: Drive) -> None:
    moved = gathered(made)
    moved._fixes[True][0][150:, 1] += 0.001
    found = found_of(moved)
    assert 20 < found.refused < 40
    assert off(made, found)[-100:].mean() == pytest.approx(110.7, abs=4)


@pytest.mark.parametrize(("wheels", "imu"), [(False, True), (True, False), (False, False)])
def test_it_goes_on_without_wheels_or_inertial_unit(made: Drive, wheels: bool, imu: bool) -> None:
    found = found_of(gathered(made, wheels=wheels, imu=imu))
    assert np.sqrt(np.mean(off(made, found) ** 2)) < 1.6
    assert found.length == pytest.approx(made.route.way[-1], rel=0.05)


def test_without_fixes_the_way_begins_at_nought(made: Drive) -> None:
    t, _ = readings.fixes(made)
    found = found_of(gathered(made, np.zeros(len(t), bool)))
    assert found.plane is None
    assert found.length == pytest.approx(made.route.way[-1], rel=0.02)


def test_without_fixes_and_wheels_there_is_no_way(made: Drive) -> None:
    t, _ = readings.fixes(made)
    assert motion(gathered(made, np.zeros(len(t), bool), wheels=False).readings()) is None
    assert motion(Gathering().readings()) is None


def test_a_clock_that_leaps_ahead_costs_nothing(made: Drive) -> None:
    leaping = gathered(made)
    leaping.wheel(np.array([1e9, 1e9 + 1]), np.array([3.0, 3.0]))
    found = found_of(leaping)
    assert len(found.trajectory) < 1400
    assert found.length == pytest.approx(made.route.way[-1] + 3, rel=0.01)


def test_long_drives_are_smoothed_in_blocks_that_fit_together() -> None:
    long = drive(5, 700.0)
    found = found_of(gathered(long))
    assert np.hypot(np.diff(found.trajectory.x), np.diff(found.trajectory.y)).max() < 0.8
    assert np.sqrt(np.mean(off(long, found) ** 2)) < 1.5


@pytest.mark.skipif(not MINUTE.exists(), reason="needs ../shared")
def test_a_real_minute_on_a_motorway() -> None:
    """1,011.8 m by the reference; the position without any alignment: a constant error of the fixes is in
    it."""
    (window,) = comma.windows(str(MINUTE), "comma2k19")
    reader = comma.Reader(window, Stages())
    found, places = Gathering(), []
    imu, wheels, fixes = [], [], []
    for value in reader:
        match value:
            case Imu(t, rate, force):
                imu.append((t, rate[2], force[0]))
            case Wheel(t, speed):
                wheels.append((t, speed))
            case Fix(t, _, a, b, c, sd):
                fixes.append((t, a, b, c, sd))
            case Place(t, x, y, z):
                places.append((t, x, y, z))
    assert reader.failed == []
    found.imu(*np.array(imu).T)
    found.wheel(*np.array(wheels).T)
    found.fixes(True, np.array(fixes))
    way = found_of(found)
    assert way.plane is not None
    assert way.length == pytest.approx(1011.8, rel=0.01)
    t, *ecef = np.array(places).T
    true = way.plane.of_earth_centred(np.column_stack(ecef))
    at = np.column_stack([np.interp(t, way.trajectory.t, v) for v in (way.trajectory.x, way.trajectory.y)])
    error = np.hypot(*(at - true[:, :2]).T)
    assert np.sqrt(np.mean(error**2)) < 1.2  # 0.96 when this was written
    assert way.trajectory.sd.mean() < 2
