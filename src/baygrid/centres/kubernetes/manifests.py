"""What is asked of Kubernetes, as values: one batch/v1 Job of one pod for each attempt.

Nothing is ever tried again by the cluster: `backoffLimit: 0`, `restartPolicy: Never`. Where a pod that was
removed is replaced nevertheless (before Kubernetes 1.26), the claim in the attempt's folder keeps the second
from running.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from baygrid.centres.engine import Task
from baygrid.centres.folder.environment import NotRunnable
from baygrid.centres.folder.users import ids_of
from baygrid.centres.kubernetes.site import Accelerator, Site, label_of

CENTRE: Final = "baygrid.dev/centre"
TASK: Final = "baygrid.dev/task"
PROJECT: Final = "baygrid.dev/project"
FOLDER: Final = "baygrid.dev/folder"
"""An annotation of a Job: the attempt's folder, without which it is of no use any more."""
ENDED: Final = "baygrid.dev/ended"
"""An annotation of a Job that we ended through Kubernetes, and why: KILLED or REPLACED."""
KILLED: Final = "killed"
REPLACED: Final = "replaced"
"""Its pod was removed, and another made, which was not to run."""
QUEUE: Final = "kueue.x-k8s.io/queue-name"
CONTAINER: Final = "task"
START: Final = Path(__file__).with_name("pod.sh").read_text()

_KEPT_S = 7 * 86_400  # finished Jobs are removed by us; this is for those whose agent never comes back
_ENDING_S = 5  # added to a job's own grace, for what begins and ends it


class CannotRun(Exception):
    """No cluster will take it: the message says why."""


def job(task: Task, site: Site, *, queued: bool) -> dict[str, Any]:
    """`queued`: Kueue is there; the Job waits for its word. Raises CannotRun."""
    labels = {
        "app.kubernetes.io/managed-by": "baygrid",
        CENTRE: label_of(site.name),
        TASK: task.name,
        PROJECT: label_of(task.order.project),
    }
    spec = {
        "backoffLimit": 0,
        "completions": 1,
        "parallelism": 1,
        "ttlSecondsAfterFinished": _KEPT_S,
        "template": {"metadata": {"labels": labels}, "spec": _pod(task, site)},
    }
    held = {QUEUE: site.queue} if queued else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": task.name,
            "namespace": site.namespace_of(task.order.project),
            "labels": {**labels, **held},
            "annotations": {FOLDER: str(task.folder), "baygrid.dev/job": task.order.job},
        },
        "spec": {**spec, "suspend": True} if queued else spec,
    }


def namespace(name: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/managed-by": "baygrid"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def ending(why: str) -> dict[str, Any]:
    """A patch that ends a Job's pods and leaves the Job, whose last word is then DeadlineExceeded."""
    return {"metadata": {"annotations": {ENDED: why}}, "spec": {"activeDeadlineSeconds": 1}}


def _pod(task: Task, site: Site) -> dict[str, Any]:
    order = task.order
    if order.partition not in site.partitions:
        raise CannotRun(f"there is no partition {order.partition!r} at this centre")
    if order.accelerator_share < 1000:
        raise CannotRun("parts of accelerators cannot be had at this centre")
    if order.count > 1:
        raise CannotRun(f"{order.count} nodes at once cannot be had at this centre")
    uid, gid = _user(task)
    accelerator = _accelerator(task, site)
    nodes = {**site.partitions[order.partition], **(accelerator.labels if accelerator is not None else {})}
    return {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": task.limit_s,  # counts from the pod's start, not from its submission
        "terminationGracePeriodSeconds": order.grace_s + _ENDING_S,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        **({"nodeSelector": nodes} if nodes else {}),
        "securityContext": {
            "runAsUser": uid,
            "runAsGroup": gid,
            "fsGroup": gid,
            "fsGroupChangePolicy": "OnRootMismatch",  # never the whole volume: it holds others' attempts
            "runAsNonRoot": uid != 0,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(task, site, accelerator)],
        "volumes": [{"name": "attempt", **_volume(task, site)}],
    }


def _user(task: Task) -> tuple[int, int]:
    """Nothing runs as whoever an image happens to name."""
    if not task.account:
        raise CannotRun("this centre was not told as which user jobs run")
    try:
        return ids_of(task.account)
    except NotRunnable as error:
        raise CannotRun(str(error)) from None


def _accelerator(task: Task, site: Site) -> Accelerator | None:
    order = task.order
    if not order.accelerators:
        return None
    found = site.accelerator(order.accelerator or "")
    if found is None:
        raise CannotRun(f"there is no accelerator {order.accelerator!r} at this centre")
    return found


def _container(task: Task, site: Site, accelerator: Accelerator | None) -> dict[str, Any]:
    order = task.order
    # Asked for and limited alike: the class of pods that is evicted last, and what is used is what is paid.
    amounts = {"cpu": str(order.cpus), "memory": f"{order.memory_mib}Mi"}
    env: list[dict[str, Any]] = [
        {"name": "BAYGRID_POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}
    ]
    if accelerator is not None:
        amounts[accelerator.resource] = str(order.accelerators)
        # A container sees its own devices only, and counts them from 0.
        visible = ",".join(map(str, range(order.accelerators)))
        env.append({"name": "CUDA_VISIBLE_DEVICES", "value": visible})
    return {
        "name": CONTAINER,
        "image": order.image.removeprefix("docker:") or site.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-c", START, "baygrid", str(task.folder), str(task.script)],
        "env": env,
        "resources": {"requests": amounts, "limits": amounts},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [
            {
                "name": "attempt",
                "mountPath": str(task.folder),
                **({"subPath": task.folder.name} if site.claim else {}),
            }
        ],
    }


def _volume(task: Task, site: Site) -> dict[str, Any]:
    """Its own folder and no other's."""
    if site.claim:
        return {"persistentVolumeClaim": {"claimName": site.claim}}
    return {"hostPath": {"path": str(task.folder), "type": "Directory"}}
