"""Which nodes a local centre declares: this machine, or virtual ones with accelerators that are only
numbers."""

from __future__ import annotations

import os
from collections.abc import Sequence

from baygrid.centres.local import accelerators
from baygrid.core.reading import is_name
from baygrid.core.units import parse_memory
from baygrid.ports.messages import NodeReport, PartitionReport


class BadNode(ValueError):
    """A text that does not describe a node; the message says how to write one."""


def this_machine() -> tuple[PartitionReport, ...]:
    """Its cpus that we may use, its memory and its accelerators, as one node."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // (1 << 20)
    name, cpus = os.uname().nodename or "local", len(os.sched_getaffinity(0))
    node = NodeReport(name, cpus, memory, accelerators.of_this_machine())
    return (PartitionReport("main", (node,)),)


def parse_nodes(texts: Sequence[str]) -> tuple[PartitionReport, ...]:
    """Reads "n1:cpus=8,memory=64,H100=8" or "partition/n1:...". Memory in GiB unless it says otherwise;
    anything but `cpus` and `memory` is an accelerator model. Raises BadNode."""
    partitions: dict[str, dict[str, NodeReport]] = {}
    for text in texts:
        partition, node = _parse(text)
        nodes = partitions.setdefault(partition, {})
        if any(node.name in others for others in partitions.values()):
            raise BadNode(f"node {node.name!r} is declared twice")
        nodes[node.name] = node
    return tuple(PartitionReport(name, tuple(nodes.values())) for name, nodes in partitions.items())


def _parse(text: str) -> tuple[str, NodeReport]:
    place, colon, rest = text.partition(":")
    partition, slash, name = place.rpartition("/")
    if not slash:
        partition = "main"
    if not colon or not is_name(name) or not is_name(partition):
        raise BadNode(f"{text[:60]!r} is not a node: write for example n1:cpus=8,memory=64,H100=8")
    amounts: dict[str, str] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        key, value = key.strip(), value.strip()
        if not equals or not is_name(key) or key in amounts:
            raise BadNode(f"{part[:60]!r} in node {name!r}: write each thing once, as name=amount")
        amounts[key] = value
    try:
        cpus = int(amounts.pop("cpus", "1"))
        memory = parse_memory(amounts.pop("memory", "1"))
        accelerators = {model: int(number) for model, number in amounts.items()}
    except ValueError as error:
        raise BadNode(f"node {name!r}: {error}") from None
    if cpus < 1 or memory < 1 or any(not 1 <= number <= 1024 for number in accelerators.values()):
        raise BadNode(f"node {name!r}: amounts are whole numbers from 1 on")
    return partition, NodeReport(name, cpus, memory, accelerators)
