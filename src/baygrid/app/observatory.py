"""The observatory's modules, whose libraries a server may lack."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from baygrid.app.problems import Problem


class NoObservatory(Problem):
    status, code, title = 503, "no-observatory", "This server keeps no registry"


def observatory(module: str) -> Any:
    """Raises NoObservatory."""
    try:
        return import_module(f"baygrid.observatory.{module}")
    except ModuleNotFoundError as error:
        raise NoObservatory(
            f"it was installed without {error.name}: install baygrid[observatory] and start it again"
        ) from None
