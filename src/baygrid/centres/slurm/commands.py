"""What is asked of Slurm's commands, as argument lists. Pure.

Lists are asked for with a separator that nobody knows before (`mark`): a job's name may hold any character,
newlines too, and must not be taken for another job.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from baygrid.ports.basics import Instant
from baygrid.ports.messages import Order

UNTYPED: Final = "gpu"
"""The model of accelerators of which the site says no type."""

LISTED: Final = ("%i", "%T", "%S", "%N", "%r", "%j")
"""Id (an element of an array as 7_3), state, start (expected while it waits), nodes, reason, name: squeue(1),
--format. What people choose stands last."""

REMEMBERED: Final = (
    "JobArrayID", "State", "StartTime", "EndTime", "exit_code", "NodeList", "MinMemory", "Reason", "Name",
)  # fmt: skip
"""squeue(1), --Format."""

ACCOUNTED: Final = (
    "JobID", "State", "Start", "End", "ExitCode", "NodeList", "ReqMem", "TotalCPU", "MaxRSS", "Reason",
    "JobName",
)  # fmt: skip
"""sacct(1), --format."""

USED: Final = ("JobID", "State", "Start", "End", "NodeList", "AllocTRES", "Partition", "User", "JobName")

NODES: Final = ("%N", "%P", "%T", "%a", "%c", "%m", "%l", "%G")
"""Node, partition, state, availability, cpus, memory in MiB, time limit, gres: sinfo(1), --format."""


@dataclass(frozen=True, slots=True)
class Request:
    """One sbatch. `minutes`: time limit. `uid` None: as whoever calls. `elements` of an array, 0: none."""

    name: str
    order: Order
    minutes: int
    bank: str = ""
    uid: int | None = None
    gid: int | None = None
    elements: int = 0


def sbatch(request: Request, script: str) -> list[str]:
    """The environment of the call is the job's, so it must be a clean one: `--export=NONE` would have Slurm
    start a login shell for it first, and keep srun from handing it on."""
    return [
        "sbatch",
        "--parsable",
        f"--job-name={request.name}",
        *_shape(request),
        f"--time={request.minutes}",
        *([f"--array=0-{request.elements - 1}"] if request.elements else []),
        "--no-requeue",
        "--export=ALL",
        "--input=/dev/null",
        "--output=/dev/null",
        "--chdir=/",
        f"--comment=baygrid {request.order.project}",
        script,
    ]


def test_only(request: Request) -> list[str]:
    """When it would start, without a job."""
    return [
        "sbatch",
        "--test-only",
        *_shape(request),
        f"--time={request.minutes}",
        "--chdir=/",
        "--wrap=true",
    ]


def _shape(request: Request) -> list[str]:
    order = request.order
    return [
        f"--partition={order.partition}",
        f"--nodes={order.count}",
        "--ntasks-per-node=1",
        f"--cpus-per-task={order.cpus}",
        f"--mem={max(1, order.memory_mib)}M",
        *([f"--gpus-per-node={_accelerators(order)}"] if order.accelerators else []),
        *([f"--account={request.bank}"] if request.bank else []),
        # Without its group a job of root's making would run in root's.
        *([f"--uid={request.uid}", f"--gid={request.gid}"] if request.uid is not None else []),
    ]


def _accelerators(order: Order) -> str:
    model = order.accelerator
    return f"{model}:{order.accelerators}" if model and model != UNTYPED else str(order.accelerators)


def listed(users: Iterable[str], mark: str) -> list[str]:
    """All that waits or runs for these users, each element of an array by itself."""
    text = mark.join(LISTED)
    return ["squeue", "--noheader", "--array", f"--user={','.join(users)}", f"--format={text}"]


def remembered(names: Iterable[str], mark: str) -> list[str]:
    """What slurmctld still knows of these names, ended or not (MinJobAge seconds after its end)."""
    fields = ",".join(f"{name}:{mark}" for name in REMEMBERED)
    return [
        "squeue", "--noheader", "--array", "--states=all", f"--name={','.join(names)}", f"--Format={fields}",
    ]  # fmt: skip


def accounted(names: Iterable[str], since: Instant, mark: str) -> list[str]:
    """Jobs and their steps of these names. The end of time is said, since a clock may be behind."""
    return [
        "sacct", "--allusers", "--noheader", "--parsable2", "--noconvert", f"--delimiter={mark}",
        f"--starttime=uts{since // 1000}", f"--name={','.join(names)}", f"--format={','.join(ACCOUNTED)}",
    ]  # fmt: skip


def used(since: Instant, until: Instant, mark: str) -> list[str]:
    """Everybody's jobs that ran in that time, each run of a requeued one by itself."""
    return [
        "sacct", "--allusers", "--allocations", "--duplicates", "--noheader", "--parsable2", "--noconvert",
        f"--delimiter={mark}", f"--starttime=uts{since // 1000}", f"--endtime=uts{-(-until // 1000)}",
        f"--format={','.join(USED)}",
    ]  # fmt: skip


def signalled(ids: Sequence[str], name: str, where: str = "") -> list[str]:
    """`where`: "full" for the script and every process below it, "batch" for the script alone, "" for the
    steps alone (what srun started, without srun)."""
    return ["scancel", "--quiet", *([f"--{where}"] if where else []), f"--signal={name}", *ids]


def cancelled(ids: Sequence[str]) -> list[str]:
    return ["scancel", "--quiet", *ids]


def running(id: str) -> list[str]:
    """The number of what runs under this id: an element of an array has one of its own."""
    return ["squeue", "--noheader", f"--jobs={id}", "--states=running", "--format=%A"]


def inside(number: str, rank: int, terminal: bool) -> list[str]:
    """A step beside all others of the job, on the node of this rank; what is to be run follows. Unbuffered:
    else half a line waits for its other half. Twice quiet: once is not enough for an exit code to pass
    without a word."""
    how = ["--pty"] if terminal else ["--unbuffered"]
    return [
        "srun", f"--jobid={number}", "--overlap", "--nodes=1", "--ntasks=1", f"--relative={rank}",
        "--quiet", "--quiet", "--chdir=/", *how,
    ]  # fmt: skip


def config() -> list[str]:
    return ["scontrol", "show", "config"]


def nodes(mark: str) -> list[str]:
    return ["sinfo", "--noheader", "--Node", "--all", f"--format={mark.join(NODES)}"]


def reservations() -> list[str]:
    return ["scontrol", "--oneliner", "show", "reservation"]
