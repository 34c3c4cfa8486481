"""A server or an agent of the campaign: the product's own, told to be less patient and what time it is.

    python -m tests.campaign.program server|agent SETTINGS CLOCK_MS

says "ready" on stdout when it works. What it otherwise waits for silently for half a minute or a minute it
waits for a few seconds, so that some seconds without a link are to it what minutes are outside; and its clock
is CLOCK_MS ahead. That no more is simulated is for Slurm, whose clock is the machine's: a server does not
believe a centre whose times are hours away from its own.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

PR_SET_PDEATHSIG = 1


def main(kind: str, settings: dict, clock_ms: int) -> None:
    started = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != started:
        return
    machine = time.time_ns
    time.time_ns = lambda: machine() + clock_ms * 1_000_000
    _hurry()
    if kind == "server":
        from baygrid.wiring.server import run as serve
        from baygrid.wiring.settings import ServerSettings

        serve(ServerSettings(**settings | {"data": Path(settings["data"])}), lambda *_: _ready())
    else:
        from baygrid.wiring.agents import run as work
        from baygrid.wiring.settings import AgentSettings

        told = settings | {"state": Path(settings["state"]), "options": tuple(settings["options"])}
        work(AgentSettings(**told), lambda _: _ready())


def _hurry() -> None:
    """Half a minute becomes four seconds, and a minute two. The nodes of Ray go with its head here."""
    from baygrid.app import demand, sync
    from baygrid.centres import loop, reports, transport
    from baygrid.centres.ray import engine
    from baygrid.wiring import agents

    for module, name, value in (
        (demand, "SILENT_MS", 4_000),
        (sync, "SILENT_MS", 4_000),
        (reports, "HEARTBEAT_MS", 1_000),
        (transport, "ANSWER_S", 4.0),
        (transport, "CONNECT_S", 2.0),
        (loop, "Pause", partial(loop.Pause, longest_ms=2_000)),
        (engine, "APART_MS", 2_000),
        (agents, "Loop", partial(loop.Loop, wait_s=4.0)),
    ):
        assert hasattr(module, name)
        setattr(module, name, value)


def _ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]))
