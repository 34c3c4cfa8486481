"""A real Kubernetes for the tests that ask for one: started privately, ended with the session."""

import base64
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from baygrid.centres.kubernetes import read_kubeconfig
from baygrid.centres.kubernetes.client import Client, Rejected
from tests.services import free_ports

SCRIPT = Path(__file__).parents[3] / "scripts" / "engines" / "kubernetes.sh"
RIGHTS = Path(__file__).parents[3] / "examples" / "kubernetes-agent.yaml"
API = {"v1": "/api/v1", "rbac.authorization.k8s.io/v1": "/apis/rbac.authorization.k8s.io/v1"}
OWNER = "kubernetes.io/service-account.name"
NOT_BUILT = 3  # the script says so
PORTS = range(21_000, 31_000, 100)
USED = (43, 48, 50, 57, 59, 79, 80)  # by the script, counted from the first


@pytest.fixture(scope="session")
def kubeconfig() -> Iterator[Path]:
    """Of a cluster that is ours alone."""
    if os.geteuid() != 0:
        pytest.skip("needs root: a node of Kubernetes makes containers")
    folder = Path(tempfile.mkdtemp(prefix="baygrid-k8s-"))  # a socket's path in it must be short
    environment = {**os.environ, "BAYGRID_K8S_PORT": str(free_ports(PORTS, USED))}

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
    """As its operator, who may do all."""
    with closing(Client(read_kubeconfig(kubeconfig))) as client:
        yield client


@pytest.fixture(scope="session")
def agent(kubeconfig: Path, cluster: Client) -> Iterator[Client]:
    """As an agent, with the rights that we tell operators to give it."""
    for document in yaml.safe_load_all(RIGHTS.read_text()):
        kind, metadata = document["kind"], document["metadata"]
        room = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
        cluster.create(f"{API[document['apiVersion']]}{room}/{kind.lower()}s", document)
    access = read_kubeconfig(kubeconfig)
    with closing(Client(replace(access, token_file=None, token=_token(cluster)))) as client:
        yield client


def _token(cluster: Client) -> str:
    """Of the agent's service account: a controller makes it."""
    for _ in range(300):
        for secret in cluster.listed("/api/v1/namespaces/baygrid/secrets"):
            if secret["metadata"].get("annotations", {}).get(OWNER) == "baygrid-agent":
                return base64.b64decode(secret["data"]["token"]).decode()
        time.sleep(0.1)
    raise AssertionError("the service account has no token")


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
