"""Waiting jobs whose datasets are judged again: another day has begun, or what is known of parties to the law
has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from baygrid.app.borders import Borders
from baygrid.app.platform import Platform
from baygrid.core.jobs.spec import parse
from baygrid.ports.basics import Instant
from baygrid.ports.records import Event, JobRecord
from baygrid.ports.store import Tx

AT_ONCE: Final = 200


def rejudge(platform: Platform, fence: Callable[[Tx, Instant], None], after: str, now: Instant) -> str | None:
    """A bounded step of the leader: the next of them beyond the job `after`. Returns the last one judged;
    None: there are no more. `fence` raises unless it still leads."""

    def apply(tx: Tx) -> str | None:
        fence(tx, now)
        waiting = tx.jobs.with_datasets(after, AT_ONCE)
        borders = Borders(tx, platform.catalogue.at(tx), platform.lists, now)
        judged = [replace(job, bars=borders.bars(parse(job.spec))) for job in waiting]
        changed = [now for now, before in zip(judged, waiting, strict=True) if now.bars != before.bars]
        tx.jobs.update(changed)
        tx.events.append([told(job, now) for job in changed])
        return waiting[-1].id if len(waiting) == AT_ONCE else None

    if not platform.store.read(lambda tx: tx.jobs.with_datasets(after, 1)):
        return None
    return platform.store.write(apply)


def told(job: JobRecord, now: Instant) -> Event:
    """That the law lets its datasets go elsewhere than before."""
    bars = [bar.to_json() for bar in job.bars or ()]
    return Event(now, "job-judged", job.project, job.id, data={"bars": bars})
