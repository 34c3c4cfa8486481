"""The job file: what a user asks for, read from a document (parsed YAML or JSON) and checked.

`parse` tells every mistake at once. It knows only the document: whether the project, the centres and
the accelerators named in it exist is decided where they are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from baygrid.core import reading
from baygrid.core.jobs import addresses, fields
from baygrid.core.jobs import array as array_field
from baygrid.core.jobs import checkpoint as checkpoint_field
from baygrid.core.jobs import data as data_field
from baygrid.core.jobs import infra as infra_field
from baygrid.core.jobs import resources as resources_field
from baygrid.core.jobs import retry as retry_field
from baygrid.core.jobs import work as work_field
from baygrid.core.jobs.addresses import DatasetRef
from baygrid.core.jobs.array import Array
from baygrid.core.jobs.checkpoint import Checkpoint
from baygrid.core.jobs.infra import Infra
from baygrid.core.jobs.locations import (
    MAX_LOCATIONS,
    digest_of,
    input_location,
    is_uploaded,
    path_or_blob,
    result_location,
)
from baygrid.core.jobs.problems import Problems, Section
from baygrid.core.jobs.resources import Resources
from baygrid.core.jobs.retry import Retry
from baygrid.core.jobs.work import Work
from baygrid.core.reading import DocumentError, Problem, Wrong, shown
from baygrid.core.reasons import JSON
from baygrid.core.units import Money, format_duration

__all__ = ["DocumentError", "JobSpec", "Problem", "parse", "require_uploaded", "to_document"]

MAX_NODES: Final = 1024
MAX_SECRETS: Final = 32
PRIORITIES: Final = ("low", "normal", "high", "urgent")
"""From the least urgent to the most."""
PREFERENCES: Final = ("cost", "time", "energy")

_FIELDS: Final = (
    "name", "project", "nodes", "num_nodes", "resources", "time", "workdir", "inputs", "outputs", "setup",
    "run", "envs", "infra", "budget", "data", "lost_after", "priority", "queue", "prefer", "deadline",
    "retry", "checkpoint", "array", "after", "image", "secrets", "work",
)  # fmt: skip
_OTHERS: Final = {
    **dict.fromkeys(("accelerators", "gpu", "gpus"), "resources.accelerators"),
    **dict.fromkeys(("cpus", "cpu"), "resources.cpus"),
    **dict.fromkeys(("memory", "mem"), "resources.memory"),
    "max_cost": "budget.max_cost", "voucher": "budget.voucher", "residency": "data.residency",
    **dict.fromkeys(("spot", "use_spot"), "budget.spot"),
    "commands": "run", "max_duration": "time", "env": "envs", "image_id": "image", "file_mounts": "inputs",
}  # fmt: skip
VOUCHER: Final = "auto"
"""Whatever voucher there is pays its share; "none": none does; else the one of that id."""
NO_VOUCHER: Final = "none"
_TIME_CURE: Final = "say how long the job may run, for example time: 1h"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """A job file whose every field is valid. The mappings in it must not be changed."""

    name: str
    project: str
    run: str
    time: int
    """Seconds that each attempt may run."""
    nodes: int = 1
    """All at once; of an elastic job the most that it can use."""
    min_nodes: int | None = None
    """An elastic job takes from so many to `nodes`; None: it needs all of them."""
    resources: Resources = resources_field.DEFAULT
    """Per node."""
    workdir: str | None = None
    """A path of the user's, or "blob:<sha256>" once uploaded; None is an empty folder."""
    inputs: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Name to path, "blob:<sha256>", dataset or URI (see `addresses`)."""
    outputs: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Name to the folder, below the user's own, where the client puts the result; or "dataset:NAME"."""
    setup: str | None = None
    envs: Mapping[str, str] = field(default_factory=dict, hash=False)
    secrets: tuple[str, ...] = ()
    """Names of secrets of its project; each is an environment variable of its commands, too."""
    infra: Infra = infra_field.ANY
    max_cost: Money | None = None
    voucher: str = VOUCHER
    spot: bool = False
    """It yields to all other jobs, and runs only where it has a spot price."""
    residency: tuple[str, ...] = ()
    """Jurisdictions the job may run in, sorted; none named: no restriction of its own."""
    use: Mapping[str, str | bool] = field(default_factory=dict, hash=False)
    """What it does with its datasets, as the rulebooks of borders ask: facts that only its user knows."""
    lost_after: int | None = None
    """Seconds of a centre's silence after which an attempt is LOST; None is never."""
    array: Array | None = None
    after: tuple[str, ...] = ()
    """Jobs and arrays that must have succeeded before it is queued."""
    retry: Retry = retry_field.NEVER
    checkpoint: Checkpoint = checkpoint_field.PLAIN
    priority: str = "normal"
    """One of PRIORITIES."""
    queue: str = "default"
    prefer: str = "cost"
    """One of PREFERENCES: what makes one place better than another."""
    deadline: int | None = None
    """When it should have ended: milliseconds since 1970, UTC."""
    image: str | None = None
    """What its commands run inside, such as "docker:python:3.11"; None: what the centre's nodes have."""
    work: Work | None = None
    """How much it has to do, which says how long that is expected to take; None: nobody says."""

    @property
    def files(self) -> dict[str, str]:
        """Every file that the user brings, by its field: "workdir", "inputs.NAME"."""
        own = {"workdir": self.workdir} if self.workdir else {}
        return own | {
            f"inputs.{name}": location
            for name, location in self.inputs.items()
            if not addresses.is_address(location)
        }

    @property
    def datasets(self) -> dict[str, DatasetRef]:
        """Its inputs that are datasets, by their names."""
        return {
            name: addresses.dataset(location)
            for name, location in self.inputs.items()
            if location.startswith(addresses.DATASET)
        }

    def published(self, index: int | None = None) -> dict[str, str]:
        """Names of the datasets that its outputs become, by the outputs' names. `index`: of an element, whose
        datasets are its own."""
        suffix = "" if index is None else f"-{index}"
        return {
            name: addresses.dataset(location).name + suffix
            for name, location in self.outputs.items()
            if location.startswith(addresses.DATASET)
        }

    @property
    def blobs(self) -> dict[str, str]:
        """The SHA-256 of each file that is uploaded, by its field."""
        return {path: digest_of(location) for path, location in self.files.items() if is_uploaded(location)}


def parse(document: object) -> JobSpec:
    """The job that a document describes. Raises `DocumentError` with every problem, and nothing else."""
    if not isinstance(document, Mapping):
        raise DocumentError(
            (Problem("", "a job file must be a mapping with the fields name, project, time and run"),)
        )
    found = Problems()
    job = Section(document, "", _FIELDS, found, _OTHERS)
    nodes = "nodes" if job.values.get("num_nodes") is None else "num_nodes"
    if nodes == "num_nodes" and job.values.get("nodes") is not None:
        found.add("num_nodes", "is another word for nodes: keep one of them")
    spec = JobSpec(
        name=job.needed("name", reading.name, "", "give the job a name, for example name: train"),
        project=job.needed("project", reading.name, "", "say which project pays, for example project: demo"),
        run=job.needed("run", fields.script, "", "write the commands, for example run: python train.py"),
        time=job.needed("time", fields.duration, 0, _TIME_CURE),
        nodes=(count := job.leaf(nodes, _nodes, _ONE_NODE))[1],
        min_nodes=count[0],
        resources=job.part("resources", resources_field.resources, resources_field.DEFAULT),
        workdir=job.leaf("workdir", path_or_blob, None),
        inputs=job.part("inputs", _INPUTS, {}),
        outputs=job.part("outputs", _OUTPUTS, {}),
        setup=job.leaf("setup", _setup, None),
        envs=job.part("envs", _ENVS, {}),
        secrets=job.part("secrets", _SECRETS, ()),
        infra=job.part("infra", infra_field.infra, infra_field.ANY),
        max_cost=(budget := job.part("budget", _budget, _NO_BUDGET))[0],
        voucher=budget[1],
        spot=budget[2],
        residency=(data := job.part("data", data_field.data, data_field.NOTHING)).residency,
        use=data.use,
        lost_after=job.leaf("lost_after", fields.never_or_duration, None),
        array=job.part("array", array_field.array, None),
        after=job.part("after", _AFTER, ()),
        retry=job.part("retry", retry_field.retry, retry_field.NEVER),
        checkpoint=job.part("checkpoint", checkpoint_field.checkpoint, checkpoint_field.PLAIN),
        priority=job.leaf("priority", _PRIORITY, "normal"),
        queue=job.leaf("queue", reading.name, "default"),
        prefer=job.leaf("prefer", _PREFER, "cost"),
        deadline=job.leaf("deadline", reading.instant, None),
        image=job.leaf("image", _IMAGE, None),
        work=job.part("work", work_field.work, None),
    )
    for name in sorted({*spec.secrets} & spec.envs.keys()):
        found.add("secrets", f"{name} is in envs, too: take it out there")
    made = list(spec.published(None if spec.array is None else spec.array.last).values())
    if _overlap(to for to in spec.outputs.values() if not to.startswith(addresses.DATASET)):
        found.add("outputs", "two of them go to one folder, or one inside another: give each its own")
    elif len(set(made)) < len(made):
        found.add("outputs", "two of them become one dataset: give each its own")
    elif not all(map(reading.is_name, made)):
        found.add("outputs", "the index of an element is put behind a dataset's name: write a shorter one")
    if spec.spot and spec.priority != "normal":
        found.add("priority", "has no meaning for a spot job, which yields to all others: leave it out")
    found.raise_any()
    return spec


def to_document(spec: JobSpec) -> dict[str, JSON]:
    """A document that JSON can carry and that parses to `spec`; defaults that matter are written out."""
    optional: dict[str, JSON] = {
        "workdir": spec.workdir,
        "inputs": dict(spec.inputs),
        "outputs": dict(spec.outputs),
        "setup": spec.setup,
        "envs": dict(spec.envs),
        "secrets": list(spec.secrets),
        "budget": _budget_document(spec),
        "data": data_field.document(spec.residency, spec.use),
        "array": array_field.document(spec.array),
        "after": list(spec.after),
        "retry": retry_field.document(spec.retry),
        "checkpoint": checkpoint_field.document(spec.checkpoint),
        "priority": spec.priority if spec.priority != "normal" else None,
        "queue": spec.queue if spec.queue != "default" else None,
        "prefer": spec.prefer if spec.prefer != "cost" else None,
        "deadline": reading.format_instant(spec.deadline) if spec.deadline is not None else None,
        "image": spec.image,
        "work": work_field.document(spec.work),
    }
    return {
        "name": spec.name,
        "project": spec.project,
        "nodes": spec.nodes if spec.min_nodes is None else f"{spec.min_nodes}..{spec.nodes}",
        "resources": resources_field.document(spec.resources),
        "time": format_duration(spec.time),
        "run": spec.run,
        "infra": infra_field.document(spec.infra),
        "lost_after": "never" if spec.lost_after is None else format_duration(spec.lost_after),
        **{key: value for key, value in optional.items() if value},
    }


def require_uploaded(spec: JobSpec) -> tuple[Problem, ...]:
    """A problem for each file of the job that is still a path on the user's machine."""
    cure = "is a path on your machine: upload it, and write the blob:<sha256> of its content instead"
    return tuple(Problem(path, cure) for path, location in spec.files.items() if not is_uploaded(location))


_INPUTS: Final = fields.entries(reading.name, input_location, MAX_LOCATIONS)
_OUTPUTS: Final = fields.entries(reading.name, result_location, MAX_LOCATIONS)
_ENVS: Final = fields.entries(fields.env_name, fields.env_value, fields.MAX_ENVS)
_SECRETS: Final = fields.items(fields.env_name, MAX_SECRETS)
_NODE_COUNT: Final = reading.whole(1, MAX_NODES)
_ONE_NODE: Final[tuple[int | None, int]] = (None, 1)
_NODE_RANGE: Final = fields.matching(r"[0-9]{1,9}\.\.[0-9]{1,9}", "2..8, or be a whole number")
_AFTER: Final = fields.items(reading.name)
_PRIORITY: Final = fields.word(*PRIORITIES)
_IMAGE: Final = fields.matching(r"[a-z]+:[!-~]{1,500}", "docker:python:3.11")
_PREFER: Final = fields.word(*PREFERENCES)


def _nodes(value: object) -> tuple[int | None, int]:
    """The least where it is less than the most, and the most."""
    if not isinstance(value, str):
        return None, _NODE_COUNT(value)
    least, most = map(int, _NODE_RANGE(value).split(".."))
    if not 1 <= least <= most <= MAX_NODES:
        raise Wrong(f"must run upwards from at least 1 to at most {MAX_NODES}, not {shown(value)}")
    return least if least < most else None, most


def _overlap(folders: Iterable[str]) -> bool:
    """Whether a folder is another, or inside another."""
    parts = sorted(tuple(part for part in folder.split("/") if part not in ("", ".")) for folder in folders)
    return any(second[: len(first)] == first for first, second in pairwise(parts))


def _setup(value: object) -> str | None:
    return fields.text(value, fields.MAX_SCRIPT) or None


_NO_BUDGET: Final[tuple[Money | None, str, bool]] = (None, VOUCHER, False)


def _budget(value: object, path: str, found: Problems) -> tuple[Money | None, str, bool]:
    section = Section(value, path, ("max_cost", "voucher", "spot"), found)
    limit = section.leaf("max_cost", fields.cost, None)
    return limit, section.leaf("voucher", reading.name, VOUCHER), section.leaf("spot", fields.truth, False)


def _budget_document(spec: JobSpec) -> dict[str, JSON]:
    limit: dict[str, JSON] = {"max_cost": str(spec.max_cost)} if spec.max_cost else {}
    voucher: dict[str, JSON] = {"voucher": spec.voucher} if spec.voucher != VOUCHER else {}
    return limit | voucher | ({"spot": True} if spec.spot else {})
