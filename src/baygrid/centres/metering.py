"""Signed records of use: one when an attempt ends, and one for each hour of a long one."""

from __future__ import annotations

from typing import Protocol

from baygrid.centres.held import Held
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Observation
from baygrid.ports.messages import SignedUsage, Usage
from baygrid.ports.wire import usage_bytes

_IN_USE = (AttemptState.RUNNING, AttemptState.STOPPING)


class Signer(Protocol):
    """The agent's key (`centres.keys.Key`)."""

    @property
    def public_key(self) -> str: ...

    def sign(self, data: bytes) -> str: ...


def stretches(held: Held, seen: Observation, every: int, now: Instant, key: Signer) -> list[SignedUsage]:
    """The records that are due for what was seen: whole stretches while it runs, the rest when it has ended.

    They are entered into `held`; adjacent, numbered on, none twice.
    """
    if seen.started_at is None or not held.order.nodes:
        return []
    begun = held.until if held.until is not None else seen.started_at
    records: list[SignedUsage] = []
    if not seen.state.final:
        if seen.state not in _IN_USE:
            return []  # nobody knows whether it still runs: that is recorded when it is known again
        while now - begun >= every:
            begun += every
            records.append(_record(held, seen, begun, key))
        return records
    end = max(seen.started_at, seen.ended_at if seen.ended_at is not None else now)
    if held.n == 0 or end > begun:
        records.append(_record(held, seen, end, key))
    return records


def _record(held: Held, seen: Observation, end: Instant, key: Signer) -> SignedUsage:
    order = held.order
    start = held.until if held.until is not None else seen.started_at
    assert start is not None
    usage = Usage(
        attempt=order.attempt,
        n=held.n,
        start=start,
        end=end,
        nodes=len(order.nodes),
        cpus=order.cpus,
        memory_mib=order.memory_mib,
        accelerator=order.accelerator,
        accelerators=order.accelerators,
        cpu_seconds=max(0.0, round(seen.cpu_seconds - held.cpu_seconds, 3)),
        peak_memory_mib=seen.peak_memory_mib,
    )
    signed = SignedUsage(usage, key.sign(usage_bytes(usage)))
    held.n, held.until = held.n + 1, end
    held.cpu_seconds += usage.cpu_seconds
    held.unstored.append(signed)
    return signed
