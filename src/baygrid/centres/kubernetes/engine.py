"""`centres.engine.Engine` on a Kubernetes API server."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from baygrid.centres.engine import EngineSilent, Launch, Outside, Sight, Stand, Submission, Task
from baygrid.centres.kubernetes import manifests
from baygrid.centres.kubernetes.client import Client, Rejected
from baygrid.centres.kubernetes.inventory import read_inventory
from baygrid.centres.kubernetes.sights import Seen, Vanished, after_events, read_sights
from baygrid.centres.kubernetes.site import Site, label_of
from baygrid.ports.basics import Instant
from baygrid.ports.messages import Order, PartitionReport

SIGNALS: Final = "signals"
PEAK: Final = "peak"
POD: Final = "pod"  # written by the first that begins
_SIGNAL_WAIT_MS = 5_000
"""How long a KILL inside the container may take before Kubernetes ends the container."""
_AT_ONCE = 50  # names in one selector: an address has a greatest length
_WITH_PODS = {"propagationPolicy": "Background"}
_NOW = {"gracePeriodSeconds": 1}  # 0 would only forget the pod, whether it has ended or not


class KubernetesEngine:
    """Of one agent. Two lists a look, of Jobs and of pods, whatever their number."""

    launch = Launch(keep=("*",))  # a container's environment is its image's, nothing of the agent is in it

    def __init__(self, client: Client, site: Site, clock: Callable[[], Instant]) -> None:
        self._client, self._site, self._clock = client, site, clock
        self._selector = f"{manifests.CENTRE}={label_of(site.name)}"
        self._namespace = f"/namespaces/{site.namespace_of('')}" if site.one_namespace else ""
        self._where: dict[str, _Place] = {}
        self._vanished: dict[str, Vanished] = {}
        self._killing: dict[str, Instant] = {}  # told inside the container, and since when
        self._queued: bool | None = None

    def capabilities(self) -> frozenset[str]:
        able = {"out-of-memory", "image", "checkpoint", "accounts"}
        return frozenset(able | {"accelerators"} if self._site.accelerators else able)

    def version(self) -> str:
        """As v1.32.3. Raises EngineSilent."""
        return str(self._get("/version").get("gitVersion", ""))

    def inventory(self) -> tuple[PartitionReport, ...]:
        nodes = self._listed("/api/v1/nodes")
        try:
            return read_inventory(nodes, self._listed("/apis/apps/v1/daemonsets"), self._site)
        except ValueError as unreadable:
            raise EngineSilent(f"its nodes: {unreadable}") from None

    def submit(self, tasks: Sequence[Task]) -> Mapping[str, Submission]:
        answers: dict[str, Submission] = {}
        for task in tasks:
            try:
                body = manifests.job(task, self._site, queued=self._kueue())
                _make_signals(task.folder)
                answers[task.name] = Submission(self._create(body))
                self._where[task.name] = _place(body)
            except manifests.CannotRun as never:
                answers[task.name] = Submission(refusal=str(never))
            except Rejected as rejected:
                if not _passes(rejected):
                    answers[task.name] = Submission(refusal=rejected.message)
            except EngineSilent:
                if not answers:
                    raise
                break  # what is known is told; the others are looked for
        return answers

    def look(self) -> Sequence[Sight]:
        jobs = self._listed(f"/apis/batch/v1{self._namespace}/jobs", labelSelector=self._selector)
        # Pods after their Jobs: a Job whose pod is not there yet waits, a pod whose Job is not there yet is
        # nobody's.
        pods = self._listed(f"/api/v1{self._namespace}/pods", labelSelector=self._selector)
        now = self._clock()
        seen = read_sights(jobs, pods, now, self._site.patience_s * 1000)
        self._where = {job["metadata"]["name"]: _place(job) for job in jobs}
        self._vanished = {one.name: one for one in seen.vanished}
        self._insist(seen.sights, now)
        self._end_replaced(seen)
        self._sweep(seen.sights)
        return [self._measured(sight) for sight in seen.sights]

    def account(self, names: Collection[str], since: Instant) -> Sequence[Sight]:
        """A cluster keeps no accounts. Of Jobs whose pod was removed its events still say why, for an
        hour."""
        gone = [self._vanished[name] for name in names if name in self._vanished]
        if not gone:
            return []
        events = self._listed(f"/api/v1{self._namespace}/events", fieldSelector="involvedObject.kind=Pod")
        return [after_events(one, events) for one in gone]

    def signal(self, sights: Sequence[Sight], name: str) -> None:
        now, at_once = self._clock(), []
        for sight in sights:
            if sight.name not in self._where:
                continue  # gone
            written = self._write_signal(self._where[sight.name].folder, name)
            if name == "KILL" and (sight.stand is not Stand.RUNNING or not written):
                at_once.append(sight.name)
            elif name == "KILL":
                self._killing.setdefault(sight.name, now)
        self._end(at_once, manifests.KILLED)

    def forget(self, sights: Sequence[Sight]) -> None:
        self._remove([sight.name for sight in sights])

    def waits(self, shapes: Sequence[Order]) -> Sequence[int | None]:
        return [None] * len(shapes)

    def outside(self, since: Instant, until: Instant) -> Sequence[Outside]:
        return ()

    def close(self) -> None:
        self._client.close()

    def _kueue(self) -> bool:
        """Asked once: a queue is installed with a cluster, not under running jobs."""
        if self._queued is None:
            groups = self._get("/apis").get("groups") or () if self._site.queue else ()
            self._queued = any(group.get("name") == "kueue.x-k8s.io" for group in groups)
        return self._queued

    def _get(self, path: str) -> Any:
        try:
            return self._client.get(path)
        except Rejected as rejected:  # our rights were changed: nothing is known until they are back
            raise EngineSilent(f"{path}: {rejected}") from None

    def _create(self, body: Mapping[str, Any]) -> str:
        """Its uid, also when it is there already: the answer to an earlier one was lost."""
        namespace = body["metadata"]["namespace"]
        path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        for first in (True, False):
            try:
                return str(self._client.create(path, body)["metadata"]["uid"])
            except Rejected as rejected:
                if rejected.reason == "AlreadyExists":
                    return str(self._get(f"{path}/{body['metadata']['name']}")["metadata"]["uid"])
                if not (first and rejected.reason == "NotFound"):
                    raise
            with suppress(Rejected):  # another agent made it, or we may not: then the second try says so
                self._client.create("/api/v1/namespaces", manifests.namespace(namespace))
        raise AssertionError("unreachable")

    def _listed(self, path: str, **params: str) -> list[dict[str, Any]]:
        try:
            return self._client.listed(path, **params)
        except Rejected as rejected:
            raise EngineSilent(f"{path}: {rejected}") from None

    def _write_signal(self, folder: Path, signal: str) -> bool:
        """False when the folder cannot be written: it is gone, or its storage is."""
        try:
            descriptor = os.open(folder / SIGNALS, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.write(descriptor, f"{signal}\n".encode())
            finally:
                os.close(descriptor)
        except OSError:
            return False
        return True

    def _insist(self, seen: Sequence[Sight], now: Instant) -> None:
        """A job may have ended who was to end it: after a while Kubernetes does it."""
        alive = {sight.name for sight in seen if sight.stand is not Stand.ENDED}
        self._killing = {name: since for name, since in self._killing.items() if name in alive}
        late = [name for name, since in self._killing.items() if now - since >= _SIGNAL_WAIT_MS]
        self._end(late, manifests.KILLED)
        for name in late:
            self._killing[name] = now

    def _end_replaced(self, seen: Seen) -> None:
        """A pod that waits although another one claimed the attempt takes the place of that, which was
        removed. It would hold up the news until there is room for it."""
        waiting = [sight.name for sight in seen.sights if sight.stand is Stand.WAITING]
        replaced = []
        for name in waiting:
            began = _read(self._where[name].folder / POD)
            if began and began != seen.pods.get(name, began):
                replaced.append(name)
        self._end(replaced, manifests.REPLACED)

    def _end(self, names: Sequence[str], why: str) -> None:
        """First the pods, since a kubelet does not hurry one whose end has begun with a long grace; then the
        Jobs, with the pods that some of them make in their place."""
        for namespace, some in self._by_namespace(names):
            with suppress(Rejected):
                self._client.delete(f"/api/v1/namespaces/{namespace}/pods", _NOW, labelSelector=_those(some))
            for name in some:
                path = f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}"
                with suppress(Rejected):  # it is gone
                    if self._where[name].suspended:  # has not begun, so no deadline would end it
                        self._client.delete(path, _WITH_PODS)
                    else:
                        self._client.patch(path, manifests.ending(why))

    def _sweep(self, seen: Sequence[Sight]) -> None:
        """Of what has ended, that whose attempt's folder is gone: an agent died before it said that it is
        over. A root that is not there says nothing: its storage is not mounted."""
        if self._site.root.is_dir():
            ended = [sight.name for sight in seen if sight.stand is Stand.ENDED]
            names = (*ended, *self._vanished)
            self._remove([name for name in names if not self._where[name].folder.exists()])

    def _remove(self, names: Sequence[str]) -> None:
        for namespace, some in self._by_namespace(names):
            with suppress(Rejected):
                path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
                self._client.delete(path, _WITH_PODS, labelSelector=_those(some))

    def _by_namespace(self, names: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
        """Those that are known, in handfuls."""
        rooms: dict[str, list[str]] = {}
        for name in names:
            if name in self._where:
                rooms.setdefault(self._where[name].namespace, []).append(name)
        for namespace, some in rooms.items():
            for start in range(0, len(some), _AT_ONCE):
                yield namespace, some[start : start + _AT_ONCE]

    def _measured(self, sight: Sight) -> Sight:
        """With what its container left behind about its memory. The job could have written it: it is shown,
        not charged."""
        if sight.stand is not Stand.ENDED:
            return sight
        text = _read(self._where[sight.name].folder / PEAK)
        return replace(sight, peak_memory_mib=int(text) >> 20) if text.isdecimal() else sight


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a Job of ours is. `suspended`: it waits for a queue of the cluster."""

    namespace: str
    folder: Path
    suspended: bool


def _place(job: Mapping[str, Any]) -> _Place:
    metadata = job["metadata"]
    folder = (metadata.get("annotations") or {}).get(manifests.FOLDER, "/")
    return _Place(metadata["namespace"], Path(folder), bool(job["spec"].get("suspend")))


def _those(names: Sequence[str]) -> str:
    return f"{manifests.TASK} in ({','.join(names)})"


def _passes(rejected: Rejected) -> bool:
    """It is not for good: a quota may have room again, a namespace that is going will be gone."""
    words = ("exceeded quota", "is being terminated")
    return rejected.reason == "Conflict" or any(word in rejected.message for word in words)


def _make_signals(folder: Path) -> None:
    """An empty file of the folder's owner: there before its reader."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with suppress(FileExistsError):
        descriptor = os.open(folder / SIGNALS, flags, 0o600)
        try:
            owner = folder.stat()
            if owner.st_uid != os.geteuid():
                os.chown(descriptor, owner.st_uid, owner.st_gid)
        finally:
            os.close(descriptor)


def _read(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return os.read(descriptor, 100).decode("ascii", "replace").strip()
        finally:
            os.close(descriptor)
    except OSError:
        return ""
