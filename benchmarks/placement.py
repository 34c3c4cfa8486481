"""The placement engine on published traces and on a queue of a million jobs: each part in a process of its
own, so that what one compiled or kept in memory is not measured in another."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from benchmarks import federation, jct, leader, openb, openb_bound, queue, swf

PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "openb": openb.measure,
    "openb_bound": openb_bound.measure,
    "jct": jct.measure,
    "swf": swf.measure,
    "federation": federation.measure,
    "queue": queue.measure_all,
    "leader": leader.measure,
}


def measure(part: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--part", part], capture_output=True, text=True, check=True
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
