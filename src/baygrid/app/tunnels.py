"""Who may have a tunnel to a running job: whoever may use its project. Each is an event; what goes through it
is nobody's business."""

from __future__ import annotations

from baygrid.app.access import Action, Actor
from baygrid.app.jobs import find_job
from baygrid.app.platform import Platform
from baygrid.app.problems import WrongState
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.records import AttemptRecord, Event
from baygrid.ports.store import Tx


def begin(platform: Platform, actor: Actor, job: str, what: str) -> AttemptRecord:
    """The attempt that it leads to. `what`: the event's word for it. Raises NotFound, WrongState."""
    now = platform.clock()

    def apply(tx: Tx) -> AttemptRecord:
        record = find_job(tx, actor, Action.USE, job)
        attempts = tx.attempts.of_jobs([job])
        newest = attempts[-1] if attempts else None
        if newest is None or newest.state is not AttemptState.RUNNING:
            state = record.state if newest is None else newest.state
            raise WrongState(f"job {job!r} is not running ({state.value}): wait until it is")
        centre = tx.region.centre(newest.centre)
        if centre is None or "exec" not in (centre.capabilities or ()):
            raise WrongState(f"centre {newest.centre!r} cannot run a command beside a job")
        data = {"what": what, "by": actor.token_id, "label": actor.label}
        tx.events.append(
            [Event(now, "tunnel-opened", record.project, job, newest.id, newest.centre, data=data)]
        )
        return newest

    return platform.store.write(apply)
