"""What the campaign does to a region, each as a block: broken inside it, whole again after it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final

from tests.campaign.jobs import until
from tests.campaign.region import Region
from tests.campaign.slurm import Slurm

SILENT_S: Final = 5.0  # as the campaign's programs count it, most of an hour
OFF_MS: Final = 300_000
NODE_PATIENCE_S: Final = 120.0


@dataclass(frozen=True)
class Fault:
    """`submits`: the server can be given jobs meanwhile. `interrupts`: what runs may be ended by it, and is
    then tried again. `loses_logs`: what a command says meanwhile may find no place.
    `forgets`: the engine may know nothing any more of what it was given last.
    `ends_after`: what runs goes on until all is whole again."""

    name: str
    block: Callable[[Region, Slurm], AbstractContextManager[None]]
    submits: bool = True
    interrupts: bool = False
    loses_logs: bool = False
    forgets: bool = False
    ends_after: bool = False


@contextmanager
def link_cut(region: Region, slurm: Slurm) -> Iterator[None]:
    region.network.cut("slurm")
    try:
        yield
        time.sleep(SILENT_S)
    finally:
        region.network.heal("slurm")


@contextmanager
def answers_lost(region: Region, slurm: Slurm) -> Iterator[None]:
    region.network.deafen("slurm")
    try:
        yield
        time.sleep(SILENT_S)
    finally:
        region.network.undo("slurm")


@contextmanager
def reports_lost(region: Region, slurm: Slurm) -> Iterator[None]:
    region.network.silence("slurm")
    try:
        yield
        time.sleep(SILENT_S)
    finally:
        region.network.undo("slurm")


@contextmanager
def server_killed(region: Region, slurm: Slurm) -> Iterator[None]:
    region.kill_server()
    yield
    region.start_server()


@contextmanager
def agent_killed(region: Region, slurm: Slurm) -> Iterator[None]:
    region.kill_agent("slurm")
    yield
    region.start_agent("slurm")


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
    begun = time.time()
    until(lambda: slurm.saved_since(begun), "slurmctld's saving of what runs")
    slurm.command("kill-controller")
    yield
    slurm.command("start-controller")


def _controller_killed(when: str) -> Callable[[Region, Slurm], AbstractContextManager[None]]:
    @contextmanager
    def block(region: Region, slurm: Slurm) -> Iterator[None]:
        begun = time.time()
        until(lambda: slurm.saved_since(begun), "slurmctld's saving of what runs")
        slurm.arm(when)
        yield
        until(lambda: not slurm.armed(), "a submission in the middle of which slurmctld is killed")
        until(slurm.controller_is_dead, "the end of slurmctld")
        slurm.command("start-controller")

    return block


@contextmanager
def unruly_syncs(region: Region, slurm: Slurm) -> Iterator[None]:
    region.proxy.misbehave()
    yield
    until(lambda: region.proxy.late[200] > 0 and region.proxy.late[409] > 0, "a repeated and a late report")
    region.proxy.behave()


def _clock_off(by_ms: int) -> Callable[[Region, Slurm], AbstractContextManager[None]]:
    @contextmanager
    def block(region: Region, slurm: Slurm) -> Iterator[None]:
        region.kill_agent("slurm")
        region.start_agent("slurm", by_ms)
        yield

    return block


@contextmanager
def disk_full(region: Region, slurm: Slurm) -> Iterator[None]:
    slurm.fill()
    yield
    time.sleep(SILENT_S)
    slurm.empty()


FAULTS: Final = (
    Fault("the link is cut for an hour", link_cut),
    Fault("the agent hears no answer", answers_lost),
    Fault("the agent's reports are lost", reports_lost),
    Fault("the server is killed", server_killed, submits=False),
    Fault("the agent is killed", agent_killed),
    Fault("a node is killed", node_killed, interrupts=True),
    Fault("slurmctld dies before a submission", _controller_killed("before"), forgets=True, ends_after=True),
    Fault("slurmctld dies after a submission", _controller_killed("after"), forgets=True, ends_after=True),
    Fault("syncs come twice and in another order", unruly_syncs),
    Fault("the agent's clock is five minutes ahead", _clock_off(OFF_MS)),
    Fault("the agent's clock is five minutes behind", _clock_off(-OFF_MS)),
    Fault("the disk at the centre is full", disk_full, interrupts=True, loses_logs=True),
)
SLOW: Final = (
    Fault("slurmctld misses a dead node", node_missed, interrupts=True),
    Fault("slurmctld is away when jobs end", controller_away, forgets=True),
)
"""Slurm needs minutes for these."""
