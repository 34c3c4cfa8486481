"""What Kubernetes says, read: recorded answers of a real 1.20 (`recorded/`), and answers of 1.29 and newer
made by hand from the API reference."""

import copy
import json
from pathlib import Path

import pytest

from baygrid.centres.engine import Sight, Stand
from baygrid.centres.kubernetes.sights import Vanished, after_events, instant, read_sights

RECORDED = Path(__file__).with_name("recorded")
NOW = instant("2026-11-22T18:04:00Z")
PATIENCE_MS = 600_000
assert NOW is not None


def recorded(name):
    return json.loads((RECORDED / f"v1.20-{name}.json").read_text())["items"]


def read(jobs, pods, patience_ms=PATIENCE_MS):
    assert NOW is not None
    seen = read_sights(jobs, pods, NOW, patience_ms)
    return {sight.name: sight for sight in seen.sights}, {gone.name: gone for gone in seen.vanished}


@pytest.fixture(scope="module")
def many():
    return read(recorded("many-jobs"), recorded("many-pods"))


@pytest.mark.parametrize(
    ("name", "stand", "raw", "cause", "code"),
    [
        ("success", Stand.ENDED, "Completed", None, 0),
        ("exit3", Stand.ENDED, "Error", None, 3),
        ("oom", Stand.ENDED, "OOMKilled", "out-of-memory", 137),
        ("deadline", Stand.ENDED, "DeadlineExceeded", "time-limit", None),
        ("evicted", Stand.ENDED, "Evicted", "interrupted", None),
        ("killed", Stand.ENDED, "Error", None, 137),
        ("withdrawn", Stand.ENDED, "Killed", "cancelled", None),
        ("bad-image", Stand.ENDED, "InvalidImageName", "refused", None),
        ("no-shell", Stand.ENDED, "StartError", "refused", 128),
        ("running", Stand.RUNNING, "Running", None, None),
        ("stopping", Stand.STOPPING, "Terminating", None, None),
        ("unschedulable", Stand.WAITING, "Unschedulable", None, None),
    ],
)
def test_each_task_stands_as_the_real_one_did(many, name, stand, raw, cause, code):
    sight = many[0][f"bg-{name}"]
    assert (sight.stand, sight.raw, sight.cause, sight.exit_code) == (stand, raw, cause, code)
    if stand is Stand.ENDED:
        assert sight.ended_at is not None
    if name in ("success", "running", "oom"):
        assert sight.nodes == ("node1",)
        assert sight.started_at is not None


def test_why_it_waits_or_was_refused_is_told(many):
    assert many[0]["bg-unschedulable"].reason == "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
    assert "invalid reference format" in many[0]["bg-bad-image"].reason
    assert "no such file or directory" in many[0]["bg-no-shell"].reason
    assert "ephemeral local storage" in many[0]["bg-evicted"].reason


def test_an_image_that_is_missing_is_waited_for_and_then_refused(many):
    assert many[0]["bg-no-image"].stand is Stand.WAITING
    late = read(recorded("many-jobs"), recorded("many-pods"), patience_ms=10_000)[0]["bg-no-image"]
    assert (late.stand, late.cause) == (Stand.ENDED, "refused")
    assert late.raw in ("ErrImagePull", "ImagePullBackOff")


def test_a_pod_that_was_drained_away_is_known_by_its_events_only(many):
    gone = many[1]["bg-drained"]
    sight = after_events(gone, recorded("many-events"))
    assert (sight.stand, sight.cause, sight.raw) == (Stand.ENDED, "interrupted", "PodRemoved")
    assert after_events(gone, []).cause == "interrupted"


def test_a_preempted_pod_is_told_apart():
    sights, vanished = read(recorded("preempted-jobs"), recorded("preempted-pods"))
    assert sights["bg-high"].stand is Stand.WAITING
    sight = after_events(vanished["bg-low"], recorded("preempted-events"))
    assert (sight.cause, sight.raw) == ("preempted", "Preempted")
    assert sight.reason.startswith("Preempted by baygrid-demo/bg-high-")
    assert sight.ended_at is not None


def made(name="bg-1", *, job_status=None, spec=None, annotations=None, **pod_status):
    """A Job and its pod as a 1.29 or newer has them."""
    labels = {"baygrid.dev/task": name}
    job = {
        "metadata": {"name": name, "uid": f"uid-{name}", "labels": labels, "annotations": annotations or {}},
        "spec": spec or {},
        "status": {"ready": 0, "terminating": 0, "uncountedTerminatedPods": {}, **(job_status or {})},
    }
    of_job = {"batch.kubernetes.io/job-name": name, "batch.kubernetes.io/controller-uid": f"uid-{name}"}
    pod = {
        "metadata": {
            "name": f"{name}-x7k2p",
            "labels": {**labels, **of_job},
            "creationTimestamp": "2026-11-22T18:00:00Z",
            "finalizers": ["batch.kubernetes.io/job-tracking"],
        },
        "spec": {"nodeName": "gpu-7"},
        "status": pod_status,
    }
    return job, pod


def container(**state):
    return [{"name": "sidecar", "state": {"running": {}}}, {"name": "task", "state": state}]


def ended(code, reason="Error", **more):
    times = {"startedAt": "2026-11-22T18:00:05Z", "finishedAt": "2026-11-22T18:00:09Z"}
    return container(terminated={"exitCode": code, "reason": reason, **times, **more})


def disruption(reason):
    return [{"type": "DisruptionTarget", "status": "True", "reason": reason, "message": f"told: {reason}"}]


def only(job, pod) -> Sight:
    seen, vanished = read([job], [pod] if pod else [])
    assert not vanished
    return seen["bg-1"]


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("PreemptionByScheduler", "preempted"),
        ("PreemptionByKubeScheduler", "preempted"),
        ("DeletionByTaintManager", "interrupted"),
        ("EvictionByEvictionAPI", "interrupted"),
        ("DeletionByPodGC", "interrupted"),
        ("TerminationByKubelet", "interrupted"),
        ("a word of later", "interrupted"),
    ],
)
def test_newer_pods_say_themselves_who_took_them_away(reason, cause):
    sight = only(
        *made(phase="Failed", conditions=disruption(reason), containerStatuses=ended(143)),
    )
    assert (sight.stand, sight.cause, sight.raw) == (Stand.ENDED, cause, reason)
    assert sight.reason == f"told: {reason}"
    assert (sight.started_at, sight.ended_at) == (1_795_370_405_000, 1_795_370_409_000)


@pytest.mark.parametrize(
    ("status", "cause", "raw"),
    [
        ({"reason": "NodeShutdown"}, "interrupted", "NodeShutdown"),
        ({"reason": "OutOfcpu"}, "interrupted", "OutOfcpu"),
        ({"reason": "UnexpectedAdmissionError"}, "interrupted", "UnexpectedAdmissionError"),
        ({"reason": "Preempting"}, "preempted", "Preempting"),
        (
            {"containerStatuses": ended(137, "ContainerStatusUnknown")},
            "interrupted",
            "ContainerStatusUnknown",
        ),
        ({"containerStatuses": ended(128, "StartError")}, "refused", "StartError"),
        ({"containerStatuses": ended(0, "OOMKilled")}, None, "OOMKilled"),  # a child of it, which it survived
        ({"containerStatuses": ended(9, "Error")}, None, "Error"),
    ],
)
def test_how_a_pod_failed(status, cause, raw):
    sight = only(*made(phase="Failed", **status))
    assert (sight.stand, sight.cause, sight.raw) == (Stand.ENDED, cause, raw)


def test_a_suspended_job_waits_for_the_clusters_queue():
    job, _ = made(
        spec={"suspend": True}, job_status={"conditions": [{"type": "Suspended", "status": "True"}]}
    )
    assert (only(job, None).stand, only(job, None).raw) == (Stand.WAITING, "Suspended")


def test_a_job_that_is_failing_has_not_failed():
    """Since 1.31 a Job is Failed only after its last pod has ended; until then FailureTarget says what will
    be."""
    job, pod = made(
        job_status={
            "conditions": [{"type": "FailureTarget", "status": "True", "reason": "DeadlineExceeded"}]
        },
        phase="Running",
        containerStatuses=container(running={"startedAt": "2026-11-22T18:00:05Z"}),
    )
    pod["metadata"]["deletionTimestamp"] = "2026-11-22T18:01:00Z"
    assert only(job, pod).stand is Stand.STOPPING


def test_a_lost_node_is_unknown_and_not_an_end():
    job, pod = made(
        phase="Running", reason="NodeLost", message="Node gpu-7 which was running pod is unresponsive"
    )
    pod["metadata"]["deletionTimestamp"] = "2026-11-22T18:01:00Z"
    sight = only(job, pod)
    assert (sight.stand, sight.raw, sight.cause) == (Stand.UNKNOWN, "NodeLost", None)


def test_a_phase_of_later_is_unknown_for_that_task_alone():
    strange, well = made(phase="Hibernating"), made("bg-2", phase="Running")
    seen, _ = read([strange[0], well[0]], [strange[1], well[1]])
    assert (seen["bg-1"].stand, seen["bg-1"].raw) == (Stand.UNKNOWN, "Hibernating")
    assert seen["bg-2"].stand is Stand.WAITING


def test_a_second_pod_that_found_the_claim_is_not_the_task():
    done = {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}
    job, second = made(job_status=done, phase="Failed", containerStatuses=ended(73, message="duplicate\n"))
    assert read([job], [second]) == ({}, {"bg-1": Vanished("bg-1", "uid-bg-1", None)})
    first = copy.deepcopy(second)
    first["metadata"]["deletionTimestamp"] = "2026-11-22T18:01:00Z"
    first["status"] = {"phase": "Running", "containerStatuses": container(running={})}
    assert read([job], [second, first])[0]["bg-1"].stand is Stand.STOPPING


def test_a_script_may_itself_end_with_73():
    assert only(*made(phase="Failed", containerStatuses=ended(73))).exit_code == 73


def test_what_ended_although_a_new_pod_waits_for_its_place():
    """Before 1.26: we ended the Job, since its first pod was removed."""
    failed = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}
    job, _ = made(job_status={"conditions": [failed]}, annotations={"baygrid.dev/ended": "replaced"})
    assert list(read([job], [])[1]) == ["bg-1"]
    job["metadata"]["annotations"] = {}
    assert only(job, None).cause == "time-limit"


def taken(asked_s, **status):
    """Somebody asked for its removal so many seconds after 18:00, with 30 seconds of grace."""
    job, pod = made(phase="Failed", **status)
    pod["metadata"]["deletionTimestamp"] = f"2026-11-22T18:00:{asked_s + 30}Z"
    pod["metadata"]["deletionGracePeriodSeconds"] = 30
    return job, pod


def test_what_ended_since_its_pod_was_removed_did_not_fail_by_itself():
    job, pod = taken(7, containerStatuses=ended(143))
    seen, vanished = read([job], [pod])
    assert not seen
    assert vanished["bg-1"] == Vanished("bg-1", "uid-bg-1", 1_795_370_409_000, ("gpu-7",), 1_795_370_405_000)
    sight = after_events(vanished["bg-1"], [])
    assert (sight.cause, sight.nodes, sight.ended_at) == ("interrupted", ("gpu-7",), 1_795_370_409_000)
    job["metadata"]["annotations"] = {"baygrid.dev/ended": "killed"}
    assert only(job, pod).cause == "cancelled"


def test_what_had_ended_before_its_pod_was_removed_keeps_its_own_end():
    assert only(*taken(10, containerStatuses=ended(3))).exit_code == 3


def test_a_pod_that_says_why_it_was_removed_is_believed():
    sight = only(*taken(7, containerStatuses=ended(143), conditions=disruption("PreemptionByScheduler")))
    assert sight.cause == "preempted"
