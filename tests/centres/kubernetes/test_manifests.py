"""What is asked of Kubernetes."""

from dataclasses import replace
from pathlib import Path

import pytest

from baygrid.centres.engine import Task
from baygrid.centres.kubernetes import manifests
from baygrid.centres.kubernetes.manifests import CannotRun
from baygrid.centres.kubernetes.site import Accelerator, Site, label_of
from tests.centres.site import order

ROOT = Path("/srv/attempts")
SITE = Site(
    name="qianhai",
    root=ROOT,
    image="python:3.11",
    accelerators=(
        Accelerator("H100", labels={"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}),
        Accelerator("910B", resource="huawei.com/Ascend910"),
    ),
    partitions={"main": {}, "gpu": {"pool": "gpu"}},
)


def task(account="1000", **change):
    one = order("echo", nodes=(), count=1, **change)
    return Task("bg-k1", ROOT / "k1", ROOT / "k1" / "task.sh", one, limit_s=185, account=account)


def job(site=SITE, *, queued=False, account="1000", **change):
    return manifests.job(task(account, **change), site, queued=queued)


def pod(site=SITE, **change):
    return job(site, **change)["spec"]["template"]["spec"]


def test_it_is_tried_once_and_never_again():
    spec = job()["spec"]
    assert (spec["backoffLimit"], spec["completions"], spec["parallelism"]) == (0, 1, 1)
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_its_own_time_limit_is_that_of_the_pod_which_counts_from_its_start():
    made = job()
    assert made["spec"]["template"]["spec"]["activeDeadlineSeconds"] == 185
    assert "activeDeadlineSeconds" not in made["spec"]


def test_one_selector_finds_jobs_and_pods():
    made = job()
    wanted = {"baygrid.dev/centre": "qianhai", "baygrid.dev/task": "bg-k1"}
    assert wanted.items() <= made["metadata"]["labels"].items()
    assert wanted.items() <= made["spec"]["template"]["metadata"]["labels"].items()
    assert (made["metadata"]["name"], made["metadata"]["namespace"]) == ("bg-k1", "baygrid-demo")


def test_the_token_is_nowhere():
    assert order().token not in str(job())


def test_amounts_are_asked_for_and_limited_alike():
    resources = pod(cpus=4, memory_mib=2048, accelerator="H100", accelerators=2)["containers"][0]["resources"]
    amounts = {"cpu": "4", "memory": "2048Mi", "nvidia.com/gpu": "2"}
    assert resources == {"requests": amounts, "limits": amounts}


def test_accelerators_are_counted_from_0_in_a_container_and_chosen_by_their_labels():
    one = pod(accelerator="H100", accelerators=2, partition="gpu")
    assert one["containers"][0]["env"][-1] == {"name": "CUDA_VISIBLE_DEVICES", "value": "0,1"}
    assert one["nodeSelector"] == {"pool": "gpu", "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}
    other = pod(accelerator="910B", accelerators=1)
    assert other["containers"][0]["resources"]["limits"]["huawei.com/Ascend910"] == "1"
    assert "nodeSelector" not in other


def test_the_orders_image_goes_before_the_operators():
    assert pod()["containers"][0]["image"] == "python:3.11"
    assert pod(image="docker:pytorch/pytorch:2.5")["containers"][0]["image"] == "pytorch/pytorch:2.5"


def test_it_runs_as_nobody_special_without_any_right():
    one = pod()
    assert one["automountServiceAccountToken"] is False
    context = one["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"], context["runAsNonRoot"]) == (1000, 1000, True)
    assert one["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod(account="2001:3001")["securityContext"]["runAsGroup"] == 3001
    assert pod(account="root")["securityContext"]["runAsNonRoot"] is False


def test_it_sees_its_own_folder_and_no_other():
    one = pod()
    assert one["volumes"] == [
        {"name": "attempt", "hostPath": {"path": "/srv/attempts/k1", "type": "Directory"}}
    ]
    assert one["containers"][0]["volumeMounts"] == [{"name": "attempt", "mountPath": "/srv/attempts/k1"}]
    shared = pod(replace(SITE, claim="attempts"))
    assert shared["volumes"] == [{"name": "attempt", "persistentVolumeClaim": {"claimName": "attempts"}}]
    mount = {"name": "attempt", "mountPath": "/srv/attempts/k1", "subPath": "k1"}
    assert shared["containers"][0]["volumeMounts"] == [mount]


def test_where_kueue_is_the_job_waits_for_it():
    site = replace(SITE, queue="research")
    made = job(site, queued=True)
    assert made["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "research"
    assert made["spec"]["suspend"] is True
    assert "suspend" not in job(site)["spec"]
    assert "kueue.x-k8s.io/queue-name" not in job(site)["metadata"]["labels"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"partition": "elsewhere"}, "partition 'elsewhere'"),
        ({"accelerator": "A800", "accelerators": 1}, "accelerator 'A800'"),
        ({"accelerator": "H100", "accelerators": 1, "accelerator_share": 500}, "parts of accelerators"),
        ({"account": "no-such-user"}, "no user 'no-such-user'"),
        ({"account": ""}, "as which user"),
    ],
    ids=str,
)
def test_what_can_never_run_is_refused_with_a_reason(change, why):
    with pytest.raises(CannotRun, match=why):
        job(**change)


def test_several_nodes_at_once_are_refused():
    with pytest.raises(CannotRun, match="2 nodes at once"):
        manifests.job(replace(task(), order=replace(task().order, count=2)), SITE, queued=False)


@pytest.mark.parametrize("text", ["demo", "a" * 63])
def test_a_name_that_fits_is_kept(text):
    assert label_of(text) == text


@pytest.mark.parametrize("text", ["Demo", "demo_1", "demo.1", "b" * 64, "数据", "-demo-"])
def test_a_name_that_had_to_be_changed_meets_no_other(text):
    name = label_of(text)
    assert name != label_of(name + "x")
    assert len(name) <= 63
    assert name.strip("-") == name
    assert all(char.isascii() and (char.islower() or char.isdigit() or char == "-") for char in name)
    assert label_of(text) != label_of(text + "x")


def test_a_project_has_its_namespace_unless_the_operator_gives_one_for_all():
    assert SITE.namespace_of("demo") == "baygrid-demo"
    assert not SITE.one_namespace
    one = replace(SITE, namespace="jobs")
    assert one.namespace_of("demo") == one.namespace_of("other") == "jobs"
    assert one.one_namespace
