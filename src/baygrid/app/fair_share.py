"""How much of the region each project has had lately, beside what the policy's shares entitle it to."""

from __future__ import annotations

from dataclasses import dataclass

from baygrid.app.access import Action, Actor, permit
from baygrid.app.platform import Platform
from baygrid.core.placement.queue.share import entitled, weight


@dataclass(frozen=True, slots=True)
class FairShare:
    """`entitled` and `used`: parts of all, 0 to 1. Use counts in dominant-share seconds and fades by the
    policy's half-life; a live attempt counts for as long as it is expected to run. `weight`: of the project
    in its organisation, `of_organisation`: of that in the region."""

    project: str
    organisation: str
    weight: int
    of_organisation: int
    entitled: float
    used: float


def fair_shares(platform: Platform, actor: Actor) -> list[FairShare]:
    """Of all projects, by organisation and name."""
    permit(actor, Action.OPERATE)
    now = platform.clock()
    rows = platform.store.read(lambda tx: tx.region.projects())
    paths = sorted((row.organisation, row.name) for row in rows.values())
    with platform.follower.lock:
        known = platform.follower.catch_up(now)
        policy = known.policy
        used = {path: known.shares.usage(path, now) for path in paths}
    due, total = entitled(policy, paths), sum(used.values())
    return [
        FairShare(
            path[1],
            path[0],
            weight(policy, path),
            weight(policy, path[:1]),
            due[path[1]],
            used[path] / total if total else 0.0,
        )
        for path in paths
    ]
