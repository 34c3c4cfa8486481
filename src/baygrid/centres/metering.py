"""Signed records of use: one when an attempt ends, and one for each hour of a long one."""

from __future__ import annotations

from typing import Protocol

from baygrid.centres.remembered import Remembered
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


def stretches(
    kept: Remembered, seen: Observation, every: int, now: Instant, key: Signer
) -> list[SignedUsage]:
    """The records that are due for what was seen: whole stretches while it runs, the rest when it has ended.

    They are entered into `kept`; adjacent, numbered on, none twice.
    """
    if seen.started_at is None or not kept.order.count:
        return []
    begun = kept.until if kept.until is not None else seen.started_at
    records: list[SignedUsage] = []
    if not seen.state.final:
        if seen.state not in _IN_USE:
            return []  # nobody knows whether it still runs: that is recorded when it is known again
        while now - begun >= every:
            begun += every
            records.append(_record(kept, seen, begun, key))
        return records
    end = max(seen.started_at, seen.ended_at if seen.ended_at is not None else now)
    if kept.n == 0 or end > begun:
        records.append(_record(kept, seen, end, key))
    return records


def _record(kept: Remembered, seen: Observation, end: Instant, key: Signer) -> SignedUsage:
    order = kept.order
    start = kept.until if kept.until is not None else seen.started_at
    assert start is not None
    usage = Usage(
        attempt=order.attempt,
        n=kept.n,
        start=start,
        end=end,
        nodes=order.count,
        cpus=order.cpus,
        memory_mib=order.memory_mib,
        accelerator=order.accelerator,
        accelerators=order.accelerators,
        accelerator_share=order.accelerator_share,
        cpu_seconds=max(0.0, round(seen.cpu_seconds - kept.cpu_seconds, 3)),
        peak_memory_mib=seen.peak_memory_mib,
        egress_bytes=kept.egress_bytes if order.counts_egress and kept.n == 0 else 0,
    )
    signed = SignedUsage(usage, key.sign(usage_bytes(usage)))
    kept.n, kept.until = kept.n + 1, end
    kept.cpu_seconds += usage.cpu_seconds
    kept.unstored.append(signed)
    return signed
