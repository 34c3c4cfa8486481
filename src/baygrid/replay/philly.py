"""Philly's jobs by virtual cluster (Jeon et al., ATC'19; the list as in Sia's and ElasticFlow's artifacts),
each virtual cluster a pool of its own with 8 GPUs a node (sizes: Helios' artifact, Hu et al., SC'21).

A job runs for its `duration` and nothing is charged for interruption. Jobs of virtual clusters that are not
in the list, and jobs wider than theirs, are left out and counted as `skipped`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from baygrid.replay.gangs import MOST_GPUS, POLICIES, Job, outcome, run, warm
from baygrid.replay.outcome import BadTrace, Outcome, Progress, no_progress
from baygrid.replay.rows import number, rows

__all__ = ["POLICIES", "clusters", "jobs", "replay"]

WIDTH: Final = 8
_FIELDS: Final = ("timestamp", "duration", "num_gpus", "cluster")


def replay(trace: Path, vc: Path, policy: str, progress: Progress = no_progress) -> Outcome:
    """Replay all virtual clusters side by side; the figures are over all. Raises BadTrace; KeyError for
    another policy."""
    pools, skipped = jobs(trace, clusters(vc))
    total = sum(len(queue) for _, queue in pools)
    if not total:
        raise BadTrace(f"{trace}: no job fits a virtual cluster of {vc}: give the list that belongs to it")
    done = 0
    progress(done, total)
    warm(policy)
    ran = []
    for nodes, queue in pools:
        ran.append(run(queue, policy, nodes, WIDTH))
        done += len(queue)
        progress(done, total)
    return outcome(f"{trace.name}, {policy}", ran, {"skipped": skipped} if skipped else {})


def clusters(vc: Path) -> dict[str, int]:
    """Nodes of each virtual cluster, by name."""
    found: dict[str, int] = {}
    for line, row in rows(vc, ("vc", "node num")):
        name = row["vc"].strip()
        if not name or name in found:
            raise BadTrace(
                f"{vc}, line {line}: {name or 'no name'}: every virtual cluster needs a name of its own"
            )
        found[name] = int(number(vc, line, row, "node num", whole=True, least=1))
        if found[name] * WIDTH > MOST_GPUS:
            raise BadTrace(
                f"{vc}, line {line}: {name} is too large: write at most {MOST_GPUS // WIDTH:,} nodes"
            )
    return found


def jobs(trace: Path, nodes: dict[str, int]) -> tuple[list[tuple[int, list[Job]]], int]:
    """For each virtual cluster with jobs its nodes and its jobs, times from the first of all; and how many
    jobs were left out."""
    queues: dict[str, list[Job]] = {name: [] for name in nodes}
    skipped = 0
    for line, row in rows(trace, _FIELDS):
        gpus = int(number(trace, line, row, "num_gpus", whole=True, least=1))
        seconds = number(trace, line, row, "duration")
        name = row["cluster"].strip()
        try:
            submit = datetime.fromisoformat(row["timestamp"].strip())
        except ValueError:
            raise BadTrace(
                f"{trace}, line {line}: timestamp is {row['timestamp'][:40]!r}: "
                "write for example 2017-10-09 07:01:55"
            ) from None
        since = submit.replace(tzinfo=UTC).timestamp()
        if -(-gpus // WIDTH) > nodes.get(name, 0):
            skipped += 1
        else:
            queues[name].append(Job(since, gpus, seconds))
    first = min((job.submit for queue in queues.values() for job in queue), default=0.0)
    moved = {
        name: [Job(job.submit - first, job.gpus, job.seconds) for job in queue]
        for name, queue in queues.items()
    }
    return [(nodes[name], queue) for name, queue in moved.items() if queue], skipped
