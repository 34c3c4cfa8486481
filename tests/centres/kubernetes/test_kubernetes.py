"""The driver on a real Kubernetes: API server, controllers, scheduler, one node with 16 cores and 8
accelerators."""

import select
import time
import uuid

import pytest

from baygrid.centres.kubernetes import Accelerator, KubernetesEngine, Site
from baygrid.centres.queued import Pace, QueuedCentre
from baygrid.core.jobs.lifecycle import AttemptState
from tests.centres import behaviour
from tests.centres.site import order, start, stop_of, until, until_log, whole_log

pytestmark = [pytest.mark.k8s, pytest.mark.slow, pytest.mark.xdist_group("k8s"), pytest.mark.timeout(300)]

IMAGE = "localhost/baygrid-tools:1"
PATIENCE_S = 120
PACE = Pace(soon=300, tick=700)
USER = "1234:1234"


def now() -> int:
    return time.time_ns() // 1_000_000


class KubernetesSite:
    """Its own centre, root and namespace on a cluster that all tests have."""

    managed = False

    def __init__(self, root, client, namespaces, **change):
        self._client = client
        self.name = f"t{uuid.uuid4().hex[:10]}"
        namespaces(f"{self.name}-demo")
        self.place = Site(
            self.name,
            root,
            IMAGE,
            namespace=f"{self.name}-{{project}}",
            accelerators=(Accelerator("H100"),),
            **change,
        )
        self._end = time.monotonic() + PATIENCE_S
        self.centre = self._new()

    def now(self):
        return now()

    def wait(self):
        assert time.monotonic() < self._end, "nothing happened for too long"
        at = self.centre.wake_at(now())
        pause = 100 if at is None else min(100, max(0, at - now()))
        select.select([self.centre], [], [], pause / 1000)

    def restart(self):
        self.centre.close()
        self.centre = self._new()

    def _new(self):
        self.engine = KubernetesEngine(self._client, self.place, now)
        return QueuedCentre(
            self.place.root, self.engine, name=self.name, account_of=lambda order: USER, pace=PACE
        )


@pytest.fixture
def site(tmp_path, cluster, namespaces):
    site = KubernetesSite(tmp_path / "root", cluster, namespaces)
    yield site
    site.centre.close()


class TestKubernetes(behaviour.Behaviour):
    capabilities = frozenset({"accelerators", "accounts", "checkpoint", "image", "out-of-memory"})
    managed = False
    clock_ms = 1_000  # Kubernetes tells whole seconds
    many = 60

    def test_accelerators_are_distinct_while_they_are_used(self, site):
        """A container counts its own from 0. That they are its own is the cluster's to hold: it starts no
        more than it has."""
        show = "echo $GPUS_PER_NODE:$CUDA_VISIBLE_DEVICES; exec sleep 600"
        holders = [order(show, n, accelerator="H100", accelerators=4) for n in range(2)]
        start(site, *holders)
        for one in holders:
            until_log(site, one, b"\n")
            assert whole_log(site, one) == b"4:0,1,2,3\n"
        after = order(show.partition(";")[0], 10, accelerator="H100", accelerators=8)
        start(site, after)
        while (seen := until(site, after, AttemptState.WAITING)).raw != "Unschedulable":
            site.wait()
        assert "Insufficient nvidia.com/gpu" in seen.detail
        for one in holders:
            site.centre.stop(stop_of(one), site.now())
            until(site, one)
        until(site, after)
        assert whole_log(site, after) == b"8:0,1,2,3,4,5,6,7\n"
