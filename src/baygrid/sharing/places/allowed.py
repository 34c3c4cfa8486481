"""What the operator of a server lets tables be read from. The hosts of buckets and databases are named by
projects: they go through the same guard as inputs of jobs do (`staging.guard`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from baygrid.ports.basics import ObjectStore
from baygrid.staging.rules import STANDARD, Rules
from baygrid.staging.web import Resolve, look_up


@dataclass(frozen=True, slots=True)
class Allowed:
    """`roots`: folders of this machine; all below them may be read. `rules`: which hosts may be asked, over
    which networks. `objects`: the region's own objects, opened in the process that reads. All of it goes
    there as a pickle."""

    roots: tuple[Path, ...] = ()
    rules: Rules = STANDARD
    objects: Callable[[], ObjectStore] | None = None
    resolve: Resolve = look_up
    clock: Callable[[], float] = time.monotonic  # noqa: TID251 - how long a server takes
