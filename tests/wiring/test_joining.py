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
    (bin / "podman").touch(mode=0o755)
    assert find_driver(bare)[2] == (), "one that runs nothing"
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


def test_a_driver_that_is_said_is_reached_as_it_is_found(tmp_path, bin):
    (bin / "sinfo").touch(mode=0o755)
    here = {"PATH": str(bin), "HOME": str(tmp_path), "SLURM_CONF": "/a/slurm.conf", "KUBECONFIG": "/a"}
    here["RAY_ADDRESS"] = "http://127.0.0.1:8265"
    assert find_driver(here)[0] == "slurm"
    assert find_driver(here, "slurm") == ("slurm", "as said", ("conf=/a/slurm.conf", f"programs={bin}"))
    assert find_driver(here, "kubernetes") == ("kubernetes", "as said", ("kubeconfig=/a",))
    assert find_driver(here, "ray") == ("ray", "as said", ("address=http://127.0.0.1:8265",))
    assert find_driver(here, "local") == ("local", "as said", ())


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_settings_that_cannot_be_read_are_none(tmp_path, text):
    (tmp_path / "agent.json").write_text(text)
    assert kept(tmp_path) == {}
