"""What a centre may declare of itself. A report that goes beyond is refused whole: no agent of ours does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from baygrid.app.plausible import CLOCK_MS, MAX_CPUS, MAX_MEMORY_MIB, NAME_LENGTH
from baygrid.app.problems import Invalid
from baygrid.core.reading import shown
from baygrid.ports.basics import Instant
from baygrid.ports.messages import NodeReport, PartitionReport, Report

MAX_ATTEMPTS = 10_000
MAX_USAGE = 5_000
"""In one report. Every signature is verified; an agent of ours sends about a thousand of each at most."""
MAX_NODES = 100_000
MAX_PARTITIONS = 1_000
MAX_MODELS = 16
MAX_ACCELERATORS = 1_024
MAX_TIME_LIMIT_S = 1 << 32
ID_LENGTH = 200
EARLIER = 64
"""So many times an agent may have been restarted within its incarnation's millisecond, unheard."""

_NAME = re.compile(r"[A-Za-z0-9_][-A-Za-z0-9_.:+@#]*")
_KEY = re.compile(r"([0-9a-f]{64})?")


def check_report(report: Report) -> None:
    """Raises Invalid with the first mistake."""
    if min(report.incarnation, report.seq, report.ack) < 0:
        raise Invalid.at("incarnation", "incarnation, seq and ack count from 0")
    if _KEY.fullmatch(report.public_key) is None:
        raise Invalid.at("public_key", "must be an Ed25519 key as 64 hex digits")
    if len(report.inventory_digest) > ID_LENGTH or not report.inventory_digest.isprintable():
        raise Invalid.at("inventory_digest", f"has at most {ID_LENGTH} printable characters")
    if len(report.attempts) > MAX_ATTEMPTS:
        raise Invalid.at("attempts", f"at most {MAX_ATTEMPTS} in one report: send the others in the next")
    if sum(len(item.usage) for item in report.attempts) > MAX_USAGE:
        raise Invalid.at("attempts", f"at most {MAX_USAGE} usage records in one report")
    for index, item in enumerate(report.attempts):
        if max(len(item.attempt), len(item.token)) > ID_LENGTH:
            raise Invalid.at(
                f"attempts[{index}]", f"an attempt and its token have at most {ID_LENGTH} characters"
            )
    if report.inventory is not None:
        _check_inventory(report.inventory)


def check_incarnation(incarnation: int, known: int, now: Instant) -> None:
    """An agent's incarnation is the time at which it began, or one more than its last. One far ahead would
    lock out every later agent of that centre. Raises Invalid."""
    if incarnation > max(now + CLOCK_MS, known + EARLIER):
        raise Invalid.at(
            "incarnation",
            "lies in the future: set the clock of the agent's machine, and start the agent again",
        )


def _check_inventory(partitions: Sequence[PartitionReport]) -> None:
    if len(partitions) > MAX_PARTITIONS or sum(len(one.nodes) for one in partitions) > MAX_NODES:
        raise Invalid.at("inventory", f"has more than {MAX_PARTITIONS} partitions or {MAX_NODES} nodes")
    _check_names("inventory", [one.name for one in partitions])
    for index, partition in enumerate(partitions):
        path = f"inventory[{index}]"
        limit = partition.time_limit_s
        if limit is not None and not 0 < limit <= MAX_TIME_LIMIT_S:
            raise Invalid.at(f"{path}.time_limit_s", f"must be 1 to {MAX_TIME_LIMIT_S}")
        _check_names(f"{path}.nodes", [node.name for node in partition.nodes])
        for place, node in enumerate(partition.nodes):
            for mistake in _absurd(node):
                raise Invalid.at(f"{path}.nodes[{place}]", mistake)


def _check_names(path: str, names: Sequence[str]) -> None:
    for index, name in enumerate(names):
        if len(name) > NAME_LENGTH or _NAME.fullmatch(name) is None:
            rule = f"1 to {NAME_LENGTH} letters, digits and -_.:+@#, a letter or digit first"
            raise Invalid.at(f"{path}[{index}].name", f"must have {rule}, not {shown(name)}")
    if len(set(names)) < len(names):
        raise Invalid.at(path, "names one twice")


def _absurd(node: NodeReport) -> Iterator[str]:
    if not 0 <= node.cpus <= MAX_CPUS:
        yield f"must have 0 to {MAX_CPUS} cpus, not {node.cpus}"
    if not 0 <= node.memory_mib <= MAX_MEMORY_MIB:
        yield f"must have 0 to {MAX_MEMORY_MIB} MiB of memory, not {node.memory_mib}"
    yield from _absurd_accelerators(node.accelerators)


def _absurd_accelerators(accelerators: Mapping[str, int]) -> Iterator[str]:
    if len(accelerators) > MAX_MODELS:
        yield f"must have at most {MAX_MODELS} models of accelerators"
    for model, count in accelerators.items():
        if len(model) > NAME_LENGTH or _NAME.fullmatch(model) is None:
            yield f"has a model of accelerator with such a name: {shown(model)}"
        if not 0 <= count <= MAX_ACCELERATORS:
            yield f"must have 0 to {MAX_ACCELERATORS} of {shown(model)}, not {count}"
