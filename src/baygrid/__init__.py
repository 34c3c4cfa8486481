"""Baygrid: a region's AI compute and data as one place."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["BaygridError", "Client", "JobFailed", "NotYet"]

if TYPE_CHECKING:
    from baygrid.client.client import Client
    from baygrid.client.errors import BaygridError, JobFailed, NotYet


def __getattr__(name: str) -> Any:
    """The client is imported when somebody asks for it: importing the package costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(
        import_module("baygrid.client.client" if name == "Client" else "baygrid.client.errors"), name
    )
