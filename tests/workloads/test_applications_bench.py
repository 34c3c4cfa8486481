"""The benchmark of the applications: what it counts, how it compares, and that all sides run."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from benchmarks import applications, material
from benchmarks.applications import Ran, Size
from benchmarks.processes import cost

BUSY = "import time\nwhile time.process_time() < 0.3: pass"
LEFT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BUSY!r}], start_new_session=True)"


def test_work_that_a_command_left_behind_is_counted() -> None:
    found = cost([[sys.executable, "-c", LEFT], [sys.executable, "-c", f"{BUSY}\nprint('done')"]], os.environ)
    assert found.cpu >= 0.6
    assert found.peak > 5
    assert found.said == ("", "done\n")


def test_a_command_that_fails_is_not_a_figure() -> None:
    with pytest.raises(RuntimeError, match="no such thing"):
        cost([[sys.executable, "-c", "raise SystemExit('no such thing')"]], os.environ)


def test_ratios_are_of_one_round_each_and_leave_the_beginning_out() -> None:
    """Ours needs 5 s to begin and 1 s a unit, the peer 1 s and 2 s; one round has a noisy neighbour."""
    rounds = [
        {
            "baygrid": (_ran(10, noise * 15), _ran(110, noise * 115)),
            "peer": (_ran(10, noise * 21), _ran(110, noise * 221)),
        }
        for noise in (1.0, 3.0, 1.0)
    ]
    assert applications._figures(rounds)["baygrid"]["further_per_cpu_s"] == 1.0
    assert applications._over_peers(rounds, ["peer"]) == {
        "over_peers": {"peer": 2.0},
        "over_peers_whole": {"peer": float(f"{221 / 115:.4g}")},
    }


def test_the_material_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one", "other"):
        material.pictures(tmp_path / name, 5)
    one, other = (sorted((tmp_path / name).iterdir()) for name in ("one", "other"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    said = material.recordings(tmp_path / "said", {"en": 1, "ja": 1})
    assert sorted(said) == ["en-000.wav", "ja-000.wav"]
    assert 15 < material.recorded_seconds(tmp_path / "said") < 40


@pytest.mark.campaign
@pytest.mark.timeout(900)
def test_all_sides_run(model_cache: Path) -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("needs ray")
    tiny = Size((4, 8), (1, 2), (2, 4), (120, 240), (4, 8), 1)
    figures = dict(applications.measure(size=tiny))
    assert set(figures) == {"images", "speech", "driving", "memory"}
    assert figures["images"]["baygrid_ray"]["agree"] == 1.0
    for peer in figures["images"]["over_peers"]:
        assert figures["images"][peer]["agree"] >= 0.5
    assert figures["speech"]["baygrid"]["cer"] <= figures["speech"]["faster_whisper"]["cer"] + 0.05
    assert all(peak > 0 for name in ("speech", "driving") for peak in figures["memory"][name]["peak_mib"])


def _ran(units: float, cpu: float) -> Ran:
    return Ran(units, cpu, 1.0, 1.0, Path())
