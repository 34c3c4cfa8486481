"""What a cluster has for jobs: its nodes, less those that take none and what its own services need on
each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from baygrid.centres.kubernetes.quantities import parse_quantity
from baygrid.centres.kubernetes.site import Site
from baygrid.ports.messages import NodeReport, PartitionReport

_REPELS = frozenset({"NoSchedule", "NoExecute"})
_MIB = 1 << 20


def read_inventory(
    nodes: Iterable[Mapping[str, Any]], daemons: Sequence[Mapping[str, Any]], site: Site
) -> tuple[PartitionReport, ...]:
    """`daemons`: the DaemonSets, one pod of each on every node that it fits. A node that is not ready,
    cordoned or tainted is not there; one that fits no partition is not ours."""
    rooms: dict[str, list[NodeReport]] = {name: [] for name in site.partitions}
    for node in nodes:
        labels = node["metadata"].get("labels") or {}
        partition = next((name for name, wanted in site.partitions.items() if fits(wanted, labels)), None)
        if partition is not None and _takes_jobs(node):
            rooms[partition].append(_node(node, labels, daemons, site))
    return tuple(PartitionReport(name, tuple(found)) for name, found in rooms.items() if found)


def fits(wanted: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return wanted.items() <= labels.items()


def _takes_jobs(node: Mapping[str, Any]) -> bool:
    spec, status = node.get("spec", {}), node.get("status", {})
    ready = any(
        one.get("type") == "Ready" and one.get("status") == "True" for one in status.get("conditions") or ()
    )
    tainted = any(taint.get("effect") in _REPELS for taint in spec.get("taints") or ())
    return ready and not tainted and not spec.get("unschedulable")


def _node(
    node: Mapping[str, Any], labels: Mapping[str, str], daemons: Sequence[Mapping[str, Any]], site: Site
) -> NodeReport:
    there: Mapping[str, Any] = node["status"].get("allocatable") or {}
    cpus, memory = parse_quantity(there.get("cpu", 0)), parse_quantity(there.get("memory", 0))
    for daemon in daemons:
        pod = daemon.get("spec", {}).get("template", {}).get("spec", {})
        if fits(pod.get("nodeSelector") or {}, labels):
            cpus -= _requested(pod, "cpu")
            memory -= _requested(pod, "memory")
    accelerators = {}
    for one in site.accelerators:
        count = int(parse_quantity(there.get(one.resource, 0)))
        if count and fits(one.labels, labels):
            accelerators[one.model] = count
    return NodeReport(
        name=node["metadata"]["name"],
        cpus=max(0, int(cpus)),
        memory_mib=max(0, int(memory) // _MIB),
        accelerators=accelerators,
    )


def _requested(pod: Mapping[str, Any], name: str) -> Decimal:
    total = Decimal(0)
    for container in pod.get("containers") or ():
        total += parse_quantity((container.get("resources", {}).get("requests") or {}).get(name, 0))
    return total
