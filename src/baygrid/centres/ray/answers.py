"""What Ray answers, as values of ours.

Sources: `JobStatus`, `JobErrorType`, `JobInfo` in Ray's `dashboard/modules/job/common.py`, `JobDetails` in
`pydantic_models.py`; `NodeState` in `util/state/common.py`. Tested on answers recorded of 2.9.3 and 2.60.0.
Ray 2.9 has no types of errors: there only the message tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from baygrid.centres.engine import Sight, Stand, Submission
from baygrid.centres.ray.requests import UNNAMED, model_of
from baygrid.ports.messages import NodeReport, PartitionReport

Names = Mapping[str, str]
"""Ray's id of a node -> its name here."""

_STANDS: Final = {
    "PENDING": Stand.WAITING,
    "RUNNING": Stand.RUNNING,
    "STOPPED": Stand.ENDED,
    "SUCCEEDED": Stand.ENDED,
    "FAILED": Stand.ENDED,
}

# Why it failed without an exit code, by the first of these that its message has.
_CAUSES: Final = (
    (re.compile(r"low on memory|OutOfMemory", re.IGNORECASE), "out-of-memory"),
    (
        re.compile(r"failed to start within [\d.]+ seconds"),
        "preempted",
    ),  # waited too long: may wait elsewhere
)
_LONGEST_REASON: Final = 300


def sights(jobs: Iterable[Mapping[str, Any]], names: Names) -> list[Sight]:
    """Of GET /api/jobs/, without what was not submitted to it (programs that joined the cluster)."""
    return [sight(job, names) for job in jobs if job.get("type") == "SUBMISSION" and job.get("submission_id")]


def sight(job: Mapping[str, Any], names: Names) -> Sight:
    """Ray's start time is that of the submission, so the start is left to the claim."""
    status = str(job.get("status"))
    stand = _STANDS.get(status, Stand.UNKNOWN)
    name = str(job["submission_id"])
    node = names.get(str(job.get("driver_node_id")))
    ended = stand is Stand.ENDED
    code = _exit_code(job.get("driver_exit_code"))
    return Sight(
        name=name,
        id=name,
        stand=stand,
        raw=" ".join(filter(None, (status, job.get("error_type")))),
        reason=_reason(str(job.get("message") or "")),
        nodes=(node,) if node else (),
        exit_code=0 if status == "SUCCEEDED" else code,
        cause=_cause(status, code, str(job.get("message") or "")),
        ended_at=job.get("end_time") if ended else None,
    )


def unknown_nodes(jobs: Iterable[Mapping[str, Any]], names: Names) -> set[str]:
    """Nodes with jobs that are not in `names`: they have joined since, or died long ago."""
    return {str(node) for job in jobs if (node := job.get("driver_node_id")) and node not in names}


def _exit_code(code: object) -> int | None:
    """Python's: -9 for killed by signal 9. A shell's: 137."""
    if type(code) is not int:
        return None
    return 128 - code if code < 0 else code


def _cause(status: str, code: int | None, message: str) -> str | None:
    if status == "STOPPED":
        return "cancelled"
    if status != "FAILED" or code is not None:
        return None
    return next((cause for rule, cause in _CAUSES if rule.search(message)), "interrupted")


def _reason(message: str) -> str:
    """In one line, and without the job's own words: Ray adds the end of a failed job's log."""
    told = message.partition(", last available logs")[0]
    return " ".join(told.split())[:_LONGEST_REASON]


def _nodes(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Of GET /api/v0/nodes. Raises KeyError or TypeError for something else."""
    found: list[Mapping[str, Any]] = answer["data"]["result"]["result"]
    return found


def node_names(answer: Mapping[str, Any]) -> dict[str, str]:
    """Of nodes that are dead, too: jobs were on them. Ray's names need not be unique: namesakes that are
    alive at the same time get a piece of their id."""
    nodes = _nodes(answer)
    alive = [str(node["node_name"]) for node in nodes if node["state"] == "ALIVE"]
    return {
        str(node["node_id"]): (
            f"{node['node_name']}-{node['node_id'][:8]}"
            if node["state"] == "ALIVE" and alive.count(str(node["node_name"])) > 1
            else str(node["node_name"])
        )
        for node in nodes
    }


def inventory(answer: Mapping[str, Any], partition: str) -> tuple[PartitionReport, ...]:
    """One partition: Ray has none. Nodes that are alive and have whole CPUs."""
    names = node_names(answer)
    nodes = [
        NodeReport(
            name=names[str(node["node_id"])],
            cpus=int(node["resources_total"].get("CPU", 0)),
            memory_mib=int(node["resources_total"].get("memory", 0)) >> 20,
            accelerators=_accelerators(node["resources_total"]),
        )
        for node in _nodes(answer)
        if node["state"] == "ALIVE"
    ]
    usable = sorted((node for node in nodes if node.cpus), key=lambda node: node.name)
    return (PartitionReport(partition, tuple(usable)),)


def _accelerators(resources: Mapping[str, float]) -> dict[str, int]:
    count = int(resources.get("GPU", 0))
    models = [model for resource in resources if (model := model_of(resource))]
    return {models[0] if models else UNNAMED: count} if count else {}


def submitted(name: str, status: int, text: str) -> Submission | None:
    """What became of a submission. None: nothing is known. That the name is there already is what a lost
    answer looks like the second time (an error 400 inside one of 500)."""
    if status == 200 or (status in (400, 500) and f"submission_id {name} already exists" in text):
        return Submission(id=name)
    if status in (400, 413, 422):
        lines = [line.strip() for line in text.splitlines() if line.strip(" .\t")]
        return Submission(refusal=f"Ray refuses it: {lines[-1][:_LONGEST_REASON] if lines else status}")
    return None


def peak_memory_mib(text: bytes) -> int:
    """Of KiB in a file that the job could have written, too."""
    return int(text) >> 10 if text.strip().isdigit() else 0
