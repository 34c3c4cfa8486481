"""What an agent finds where it joins."""

from pathlib import Path

import pytest

from baygrid.wiring.joining import find_driver, kept


@pytest.fixture
def bin(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def test_the_scheduler_that_is_there_is_found(tmp_path, bin):
    bare = {"PATH": str(bin), "HOME": str(tmp_path)}
    assert find_driver(bare) == ("local", "no other scheduler is found here", ())
    assert find_driver(bare | {"RAY_ADDRESS": "http://127.0.0.1:8265"})[::2] == (
        "ray",
        ("address=http://127.0.0.1:8265",),
    )
    assert find_driver(bare | {"RAY_ADDRESS": "10.0.0.1:6379"})[0] == "local", "no address of its Jobs API"
    assert find_driver(bare | {"KUBECONFIG": "/a:/b"})[::2] == ("kubernetes", ("kubeconfig=/a",))
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").touch()
    assert find_driver(bare)[::2] == ("kubernetes", (f"kubeconfig={tmp_path}/.kube/config",))
    (bin / "sinfo").touch(mode=0o755)
    assert find_driver(bare | {"SLURM_CONF": "/a/slurm.conf"})[::2] == (
        "slurm",
        ("conf=/a/slurm.conf", f"programs={bin}"),
    )


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_settings_that_cannot_be_read_are_none(tmp_path, text):
    (tmp_path / "agent.json").write_text(text)
    assert kept(tmp_path) == {}
