"""A real Kubernetes for the tests that ask for one: started privately, ended with the session."""

import os
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from baygrid.centres.kubernetes import read_kubeconfig
from baygrid.centres.kubernetes.client import Client, Rejected

SCRIPT = Path(__file__).parents[3] / "scripts" / "engines" / "kubernetes.sh"
NOT_BUILT = 3  # the script says so
PORTS = range(21_000, 31_000, 100)


@pytest.fixture(scope="session")
def kubeconfig() -> Iterator[Path]:
    """Of a cluster that is ours alone."""
    if os.geteuid() != 0:
        pytest.skip("needs root: a node of Kubernetes makes containers")
    folder = Path(tempfile.mkdtemp(prefix="baygrid-k8s-"))  # a socket's path in it must be short
    environment = {**os.environ, "BAYGRID_K8S_PORT": str(free_ports())}

    def script(verb: str) -> subprocess.CompletedProcess[str]:
        command = [str(SCRIPT), verb, str(folder / "run")]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=150
        )

    try:
        up = script("up")
        if up.returncode == NOT_BUILT:
            pytest.skip("needs a built Kubernetes: run scripts/engines/kubernetes.sh build")
        assert up.returncode == 0, up.stderr
        yield folder / "run" / "kubeconfig"
    finally:
        script("down")
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cluster(kubeconfig: Path) -> Iterator[Client]:
    with closing(Client(read_kubeconfig(kubeconfig))) as client:
        yield client


@pytest.fixture
def namespaces(cluster: Client) -> Iterator[Callable[[str], str]]:
    """Namespaces are noted here and end with the test, and all in them at once."""
    made: list[str] = []

    def note(name: str) -> str:
        made.append(name)
        return name

    yield note
    for name in made:
        with suppress(Rejected):
            cluster.delete(f"/apis/batch/v1/namespaces/{name}/jobs", {"propagationPolicy": "Background"})
            cluster.delete(f"/api/v1/namespaces/{name}/pods", {"gracePeriodSeconds": 1})
            cluster.delete(f"/api/v1/namespaces/{name}", {})


def free_ports() -> int:
    """The first of 100 ports of which those that the script uses are nobody's now."""
    for base in random.sample(PORTS, len(PORTS)):
        with suppress(OSError):
            for offset in (43, 48, 50, 57, 59, 79, 80):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", base + offset))
            return base
    raise AssertionError("no free ports")
