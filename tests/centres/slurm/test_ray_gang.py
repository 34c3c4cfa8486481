"""`baygrid ray start` inside a gang on a real Slurm: one real Ray over the nodes of the job."""

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from baygrid.core.jobs.lifecycle import AttemptState
from tests import engines
from tests.centres.site import NODES, order, start, until, whole_log
from tests.centres.slurm.clusters import Cluster
from tests.centres.slurm.sites import SlurmSite

pytestmark = [pytest.mark.slow, pytest.mark.slurm, pytest.mark.ray, pytest.mark.xdist_group("slurm")]

PROGRAM = """
import os, ray
ray.init(log_to_driver=False)

@ray.remote(num_cpus=2)
def rank():
    return ray.get_runtime_context().get_node_id()

alive = {node["NodeID"] for node in ray.nodes() if node["Alive"]}
ranks = set(ray.get([rank.remote() for _ in range(8)]))
print(len(alive), int(ray.cluster_resources()["CPU"]), ranks <= alive)
"""


@pytest.fixture
def site(slurm22: Cluster) -> Iterator[SlurmSite]:
    """As root: other users cannot read this checkout's Python."""
    made = SlurmSite(slurm22, slurm22.shared / uuid.uuid4().hex, as_me=True)
    yield made
    made.close()


@pytest.mark.timeout(300)
def test_one_ray_over_the_nodes_of_a_gang(site: SlurmSite, ray: engines.Ray):
    path = f"{ray.bin}:{Path(sys.executable).parent}"
    run = f"PATH={path}:$PATH\neval \"$(baygrid ray start)\"\npython - <<'END'\n{PROGRAM}END"
    one = order(run, uuid.uuid4().hex, nodes=NODES, cpus=2, memory_mib=4096, time_s=200)
    site.patience(240)
    start(site, one)
    seen = until(site, one)
    assert (seen.state, whole_log(site, one).decode().splitlines()[-1]) == (
        AttemptState.SUCCEEDED,
        "2 4 True",
    ), whole_log(site, one).decode()
