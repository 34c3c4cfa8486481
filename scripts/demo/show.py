"""Where the demo speaks: headings, sentences, commands as one would type them, tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 1000
"""Columns where no terminal says how many: nothing is cut there, a row of a table is one line."""


class Screen:
    """Standard output, in colour on a terminal unless NO_COLOR is set."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(
            file=sys.stdout,
            highlight=False,
            soft_wrap=False,
            width=None if sys.stdout.isatty() else PIPE_WIDTH,
        )
        self._scene = 0

    def title(self, text: str) -> None:
        self._line(Text(text, "bold"))

    def scene(self, text: str) -> None:
        """A numbered heading."""
        self._scene += 1
        self._line(Text(""))
        self._line(Text(f"{self._scene}  {text}", "bold cyan"))

    def say(self, text: str) -> None:
        self._line(Text(text))

    def command(self, arguments: Sequence[str], note: str = "") -> None:
        """A command as one would type it."""
        words = " ".join(_quoted(argument) for argument in arguments)
        self._line(Text.assemble(("$ ", "green"), (words, "bold"), (f"   # {note}" if note else "", "dim")))

    def output(self, text: str) -> None:
        """What a program said, unchanged."""
        if text.strip():
            self._line(Text.from_ansi(text.rstrip("\n")), wrap=False)

    def table(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        right: Sequence[int] = (),
        whole: Sequence[int] = (),
    ) -> None:
        """`right`: columns of figures. `whole`: columns that are never broken, such as those of paths."""
        shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for number, column in enumerate(columns):
            shown.add_column(
                column,
                justify="right" if number in right else "left",
                overflow="fold",
                no_wrap=number in whole,
            )
        for row in rows:
            shown.add_row(*map(Text, row))
        with self._console.capture() as drawn:
            self._console.print(shown)
        self._console.file.write("".join(f"{line.rstrip()}\n" for line in drawn.get().splitlines()))
        self.flush()

    def problem(self, text: str) -> None:
        self._line(Text(text, "bold red"))

    def flush(self) -> None:
        """Before a program writes to the same terminal."""
        self._console.file.flush()

    def _line(self, text: Text, *, wrap: bool = True) -> None:
        self._console.print(text, soft_wrap=not wrap)
        self.flush()


def _quoted(argument: str) -> str:
    plain = argument and not set(argument) & set(" \t\"'$&|;()*?#")
    return argument if plain else f'"{argument}"'


def shown_path(path: os.PathLike[str] | str) -> str:
    """A path below this folder as ./so, any other in full."""
    relative = os.path.relpath(path)
    return os.fspath(path) if relative.startswith("..") else f"./{relative}"
