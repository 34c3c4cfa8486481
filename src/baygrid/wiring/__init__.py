"""The only place that names concrete classes: settings in, a running server or agent out.

What they need is imported when they start, since the CLI imports this for every command.
"""

from __future__ import annotations

from collections.abc import Callable

from baygrid.wiring.settings import AgentSettings, ServerSettings

__all__ = ["AgentSettings", "ServerSettings", "agent", "serve"]


def serve(settings: ServerSettings, ready: Callable[[str, str | None], None]) -> None:
    """Runs a server until SIGINT or SIGTERM. `ready` gets its address once it takes requests, and the
    operator's secret where this data folder holds one."""
    from baygrid.wiring.server import run

    run(settings, ready)


def agent(settings: AgentSettings, ready: Callable[[str], None]) -> None:
    """Runs a centre's agent until SIGINT or SIGTERM; its jobs go on. `ready` gets what it declares, in a
    line."""
    from baygrid.wiring.agents import run

    run(settings, ready)
