"""What is asked of Ray's Jobs API, as values.

Source: Ray's REST reference (cluster/running-applications/job-submission) and `JobSubmitRequest` in
`dashboard/modules/job/common.py`, the same from 2.9 to 2.60.
"""

from __future__ import annotations

import shlex
from importlib import resources
from typing import Any, Final

from baygrid.centres.engine import Task
from baygrid.ports.messages import Order

JOBS: Final = "/api/jobs/"
NODES: Final = "/api/v0/nodes"
VERSION: Final = "/api/version"

ENTRY: Final = resources.files("baygrid.centres.ray").joinpath("entry.py").read_text(encoding="utf-8")
PATIENCE_S: Final = 30  # beyond the job's grace: who has not killed it by then is dead

_MODEL: Final = "accelerator_type:"
_A_LITTLE: Final = 0.001  # of a node's model: what Ray itself asks for to be put onto such a node
_WHOLE: Final = 1000


def refusal(order: Order, partition: str) -> str:
    """Why a job like this can never run here; "" when it may. `partition`: the only one there is."""
    if order.partition != partition:
        return f"there is no partition {order.partition!r} here"
    if order.count > 1:
        return f"Ray runs a job's command on one node, and this one asks for {order.count}"
    return ""


def submission(task: Task) -> dict[str, Any]:
    """The body of POST /api/jobs/. Says nothing secret: whoever sees the cluster's dashboard sees it."""
    order = task.order
    patience = order.grace_s + PATIENCE_S
    asked: dict[str, Any] = {
        "submission_id": task.name,
        "entrypoint": entrypoint(task, patience),
        "entrypoint_num_cpus": order.cpus,
        "entrypoint_memory": order.memory_mib << 20,
        "runtime_env": {"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(patience + PATIENCE_S)}},
    }
    if order.accelerators:
        asked["entrypoint_num_gpus"] = order.accelerators * order.accelerator_share / _WHOLE
        if order.accelerator and order.accelerator != UNNAMED:
            asked["entrypoint_resources"] = {f"{_MODEL}{order.accelerator}": _A_LITTLE}
    return asked


UNNAMED: Final = "GPU"
"""The model of accelerators on nodes that name none."""


def model_of(resource: str) -> str:
    """The model that a resource of a node stands for, "" for any other resource."""
    return resource.removeprefix(_MODEL) if resource.startswith(_MODEL) else ""


def entrypoint(task: Task, patience_s: int) -> str:
    """The command, for /bin/sh: `entry.py` as a text, for Python is where Ray is and Baygrid need not be."""
    other = "" if task.order.signal == "TERM" else task.order.signal
    arguments = (str(task.folder), str(task.script), str(task.limit_s), str(patience_s), other)
    python = '"$(command -v python3 || command -v python)"'
    return f"exec {python} -IS -c {shlex.join([ENTRY, *arguments])}"
