"""The traces of Muri (Zhao et al., SIGCOMM'22): lists of gang jobs for a cluster of 8 nodes with 8 GPUs.

What is in the published figures, as read in Muri's simulator and reproduced here for `srtf`, `srsf` and
`tiresias`:

* A job runs 1.5 % longer than its `duration` column: `iterations` x `iteration_time` x 1.015.
* Nothing is charged for a preemption as such; but at every event (arrival, end, change of queue) each running
  job loses the start overhead of its model, 4 to 46 s, of the time since the last event, whether it was
  stopped or not.
* A job never shares a node's GPU, sits on one node if it fits one, else on whole nodes and one remainder;
  seats are given afresh at every event, first fit by order of turn. Tiresias is only held to the number of
  GPUs.

`fifo`, `baygrid-informed` and `baygrid` run each job for its `duration` and are charged nothing, as the
lower bounds are; benchmarks/jct.py shows them under the same charges too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from baygrid.replay.gangs import MOST_GPUS, POLICIES, Job, outcome, run, warm
from baygrid.replay.outcome import BadTrace, Outcome, Progress, no_progress
from baygrid.replay.rows import number, rows

__all__ = ["POLICIES", "PUBLISHED", "jobs", "replay"]

PUBLISHED: Final = ("srtf", "srsf", "tiresias")
STRETCH: Final = 1.015
OVERHEAD_S: Final = {
    "vgg16": (7, 7, 8, 9, 9, 10),
    "vgg19": (7, 7, 8, 9, 10, 10),
    "resnet18": (4, 5, 5, 7, 7, 7),
    "shufflenet_v2_x1_0": (4, 4, 5, 5, 7, 8),
    "bert": (10,) * 6,
    "gpt2": (10,) * 6,
    "a2c": (38, 39, 39, 46, 46, 46),
    "dqn": (5, 5, 6, 6, 8, 8),
}
"""Start overhead by model on 1, 2, 4, 8, 16 and 32 GPUs, as Muri's authors profiled it."""
_GPUS: Final = (1, 2, 4, 8, 16, 32)
_OTHER_S: Final = 10
_FIELDS: Final = ("num_gpu", "submit_time", "duration")
_CHARGED: Final = (*_FIELDS, "iterations", "iteration_time", "model_name")


def replay(trace: Path, policy: str, cluster: str = "8x8", progress: Progress = no_progress) -> Outcome:
    """Replay a trace on `cluster`, nodes x GPUs of each. Raises BadTrace; KeyError for another policy."""
    nodes, width = shape(cluster)
    queue = jobs(trace, charged=policy in PUBLISHED)
    widest = max(job.gpus for job in queue)
    if -(-widest // width) > nodes:
        raise BadTrace(f"{trace}: a job needs {widest} GPUs, more than {cluster} has: name a larger cluster")
    progress(0, len(queue))
    warm(policy)
    ran = run(queue, policy, nodes, width)
    progress(len(queue), len(queue))
    return outcome(f"{trace.name} on {cluster}, {policy}", [ran], {})


def shape(cluster: str) -> tuple[int, int]:
    """Nodes and GPUs of each, from a text such as 8x8."""
    nodes, _, width = cluster.partition("x")
    if not (nodes.isdecimal() and width.isdecimal() and int(nodes) and int(width)):
        raise BadTrace(f"{cluster!r} is not a cluster: write nodes x GPUs of each, for example 8x8")
    if int(nodes) * int(width) > MOST_GPUS:
        raise BadTrace(f"{cluster} is too large: name a cluster of at most {MOST_GPUS:,} GPUs in all")
    return int(nodes), int(width)


def jobs(trace: Path, *, charged: bool) -> list[Job]:
    """The jobs of a file, times in milliseconds there; `charged`: as in the published figures."""
    found = []
    for line, row in rows(trace, _CHARGED if charged else _FIELDS):
        gpus = int(number(trace, line, row, "num_gpu", whole=True, least=1))
        submit = number(trace, line, row, "submit_time") / 1000
        seconds = number(trace, line, row, "duration") / 1000
        toll = 0.0
        if charged:
            steps = number(trace, line, row, "iterations")
            seconds = steps * (number(trace, line, row, "iteration_time") * STRETCH / 1000)
            by_size = OVERHEAD_S.get(row["model_name"])
            toll = by_size[_GPUS.index(gpus)] if by_size and gpus in _GPUS else _OTHER_S
        found.append(Job(submit, gpus, seconds, toll))
    return found
