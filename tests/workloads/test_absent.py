"""Processes without what libraries look for in vain."""

import importlib
import subprocess
import sys

import pytest

from baygrid.workloads.absent import without


def test_a_module_is_not_found_within_the_block_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with without("colorsys"):
        with pytest.raises(ModuleNotFoundError, match="colorsys"):
            importlib.import_module("colorsys")
        assert importlib.import_module("json").__name__ == "json"
    assert importlib.import_module("colorsys").__name__ == "colorsys"


def test_kernels_of_drives_do_without_scipy_and_others_multiply_matrices_all_the_same() -> None:
    pytest.importorskip("numba")
    program = """
import sys
import numpy as np
from baygrid.workloads.driving.lidar.polar import polar
from baygrid.workloads.driving.compiled import njit
polar(np.ones((2, 4), np.float32))
assert "scipy.linalg" not in sys.modules
assert (njit(lambda a: a @ a)(np.eye(2)) == np.eye(2)).all()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=100)
