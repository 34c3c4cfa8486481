"""A server or an agent of the campaign: the product's own, told to be less patient and what time it is.

    python -m tests.campaign.program server|agent SETTINGS HOURS CLOCK_MS

says "ready" on stdout when it works. What it otherwise waits for silently for half a minute or a minute it
waits for a few seconds; its time is the campaign's (`hours`, by the file HOURS), its clock CLOCK_MS ahead.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.campaign.hours import Hours

PR_SET_PDEATHSIG = 1


def main(kind: str, settings: dict, hours: Hours, clock_ms: int) -> None:
    started = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != started:
        return
    time.time_ns = lambda: hours.now() + clock_ms * 1_000_000
    _hurry()
    _translate(hours)
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


def _translate(hours: Hours) -> None:
    """Where an agent reads the machine's time, or tells a time to what lives by it."""
    from baygrid.centres.engine import Sight
    from baygrid.centres.folder import files
    from baygrid.centres.ray import answers
    from baygrid.centres.slurm import commands, nodes, parse

    changed, instant, sight = files._changed, nodes.instant, answers.sight
    accounted, used = commands.accounted, commands.used

    def translated(text: str) -> int | None:
        at = instant(text)
        return None if at is None else hours.simulated(at)

    def seen(job: Mapping[str, Any], names: Mapping[str, str]) -> Sight:
        found = sight(job, names)
        return found if found.ended_at is None else replace(found, ended_at=hours.simulated(found.ended_at))

    files._changed = lambda found: hours.simulated(changed(found))
    parse.__dict__["instant"] = translated
    answers.sight = seen
    commands.accounted = lambda names, since, mark: accounted(names, hours.machine(since), mark)
    commands.used = lambda since, until, mark: used(hours.machine(since), hours.machine(until), mark)


def _ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]), Hours(Path(sys.argv[3])), int(sys.argv[4]))
