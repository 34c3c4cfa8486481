"""A bar for long computations, on terminals only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from baygrid.cli.output import Output


@contextmanager
def bar(out: Output, what: str) -> Iterator[Callable[[int, int], None]]:
    """A function to call with how much is done and how much there is. The bar is drawn on stderr and wiped at
    the end; where that is no terminal nothing is."""
    if not out.err.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=out.err), transient=True) as drawn:
        task = drawn.add_task(what, total=None)
        yield lambda done, total: drawn.update(task, completed=done, total=total)
