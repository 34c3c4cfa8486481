"""A centre's agent: as a process of its own over HTTP, or inside the server for the embedded centre."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from baygrid.api.pipes import Tunnels
from baygrid.app.platform import Platform
from baygrid.centres.agent import Agent
from baygrid.centres.credential import Credential, digest_of
from baygrid.centres.folder.accounts import parse_accounts
from baygrid.centres.journal import FileJournal
from baygrid.centres.keys import Key
from baygrid.centres.loop import Locked, Loop, StateLock
from baygrid.centres.measuring import Measuring, measure
from baygrid.centres.transport import HttpTransport
from baygrid.centres.tunnels import Doorkeeper, Enterable, Entered
from baygrid.ports.basics import Failpoint, no_failpoint
from baygrid.ports.centre import Transport
from baygrid.ports.messages import PartitionReport
from baygrid.ports.tunnels import Tunnel
from baygrid.wiring.drivers import DRIVERS, Driver, Given, parse_options
from baygrid.wiring.embedded import EmbeddedTransport, EmbeddedWay
from baygrid.wiring.ids import wall_clock
from baygrid.wiring.logs import log_to_stderr
from baygrid.wiring.settings import AgentSettings
from baygrid.wiring.staging import stager_of

AGAIN_S = 1.0


class Ended(Exception):
    """The agent cannot go on; the message says why and what to do."""


def run(settings: AgentSettings, ready: Callable[[str], None], failpoint: Failpoint = no_failpoint) -> None:
    """As `baygrid.wiring.agent`. Raises ValueError for settings that name nothing, Ended when another agent
    works on this state folder or for this centre, or the server refuses the token. `failpoint` is called at
    every send and receive and at every write of the journal."""
    log_to_stderr()
    if settings.driver not in DRIVERS:
        raise ValueError(f"there is no driver {settings.driver!r}: use one of {', '.join(DRIVERS)}")
    given = given_of(settings)
    try:
        lock = StateLock(settings.state)
    except Locked as locked:
        raise Ended(f"{locked}: stop it, or give this one its own --state") from None
    credential = Credential(settings.state)
    secret = settings.token or credential.read()
    if not secret:
        raise Ended(
            f"no agent has joined with {settings.state}: ask the region's operator for a join token, of"
            f" `baygrid centres invite {settings.centre}`, and start `baygrid agent join`"
        )
    transport = HttpTransport(settings.server, secret, failpoint=failpoint)
    centre = DRIVERS[settings.driver](given)
    loop = _loop(
        given,
        centre,
        settings.driver,
        transport,
        failpoint,
        renew=lambda: _renew(credential, transport),
        measuring=_measuring(settings, transport, lambda: door is not None and door.serving),
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: loop.stop())
    ready(said(centre.inventory()))
    door = None
    if isinstance(centre, Enterable) and "exec" in centre.capabilities():
        door = Doorkeeper(transport, centre.enter)
    why = loop.run()
    if door is not None:
        door.stop()
    transport.close()
    lock.release()
    if why != "stopped":
        raise Ended(why)


def given_of(settings: AgentSettings) -> Given:
    """What a driver is made of. Raises ValueError."""
    return Given(
        settings.state,
        settings.centre,
        settings.nodes,
        parse_options(settings.options),
        parse_accounts(settings.account_map, settings.run_as),
        settings.as_me,
        settings.staging,
    )


def _renew(credential: Credential, transport: HttpTransport) -> None:
    """May be repeated: the secret is the same until the server has it. Raises as a transport does."""
    transport.renew(digest_of(credential.prepare()))
    transport.use(credential.advance())


def _measuring(
    settings: AgentSettings, transport: HttpTransport, busy: Callable[[], bool]
) -> Measuring | None:
    """`busy`: people use the link, through tunnels."""
    if not settings.measure_every:
        return None
    return Measuring(
        lambda cease: measure(transport, wall_clock, time.monotonic, lambda: cease() or busy()),
        wall_clock(),
        random.random,
        settings.measure_every * 1000,
    )


def said(partitions: tuple[PartitionReport, ...]) -> str:
    """In a line: "main: 2 nodes, 16 cpus, 128 GiB, 8 x H100"."""
    texts = []
    for partition in partitions:
        models: dict[str, int] = {}
        for node in partition.nodes:
            for model, count in node.accelerators.items():
                models[model] = models.get(model, 0) + count
        cpus, memory = sum(n.cpus for n in partition.nodes), sum(n.memory_mib for n in partition.nodes)
        nodes = f"{len(partition.nodes)} node{'s' if len(partition.nodes) > 1 else ''}"
        parts = [nodes, f"{cpus} cpus", f"{memory // 1024} GiB", *(f"{n} x {m}" for m, n in models.items())]
        texts.append(f"{partition.name}: {', '.join(parts)}")
    return "; ".join(texts)


def _loop(
    given: Given,
    centre: Driver,
    driver: str,
    transport: Transport,
    failpoint: Failpoint,
    renew: Callable[[], None] | None = None,
    measuring: Measuring | None = None,
) -> Loop:
    key = Key.load(given.state / "key")
    journal = FileJournal(given.state / "journal", failpoint)
    agent = Agent(
        given.centre,
        centre,
        journal,
        key,
        wall_clock(),
        epoch=centre.epoch,
        driver=driver,
        version=centre.version,
    )
    note = structlog.get_logger("agent").info
    stager = stager_of(given.state, Path(given.staging) if given.staging else None)
    return Loop(
        agent,
        centre,
        transport,
        clock=wall_clock,
        jitter=random.random,
        stager=stager,
        note=note,
        renew=renew,
        measuring=measuring,
    )


class EmbeddedAgent:
    """The same agent in a thread of the server. When it fails it begins anew from its journal, as a process
    of its own does under a supervisor."""

    def __init__(
        self,
        platform: Platform,
        name: str,
        state: Path,
        nodes: Sequence[str],
        staging: str = "",
        failpoint: Failpoint = no_failpoint,
        tunnels: Tunnels | None = None,
        again_s: float = AGAIN_S,
    ) -> None:
        self._again_s = again_s
        self._given = Given(state, name, tuple(nodes), as_me=True, staging=staging)
        self._lock = StateLock(state)
        self._transport = EmbeddedTransport(platform, name, failpoint)
        self._failpoint = failpoint
        self._driver: Driver
        self._centre: Enterable
        self._loop = self._make()
        self._way = EmbeddedWay(tunnels, name) if tunnels is not None else None
        self._door: Doorkeeper | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="agent", daemon=True)

    def start(self) -> None:
        self._thread.start()
        if self._way is not None:
            self._door = Doorkeeper(self._way, self._enter)

    def _enter(self, tunnel: Tunnel) -> Entered:
        return self._centre.enter(tunnel)  # whichever it is by now

    def stop(self) -> None:
        """Its jobs go on running."""
        self._stopping.set()
        if self._door is not None:
            self._door.stop()
        self._loop.stop()
        self._transport.close()
        if self._thread.is_alive():
            self._thread.join()
        self._driver.close()
        self._lock.release()

    def _make(self) -> Loop:
        driver = DRIVERS["local"](self._given)
        assert isinstance(driver, Enterable)
        try:
            loop = _loop(self._given, driver, "local", self._transport, self._failpoint)
        except BaseException:
            driver.close()
            raise
        self._driver, self._centre = driver, driver
        return loop

    def _run(self) -> None:
        log = structlog.get_logger("agent")
        while not self._stopping.is_set():
            try:
                why = self._loop.run()
            except Exception:
                log.exception("the embedded agent failed and begins anew")
                self._begin_anew()
                continue
            if why != "stopped":
                log.error("the embedded agent ended: restart the server", why=why)
            return

    def _begin_anew(self) -> None:
        """As often as it takes: what it failed of, as a full disk, may be there for long."""
        log, failed = structlog.get_logger("agent"), self._driver
        while not self._stopping.wait(self._again_s):
            try:
                self._loop = self._make()
            except Exception:
                log.exception("the embedded agent cannot begin anew yet")
            else:
                failed.close()
                return
