"""What a job really used, as its centre measured and signed it."""

from __future__ import annotations

from baygrid.app.access import Action, Actor
from baygrid.app.jobs import find_job
from baygrid.app.platform import Platform
from baygrid.ports.messages import Usage
from baygrid.ports.store import Tx


def of_job(platform: Platform, actor: Actor, job: str) -> list[Usage]:
    """By attempt and stretch of time. Raises NotFound."""

    def load(tx: Tx) -> list[Usage]:
        find_job(tx, actor, Action.READ, job)
        attempts = [attempt.id for attempt in tx.attempts.of_jobs([job])]
        return [row.signed.usage for row in tx.money.usage_of(attempts)]

    return platform.store.read(load)
