"""The command line: a client of the API, and the way to start a server, an agent or a simulation."""

from __future__ import annotations


def main() -> None:
    """The entry point `baygrid`. It imports the rest, so that importing the package costs nothing."""
    import gc

    gc.disable()  # what imports allocate stays anyway; `session.settle` lets it begin
    from baygrid.cli.entry import run

    run()
