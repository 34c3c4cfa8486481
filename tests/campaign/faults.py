"""What the campaign does to a region, each as a block: broken inside it, whole again after it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from tests.campaign.book import until
from tests.campaign.engine import Engine
from tests.campaign.region import Region

SILENT_S: Final = 5.0  # longer than the campaign's programs wait for a word
OFF_MS: Final = 300_000


@dataclass(frozen=True)
class Fault:
    """`block`: of a region and the engine at whose centre it happens. `submits`: the server can be given jobs
    meanwhile. `interrupts`: what runs may be ended by it, and is then tried again. `loses_logs`: what a
    command says meanwhile may find no place. `forgets`: the engine may know nothing any more of what it was
    given last. `ends_after`: what runs goes on until all is whole again."""

    name: str
    block: Callable[[Region, Any], AbstractContextManager[None]]
    submits: bool = True
    interrupts: bool = False
    loses_logs: bool = False
    forgets: bool = False
    ends_after: bool = False


@contextmanager
def link_cut(region: Region, engine: Engine) -> Iterator[None]:
    region.network.cut(engine.centre.name)
    over = region.hours.pass_one()
    try:
        yield
        over()
    finally:
        region.network.heal(engine.centre.name)


@contextmanager
def answers_lost(region: Region, engine: Engine) -> Iterator[None]:
    region.network.deafen(engine.centre.name)
    try:
        yield
        time.sleep(SILENT_S)
    finally:
        region.network.undo(engine.centre.name)


@contextmanager
def reports_lost(region: Region, engine: Engine) -> Iterator[None]:
    region.network.silence(engine.centre.name)
    try:
        yield
        time.sleep(SILENT_S)
    finally:
        region.network.undo(engine.centre.name)


@contextmanager
def server_killed(region: Region, engine: Engine) -> Iterator[None]:
    region.kill_server()
    yield
    region.start_server()


@contextmanager
def agent_killed(region: Region, engine: Engine) -> Iterator[None]:
    region.kill_agent(engine.centre.name)
    yield
    region.start_agent(engine.centre.name)


@contextmanager
def unruly_syncs(region: Region, engine: Engine) -> Iterator[None]:
    region.proxy.misbehave()
    yield
    until(lambda: region.proxy.late[200] > 0 and region.proxy.late[409] > 0, "a repeated and a late report")
    region.proxy.behave()


def _clock_off(by_ms: int) -> Callable[[Region, Engine], AbstractContextManager[None]]:
    @contextmanager
    def block(region: Region, engine: Engine) -> Iterator[None]:
        region.kill_agent(engine.centre.name)
        region.start_agent(engine.centre.name, by_ms)
        yield

    return block


@contextmanager
def disk_full(region: Region, engine: Engine) -> Iterator[None]:
    engine.disk.fill()
    yield
    time.sleep(SILENT_S)
    engine.disk.empty()


EVERYWHERE: Final = (
    Fault("the link is cut for an hour", link_cut),
    Fault("the agent hears no answer", answers_lost),
    Fault("the agent's reports are lost", reports_lost),
    Fault("the server is killed", server_killed, submits=False),
    Fault("the agent is killed", agent_killed),
    Fault("syncs come twice and in another order", unruly_syncs),
    Fault("the agent's clock is five minutes ahead", _clock_off(OFF_MS)),
    Fault("the agent's clock is five minutes behind", _clock_off(-OFF_MS)),
    Fault("the disk at the centre is full", disk_full, interrupts=True, loses_logs=True),
)
"""At the centre of any engine."""
