"""What an operator says once about a cluster, and what follows from it for a project or an attempt."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_OF_A_LABEL = re.compile(r"[^a-z0-9-]+")
NAMESPACE: Final = "baygrid-{project}"
_MOST = 63  # characters of a namespace's name and of a label's value


@dataclass(frozen=True, slots=True)
class Accelerator:
    """A model under the name that offers have for it: the extended resource that its nodes count, and the
    labels by which they are known from nodes with another model that count the same resource."""

    model: str
    resource: str = "nvidia.com/gpu"
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Site:
    """`name`: of the centre. `root`: the folder of all attempts' folders, at the same path on agent and
    nodes, or at the root of the volume claim `claim` (one of that name in each namespace). `image` has
    /bin/sh and awk. `namespace` may hold "{project}". `partitions`: name -> labels of its nodes; the first
    that fits a node has it. `queue`: the LocalQueue in each namespace, where Kueue is installed.
    `patience_s`: how long an image may be missing."""

    name: str
    root: Path
    image: str
    namespace: str = NAMESPACE
    claim: str = ""
    accelerators: tuple[Accelerator, ...] = ()
    partitions: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: {"main": {}})
    queue: str = ""
    patience_s: int = 600

    def namespace_of(self, project: str) -> str:
        """A name that Kubernetes takes; one that had to be changed for it gets a mark, so that two never
        meet."""
        return label_of(self.namespace.format(project=project))

    @property
    def one_namespace(self) -> bool:
        return "{project}" not in self.namespace

    def accelerator(self, model: str) -> Accelerator | None:
        return next((one for one in self.accelerators if one.model == model), None)


def label_of(text: str) -> str:
    """As a namespace's name and as a label's value."""
    plain = _OF_A_LABEL.sub("-", text.lower()).strip("-")
    if plain == text and len(plain) <= _MOST:
        return plain
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{plain[: _MOST - 9].strip('-')}-{mark}".lstrip("-")
