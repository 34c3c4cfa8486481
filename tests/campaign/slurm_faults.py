"""What happens to a Slurm of the campaign."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from tests.campaign.book import until
from tests.campaign.faults import Fault
from tests.campaign.region import Region
from tests.campaign.slurm import Slurm

NODE_PATIENCE_S: Final = 120.0


@contextmanager
def node_killed(region: Region, slurm: Slurm) -> Iterator[None]:
    slurm.command("kill-node", "n1")
    yield
    slurm.set_down("n1")
    slurm.command("start-node", "n1")
    until(lambda: slurm.nodes_up() == 2, "the node", NODE_PATIENCE_S)


@contextmanager
def node_missed(region: Region, slurm: Slurm) -> Iterator[None]:
    """Nobody tells slurmctld: it misses the node itself."""
    slurm.command("kill-node", "n1")
    yield
    until(lambda: slurm.nodes_up() == 1, "slurmctld's word on the node", NODE_PATIENCE_S)
    slurm.command("start-node", "n1")
    until(lambda: slurm.nodes_up() == 2, "the node", NODE_PATIENCE_S)


@contextmanager
def controller_away(region: Region, slurm: Slurm) -> Iterator[None]:
    """What ends meanwhile cannot tell it, and may be missed on its node minutes later."""
    slurm.save()
    slurm.command("kill-controller")
    yield
    slurm.command("start-controller")


def _controller_killed(when: str) -> Callable[[Region, Slurm], AbstractContextManager[None]]:
    @contextmanager
    def block(region: Region, slurm: Slurm) -> Iterator[None]:
        slurm.save()
        slurm.arm(when)
        yield
        until(lambda: not slurm.armed(), "a submission in the middle of which slurmctld is killed")
        until(slurm.controller_is_dead, "the end of slurmctld")
        slurm.command("start-controller")

    return block


OF_SLURM: Final = (
    Fault("a node is killed", node_killed, interrupts=True),
    Fault("slurmctld dies before a submission", _controller_killed("before"), forgets=True, ends_after=True),
    Fault("slurmctld dies after a submission", _controller_killed("after"), forgets=True, ends_after=True),
)
SLOW: Final = (
    Fault("slurmctld misses a dead node", node_missed, interrupts=True),
    Fault("slurmctld is away when jobs end", controller_away, forgets=True),
)
"""Slurm needs minutes for these."""
