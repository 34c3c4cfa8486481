"""What happens to a Ray of the campaign."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.campaign.faults import Fault
from tests.campaign.ray import Ray
from tests.campaign.region import Region


@contextmanager
def worker_killed(region: Region, ray: Ray) -> Iterator[None]:
    ray.command("kill-worker")
    yield
    ray.command("start-worker")


@contextmanager
def restarted(region: Region, ray: Ray) -> Iterator[None]:
    """Head and worker at once, and with them all that Ray knew."""
    ray.command("kill-head")
    ray.command("kill-worker")
    yield
    ray.command("start-head")
    ray.command("start-worker")


OF_RAY: Final = (
    Fault("a worker of Ray is killed", worker_killed, interrupts=True),
    Fault("Ray restarts and has forgotten all", restarted, interrupts=True),
)
