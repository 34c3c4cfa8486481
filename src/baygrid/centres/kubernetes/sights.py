"""What Kubernetes says of our Jobs and their pods, read into `centres.engine.Sight`: one for each Job.

A Job's conditions say that it has ended, its pod says how. Words are those of
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle and /concepts/workloads/pods/disruptions; any
that is not known here makes that one task UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from baygrid.centres.engine import DUPLICATE, Sight, Stand
from baygrid.centres.kubernetes.manifests import CONTAINER, ENDED, KILLED, REPLACED, TASK
from baygrid.ports.basics import Instant

_IMAGE_MISSING: Final = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable"}
)
_NEVER_STARTS: Final = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
_BAD_IMAGE: Final = "InvalidImageName"
_COULD_NOT_START: Final = frozenset({"ContainerCannotRun", "StartError"})
_OVER: Final = frozenset({"Succeeded", "Failed"})
_PREEMPTED: Final = frozenset(
    {"PreemptionByScheduler", "PreemptionByKubeScheduler", "Preempting", "Preempted"}
)
_TAKEN_AWAY: Final = ("Killing", "TaintManagerEviction", "Evicted", "Preempted")


@dataclass(frozen=True, slots=True)
class Vanished:
    """A task whose pod was removed while it ran: before Kubernetes 1.26 only events know why. `ended_at`:
    when its container did, or where that has gone, too, its Job."""

    name: str
    id: str
    ended_at: Instant | None
    nodes: tuple[str, ...] = ()
    started_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """`pods`: by task, the uid of the pod that its sight is of."""

    sights: list[Sight]
    vanished: list[Vanished]
    pods: Mapping[str, str]


def read_sights(
    jobs: Iterable[Mapping[str, Any]],
    pods: Iterable[Mapping[str, Any]],
    now: Instant,
    patience_ms: int,
) -> Seen:
    """`patience_ms`: how long an image may be missing before the task is refused. Times in the answer are
    whole seconds, as Kubernetes has them."""
    of_task: dict[str, list[Mapping[str, Any]]] = {}
    for pod in pods:
        of_task.setdefault(_label(pod), []).append(pod)
    seen = Seen([], [], uids := {})
    for job in jobs:
        own = [pod for pod in of_task.get(_label(job), []) if not _is_duplicate(pod)]
        alive = [pod for pod in own if pod.get("status", {}).get("phase") not in _OVER]
        chosen = max(alive or own, key=_progress) if own else None
        found = _of_job(job, chosen, now, patience_ms)
        if isinstance(found, Vanished):
            seen.vanished.append(found)
            continue
        seen.sights.append(found)
        if chosen is not None:
            uids[found.name] = str(chosen["metadata"].get("uid", ""))
    return seen


def after_events(gone: Vanished, events: Iterable[Mapping[str, Any]]) -> Sight:
    """What became of a task whose pod was removed; `events` may be of any pods."""
    told = [
        event
        for event in events
        if event.get("reason") in _TAKEN_AWAY
        and str(event.get("involvedObject", {}).get("name", "")).startswith(f"{gone.name}-")
    ]
    told.sort(key=lambda event: (event["reason"] not in _PREEMPTED, _when(event)))
    first = told[0] if told else {}
    preempted = first.get("reason") in _PREEMPTED
    return Sight(
        gone.name,
        gone.id,
        Stand.ENDED,
        raw="Preempted" if preempted else "PodRemoved",
        reason=str(first.get("message") or "its pod was removed"),
        nodes=gone.nodes,
        cause="preempted" if preempted else "interrupted",
        started_at=gone.started_at,
        ended_at=gone.ended_at,
    )


def _when(event: Mapping[str, Any]) -> Instant:
    """Of either shape of events: the scheduler writes the newer one."""
    return instant(event.get("lastTimestamp")) or instant(event.get("eventTime")) or 0


def _of_job(
    job: Mapping[str, Any], pod: Mapping[str, Any] | None, now: Instant, patience_ms: int
) -> Sight | Vanished:
    name, uid = _label(job), str(job["metadata"].get("uid", ""))
    if pod is not None and pod.get("status", {}).get("phase") not in _OVER:
        return _living(name, uid, pod, now, patience_ms)
    if pod is not None:
        sight = _of_ended_pod(name, uid, pod, job)
        if _taken_away(pod) and _ended_by_us(job) != KILLED:
            return Vanished(name, uid, sight.ended_at, sight.nodes, sight.started_at)
        return sight
    end = _end(job)
    if end is None:
        return _without_pod(name, uid, job)
    if _ended_by_us(job) == KILLED:
        return Sight(name, uid, Stand.ENDED, "Killed", cause="cancelled", ended_at=end.at)
    if end.reason == "DeadlineExceeded" and _ended_by_us(job) != REPLACED:
        return Sight(name, uid, Stand.ENDED, end.reason, end.message, cause="time-limit", ended_at=end.at)
    return Vanished(name, uid, end.at)


def _living(name: str, uid: str, pod: Mapping[str, Any], now: Instant, patience_ms: int) -> Sight:
    status = pod.get("status", {})
    phase, state = str(status.get("phase", "")), _container(status)
    nodes = tuple(filter(None, [pod.get("spec", {}).get("nodeName")]))
    begun = instant(state.get("running", {}).get("startedAt"))
    if status.get("reason") == "NodeLost" or phase not in ("Pending", "Running"):
        raw = str(status.get("reason") or phase)
        return Sight(name, uid, Stand.UNKNOWN, raw, str(status.get("message", "")), nodes, started_at=begun)
    if "deletionTimestamp" in pod["metadata"]:
        return Sight(name, uid, Stand.STOPPING, "Terminating", nodes=nodes, started_at=begun)
    if "terminated" in state:  # the phase follows in a moment
        return Sight(name, uid, Stand.RUNNING, phase, nodes=nodes, started_at=_time(state, "startedAt"))
    if "running" in state:
        return Sight(name, uid, Stand.RUNNING, "Running", nodes=nodes, started_at=begun)
    waiting = state.get("waiting", {})
    word, message = str(waiting.get("reason", "")), str(waiting.get("message", ""))
    scheduled = _condition(status, "PodScheduled")
    since = instant(scheduled.get("lastTransitionTime"))
    tired = since is not None and now - since >= patience_ms
    if word == _BAD_IMAGE or (tired and word in _IMAGE_MISSING | _NEVER_STARTS):
        return Sight(name, uid, Stand.ENDED, word, message, nodes, cause="refused", ended_at=now)
    if scheduled.get("status") == "False":
        word, message = str(scheduled.get("reason", "")), str(scheduled.get("message", ""))
    return Sight(name, uid, Stand.WAITING, word or phase, message, nodes)


def _without_pod(name: str, uid: str, job: Mapping[str, Any]) -> Sight:
    if "deletionTimestamp" in job["metadata"]:
        return Sight(name, uid, Stand.STOPPING, "Terminating")
    if job.get("spec", {}).get("suspend"):
        return Sight(name, uid, Stand.WAITING, "Suspended", "it waits for admission by the cluster's queue")
    return Sight(name, uid, Stand.WAITING, "Created", "its pod has not been made yet")


def _of_ended_pod(name: str, uid: str, pod: Mapping[str, Any], job: Mapping[str, Any]) -> Sight:
    status = pod.get("status", {})
    state = _container(status).get("terminated", {})
    code = state.get("exitCode")
    cause, raw, reason = _cause(status, state)
    if cause is None and code not in (None, 0) and _ended_by_us(job) == KILLED:
        cause = "cancelled"
    end = _end(job)
    return Sight(
        name,
        uid,
        Stand.ENDED,
        raw,
        reason,
        nodes=tuple(filter(None, [pod.get("spec", {}).get("nodeName")])),
        exit_code=code if isinstance(code, int) else None,
        cause=cause,
        started_at=instant(state.get("startedAt")),
        ended_at=instant(state.get("finishedAt")) or (end.at if end is not None else None),
    )


def _cause(status: Mapping[str, Any], state: Mapping[str, Any]) -> tuple[str | None, str, str]:
    """Why it ended as far as no exit code tells, the word for it, and what was said."""
    word, message = str(status.get("reason") or ""), str(status.get("message") or "")
    disruption = _condition(status, "DisruptionTarget")
    if disruption.get("status") == "True":
        why = str(disruption.get("reason", ""))
        said = message or str(disruption.get("message", ""))
        return ("preempted" if why in _PREEMPTED else "interrupted"), word or why, said
    if word == "DeadlineExceeded":
        return "time-limit", word, message
    if (
        word
    ):  # Evicted, Shutdown, NodeAffinity, OutOfcpu: whatever the word, the node ended it and not the job
        return ("preempted" if word in _PREEMPTED else "interrupted"), word, message
    ending, said = str(state.get("reason") or ""), str(state.get("message") or "")
    if ending == "OOMKilled" and state.get("exitCode"):
        return "out-of-memory", ending, ""
    if ending in _COULD_NOT_START:
        return "refused", ending, said
    if ending == "ContainerStatusUnknown" or not state:
        return "interrupted", ending or str(status.get("phase")), said or "nobody saw its container end"
    return None, ending or str(status.get("phase")), said


@dataclass(frozen=True, slots=True)
class _End:
    reason: str
    message: str
    at: Instant | None


def _end(job: Mapping[str, Any]) -> _End | None:
    for word in ("Failed", "Complete"):
        condition = _condition(job.get("status", {}), word)
        if condition.get("status") == "True":
            at = instant(condition.get("lastTransitionTime"))
            return _End(str(condition.get("reason", "")), str(condition.get("message", "")), at)
    return None


def _ended_by_us(job: Mapping[str, Any]) -> str:
    return str((job["metadata"].get("annotations") or {}).get(ENDED, ""))


def _is_duplicate(pod: Mapping[str, Any]) -> bool:
    """Another pod of the Job had run before, and is gone."""
    state = _container(pod.get("status", {})).get("terminated", {})
    return state.get("exitCode") == DUPLICATE and str(state.get("message", "")).startswith("duplicate")


def _taken_away(pod: Mapping[str, Any]) -> bool:
    """Its container ended after somebody had asked for the pod's removal, and the pod does not say why."""
    metadata, status = pod["metadata"], pod.get("status", {})
    due = instant(metadata.get("deletionTimestamp"))
    if due is None or _condition(status, "DisruptionTarget"):
        return False
    asked = due - int(metadata.get("deletionGracePeriodSeconds") or 0) * 1000
    ended_at = instant(_container(status).get("terminated", {}).get("finishedAt"))
    return ended_at is None or ended_at >= asked


def _progress(pod: Mapping[str, Any]) -> tuple[bool, str]:
    """Of several pods of one Job: what runs before what waits, the newer before the older."""
    running = pod.get("status", {}).get("phase") == "Running"
    return running, str(pod["metadata"].get("creationTimestamp", ""))


def _label(thing: Mapping[str, Any]) -> str:
    return str((thing["metadata"].get("labels") or {}).get(TASK, ""))


def _container(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state of ours: a cluster may add its own beside it."""
    for one in status.get("containerStatuses") or ():
        if one.get("name") == CONTAINER:
            state: Mapping[str, Any] = one.get("state") or {}
            return state
    return {}


def _condition(status: Mapping[str, Any], word: str) -> Mapping[str, Any]:
    for one in status.get("conditions") or ():
        if one.get("type") == word:
            return dict(one)
    return {}


def _time(state: Mapping[str, Any], name: str) -> Instant | None:
    return instant(state.get("terminated", {}).get(name))


def instant(text: object) -> Instant | None:
    """As 2026-11-22T17:50:02Z, in milliseconds since 1970. None for what is not there; the start of what
    could not start is 1970 itself."""
    if not isinstance(text, str) or not text:
        return None
    return round(datetime.fromisoformat(text).timestamp() * 1000) or None
