"""What ran at a centre without Baygrid: judged like usage, stored once, counted by account beside what
Baygrid had there. It is metered and never charged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from baygrid.app.access import Action, Actor, permit
from baygrid.app.centres import centre as find_centre
from baygrid.app.platform import Platform
from baygrid.app.plausible import CLOCK_MS, MAX_CPUS, MAX_MEMORY_MIB, MODEL_LENGTH, NAME_LENGTH
from baygrid.app.problems import Invalid
from baygrid.app.signatures import signed_by
from baygrid.core.units import HOUR_S
from baygrid.ports.basics import Instant
from baygrid.ports.messages import Outside, Report, Usage
from baygrid.ports.store import Tx
from baygrid.ports.usage import OutsideRow, UsageRow
from baygrid.ports.wire import outside_bytes

MOST = 1_000
"""Of one report; an agent of ours sends fewer."""
OLDEST_MS = 400 * 86_400_000
MAX_NODES, MAX_DEVICES, MODELS = 1 << 17, 1 << 20, 32
"""Of one job."""
_HOUR_MS = HOUR_S * 1000


@dataclass(frozen=True, slots=True)
class Use:
    """What one account had at a centre. `inside`: by jobs of Baygrid's, and then the account is a project."""

    account: str
    inside: bool
    jobs: int
    cpu_hours: float
    accelerator_hours: float


def judged(centre: str, report: Report, now: Instant) -> tuple[list[OutsideRow], dict[str, str]]:
    """What can be true, and why the rest cannot, by id. Before any transaction: verifying takes time."""
    rows: list[OutsideRow] = []
    wrong: dict[str, str] = {}
    for signed in report.outside[:MOST]:
        why = _impossible(signed.job, now)
        if why is None and not signed_by(report.public_key, signed.signature, outside_bytes(signed.job)):
            why = "it is not signed by the key of this report"
        if why is None:
            rows.append(OutsideRow(centre, report.public_key, signed, now))
        else:
            wrong[f"outside {signed.job.id[:100]!r}"] = why
    if len(report.outside) > MOST:
        wrong["outside"] = f"more than {MOST} jobs in one report"
    return rows, wrong


def _impossible(job: Outside, now: Instant) -> str | None:
    names = (job.account, job.partition, *job.accelerators)
    if not 0 < len(job.id) <= NAME_LENGTH or not job.id.isprintable():
        return f"its id has not 1 to {NAME_LENGTH} printable characters"
    if any(len(name) > NAME_LENGTH or not name.isprintable() for name in names):
        return f"a name has more than {NAME_LENGTH} characters, or such as cannot be printed"
    if not now - OLDEST_MS <= job.start <= job.end <= now + CLOCK_MS:
        return "it ended before it began, too long ago or in the future"
    if not 0 < job.nodes <= MAX_NODES or not 0 <= job.cpus <= job.nodes * MAX_CPUS:
        return "no job has so many nodes or cpus"
    if not 0 <= job.memory_mib <= job.nodes * MAX_MEMORY_MIB:
        return "no job has so much memory"
    if len(job.accelerators) > MODELS or any(len(model) > MODEL_LENGTH for model in job.accelerators):
        return "no job has so many models of accelerators, or such names of them"
    if any(not 0 <= count <= MAX_DEVICES for count in job.accelerators.values()):
        return "no job has so many accelerators"
    return None


def usage(platform: Platform, actor: Actor, centre: str, start: Instant, end: Instant) -> list[Use]:
    """What ended at the centre in [start, end): of Baygrid's, by project, then of others', by account; most
    first. Raises Invalid, NotFound."""
    permit(actor, Action.WATCH, centre=centre)
    find_centre(platform, actor, centre)
    if start >= end:
        raise Invalid.at("to", "must be after `from`: nothing lies between them")

    def load(tx: Tx) -> tuple[list[Use], list[Use]]:
        others = [
            Use(account, False, jobs, cpus / HOUR_S, devices / HOUR_S)
            for account, jobs, cpus, devices in tx.outside.by_account(centre, start, end)
        ]
        return _ours(tx.money.usage_at(centre, start, end)), others

    ours, others = platform.store.read(load)
    return [*_most_first(ours), *_most_first(others)]


def _ours(rows: Iterable[UsageRow]) -> list[Use]:
    jobs: dict[str, set[str]] = {}
    spent: dict[str, list[Usage]] = {}
    for row in rows:
        jobs.setdefault(row.project, set()).add(row.job)
        spent.setdefault(row.project, []).append(row.signed.usage)
    return [
        Use(
            project,
            True,
            len(jobs[project]),
            sum((it.end - it.start) * it.nodes * it.cpus for it in all) / _HOUR_MS,
            sum((it.end - it.start) * it.nodes * it.accelerators * it.accelerator_share for it in all)
            / (_HOUR_MS * 1000),
        )
        for project, all in spent.items()
    ]


def _most_first(uses: Iterable[Use]) -> list[Use]:
    return sorted(uses, key=lambda it: (-it.accelerator_hours, -it.cpu_hours, it.account))
