"""The driver on a real Kubernetes: API server, controllers, scheduler, one node with 16 cores and 8
accelerators."""

import select
import shutil
import time
import uuid
from contextlib import suppress
from dataclasses import replace

import pytest

from baygrid.centres.engine import EngineSilent
from baygrid.centres.folder.accounts import Accounts
from baygrid.centres.folder.files import key_of
from baygrid.centres.kubernetes import Accelerator, KubernetesEngine, Site, read_kubeconfig
from baygrid.centres.kubernetes.client import Client, Rejected
from baygrid.centres.queued import Pace, QueuedCentre
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import Stop
from baygrid.wiring.drivers import DRIVERS, Given
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
        self.namespace = namespaces(f"{self.name}-demo")
        self.place = Site(
            self.name,
            root,
            IMAGE,
            namespace=f"{self.name}-{{project}}",
            accelerators=(Accelerator("H100"),),
            **change,
        )
        self.patience(PATIENCE_S)
        self.centre = self._new()

    def patience(self, seconds):
        self._end = time.monotonic() + seconds

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
def site(tmp_path, agent, namespaces):
    site = KubernetesSite(tmp_path / "root", agent, namespaces)
    yield site
    site.centre.close()


class TestKubernetes(behaviour.Behaviour):
    capabilities = frozenset({"accelerators", "accounts", "checkpoint", "image", "out-of-memory", "secrets"})
    managed = False
    clock_ms = 1_000  # Kubernetes tells whole seconds
    many = 40

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


def pods(cluster, site):
    return cluster.listed(f"/api/v1/namespaces/{site.namespace}/pods")


def jobs(cluster, site):
    return cluster.listed(f"/apis/batch/v1/namespaces/{site.namespace}/jobs")


def test_the_inventory_is_what_the_node_has_for_jobs(site):
    [partition] = site.centre.inventory()
    [node] = partition.nodes
    assert (partition.name, node.name, node.cpus, node.accelerators) == ("main", "node1", 16, {"H100": 8})
    assert site.engine.version() == "v1.20.2"


def test_it_runs_as_the_account_and_not_as_the_agent(site):
    one = order("id -u; id -g; touch mine")
    start(site, one)
    assert until(site, one).state is AttemptState.SUCCEEDED
    assert whole_log(site, one) == b"1234\n1234\n"


def test_an_attempt_does_not_see_another(site):
    first = order("echo secret >kept; echo $PWD; exec sleep 600", 1)
    start(site, first)
    until_log(site, first, b"work")
    work = whole_log(site, first).decode().strip()
    second = order(f"cat {work}/kept; ls $PWD/../..", 2)
    start(site, second)
    assert until(site, second).state is AttemptState.SUCCEEDED
    *_, error, folder = whole_log(site, second).decode().splitlines()
    assert "kept: No such file or directory" in error
    assert folder == key_of(second.token)


def test_a_signal_of_the_jobs_choice_reaches_it_and_what_it_started(site):
    run = "trap 'echo saved; exit 0' USR1; python3 -u saver.py & echo up; wait; wait"
    saver = "import signal, sys; signal.signal(signal.SIGUSR1, lambda *_: sys.exit(print('too')))"
    one = order(f"printf '%s\\n' \"{saver}\" 'print(\"ready\")' 'signal.pause()' >saver.py; {run}")
    start(site, one)
    until_log(site, one, b"ready")
    until_log(site, one, b"up")
    site.centre.stop(Stop(one.attempt, one.token, "preempted", grace_s=30, signal="USR1"), now())
    assert until(site, one).state is AttemptState.PREEMPTED
    assert {b"saved", b"too"} <= set(whole_log(site, one).split())


def test_what_ended_its_own_watcher_is_killed_all_the_same(site):
    """The file of signals is read by a process of the job's own user."""
    shoot = (
        "for p in /proc/[0-9]*; do p=${p#/proc/}; [ $p = 1 ] && continue; "
        "case $(tr '\\0' ' ' </proc/$p/cmdline) in '/bin/sh -c'*) kill -KILL $p;; esac; done"
    )
    one = order(f"trap '' TERM; {shoot}; echo alone; while :; do sleep 0.2; done")
    start(site, one)
    until_log(site, one, b"alone")
    until(site, one, AttemptState.RUNNING)
    site.centre.stop(stop_of(one, grace_s=0), now())
    assert until(site, one).state is AttemptState.CANCELLED


def test_an_image_that_cannot_be_had_is_refused_after_a_while(tmp_path, agent, namespaces):
    site = KubernetesSite(tmp_path / "root", agent, namespaces, patience_s=3)
    one = order("echo", image="docker:localhost/no-such-image:1")
    start(site, one)
    seen = until(site, one)
    site.centre.close()
    assert (seen.state, seen.cause) == (AttemptState.FAILED, "refused")
    assert "localhost/no-such-image:1" in seen.detail


def test_an_evicted_pod_was_interrupted(site, cluster):
    one = order("echo up; exec sleep 600")
    start(site, one)
    until_log(site, one, b"up")
    until(site, one, AttemptState.RUNNING)
    [pod] = pods(cluster, site)
    name = pod["metadata"]["name"]
    body = {"apiVersion": "policy/v1beta1", "kind": "Eviction", "metadata": {"name": name}}
    cluster.create(f"/api/v1/namespaces/{site.namespace}/pods/{name}/eviction", body)
    seen = until(site, one)
    assert (seen.state, seen.cause) == (AttemptState.FAILED, "interrupted")
    assert whole_log(site, one) == b"up\n", "the pod in its place did not run it again"


def test_a_pod_that_must_make_room_was_preempted(site, cluster):
    with suppress(Rejected):
        body = {"metadata": {"name": "high"}, "value": 1000}
        cluster.create("/apis/scheduling.k8s.io/v1/priorityclasses", body)
    one = order("echo up; exec sleep 600", cpus=12)
    start(site, one)
    until_log(site, one, b"up")
    wanted = {"requests": {"cpu": "12"}}
    container = {"name": "a", "image": IMAGE, "command": ["sleep", "600"], "resources": wanted}
    spec = {"priorityClassName": "high", "containers": [container], "terminationGracePeriodSeconds": 1}
    body = {"metadata": {"name": "urgent"}, "spec": spec}
    cluster.create(f"/api/v1/namespaces/{site.namespace}/pods", body)
    seen = until(site, one)
    assert (seen.state, seen.raw) == (AttemptState.PREEMPTED, "Preempted")
    assert whole_log(site, one) == b"up\n"


def test_a_submission_whose_answer_was_lost_is_found_again(site, cluster, monkeypatch):
    create, lost = site.engine._client.create, list[str]()

    def lossy(path, body):
        answer = create(path, body)
        if body["kind"] == "Job" and not lost:
            lost.append(path)
            raise EngineSilent("the connection was lost")
        return answer

    monkeypatch.setattr(site.engine._client, "create", lossy)
    one = order("echo ran")
    start(site, one)
    assert until(site, one).state is AttemptState.SUCCEEDED
    assert lost
    assert whole_log(site, one) == b"ran\n"
    assert len(jobs(cluster, site)) == 1


def test_jobs_that_are_forgotten_go_from_the_cluster(site, cluster):
    orders = [order("echo", n) for n in range(5)]
    start(site, *orders)
    for one in orders:
        until(site, one)
    assert len(jobs(cluster, site)) == 5
    for one in orders:
        site.centre.forget(one)
    while jobs(cluster, site) or pods(cluster, site):
        site.centre.observe([], now())
        site.wait()


def test_a_job_whose_agent_died_before_it_was_forgotten_goes_too(site, cluster):
    one = order("echo")
    start(site, one)
    until(site, one)
    site.centre.close()
    shutil.rmtree(site.place.root)
    site.place.root.mkdir()
    KubernetesEngine(site._client, site.place, now).look()
    while jobs(cluster, site):
        site.wait()


def test_without_rights_nothing_is_known_and_nothing_is_refused(site, cluster, kubeconfig):
    stranger = Client(replace(read_kubeconfig(kubeconfig), token_file=None, token="no such token"))
    engine = KubernetesEngine(stranger, site.place, now)
    with pytest.raises(EngineSilent):
        engine.look()
    with pytest.raises(EngineSilent):
        engine.inventory()
    stranger.close()


def test_the_driver_is_made_of_what_an_operator_writes(tmp_path, kubeconfig, monkeypatch):
    clients = []

    def client(access):
        clients.append(Client(access))
        return clients[-1]

    monkeypatch.setattr("baygrid.centres.kubernetes.Client", client)
    options = {"kubeconfig": str(kubeconfig), "image": IMAGE, "accelerators": "H100=nvidia.com/gpu"}
    given = Given(tmp_path, "here", options=options, accounts=Accounts(other=USER))
    centre = DRIVERS["kubernetes"](given)
    assert isinstance(centre, QueuedCentre)
    [partition] = centre.inventory()
    assert (centre.version, [node.name for node in partition.nodes]) == ("v1.20.2", ["node1"])
    assert centre.capabilities() == TestKubernetes.capabilities
    centre.close()
    clients[0].close()
