"""Known bugs, planted in the real code for a while: the simulation is worth what it finds of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import MetaData, UniqueConstraint

from baygrid.app import attempts as app_attempts
from baygrid.app import region_image, sync
from baygrid.centres.agent import Agent
from baygrid.centres.remembered import Memory
from baygrid.ports.messages import Desired
from baygrid.sim.machine import Machine
from baygrid.store import opening, schema, tables
from baygrid.store.leadership import Leadership
from baygrid.store.money import Money

Patch = pytest.MonkeyPatch


def lease_not_fenced(patch: Patch) -> None:
    """A leader that slept longer than its lease commits what it planned before."""
    patch.setattr(Leadership, "fence", lambda self, term, holder, now, ttl_ms: True)


def charged_twice(patch: Patch) -> None:
    """A repeated final report is charged again, and no unique key stands in the way."""
    take = sync._take_attempts

    def careless(platform, tx, changes, centre, report, *rest):
        known = tx.attempts.get([item.attempt for item in report.attempts])
        jobs = tx.jobs.get([record.job for record in known.values()])
        answer = take(platform, tx, changes, centre, report, *rest)
        for item in report.attempts:
            record = known.get(item.attempt)
            if record is not None and record.state.final and record.state.value != "LOST" and item.usage:
                rows = tx.money.usage_of([record.id])
                offer = platform.catalogue.at(tx).offers[record.offer]
                job = jobs[record.job]
                app_attempts.post_charges(platform, changes, offer, record, job, rows, report.now)
        return answer

    patch.setattr(sync, "_take_attempts", careless)
    _drop_unique_keys(patch)


def _drop_unique_keys(patch: Patch) -> None:
    loose = MetaData()
    for table in tables.metadata.sorted_tables:
        copy = table.to_metadata(loose)
        if table.name in ("charges", "ledger"):
            for key in [c for c in copy.constraints if isinstance(c, UniqueConstraint)]:
                copy.constraints.discard(key)
    patch.setattr(schema, "metadata", loose)
    image = schema.memory_image.__wrapped__()
    patch.setattr(opening, "memory_image", lambda: image)


def claim_not_atomic(patch: Patch) -> None:
    """Two wrappers of one token both believe that they claimed it."""
    patch.setattr(Machine, "claimed", lambda self, token: False)


def rerun_after_replay(patch: Patch) -> None:
    """The agent forgets what it has closed when it restarts, and the centre keeps nothing of it either."""
    apply = Memory._apply

    def forgetful(self, entry):
        if entry["t"] not in ("closed", "final"):
            apply(self, entry)

    patch.setattr(Memory, "_apply", forgetful)


def final_not_repeated(patch: Patch) -> None:
    """A final report counts as delivered once it is sent."""
    build = Agent.report

    def careless(self, now):
        report = build(self, now)
        for held in list(self.attempts.values()):
            if held.final is not None:
                held.unstored, held.closed, held.log_done = [], True, True
                self._forget_if_done(held, now)
        return report

    patch.setattr(Agent, "report", careless)


def stop_not_passed_on(patch: Patch) -> None:
    """What should stop is left out of what is desired."""
    tell = sync.desired

    def deaf(*arguments):
        found = tell(*arguments)
        return found and Desired(found.gen, found.orders, ())

    patch.setattr(sync, "desired", deaf)


def version_not_checked(patch: Patch) -> None:
    """A plan is committed although its job has changed since."""

    class Whatever(int):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = int.__hash__

    waiting = region_image.Waiting
    patch.setattr(region_image, "Waiting", lambda demand, version: waiting(demand, Whatever(version)))


def hold_not_released(patch: Patch) -> None:
    """The end of a job gives back its row's hold, but not its project's."""
    move = Money.move

    def keep(self, project, *, at=0, granted=0, held=0, charged=0):
        return move(self, project, at=at, granted=granted, held=max(0, held), charged=charged)

    patch.setattr(Money, "move", keep)


BUGS: Mapping[str, Callable[[Patch], Any]] = {
    "lease not fenced": lease_not_fenced,
    "charged twice": charged_twice,
    "claim not atomic": claim_not_atomic,
    "rerun after replay": rerun_after_replay,
    "final not repeated": final_not_repeated,
    "stop not passed on": stop_not_passed_on,
    "version not checked": version_not_checked,
    "hold not released": hold_not_released,
}
