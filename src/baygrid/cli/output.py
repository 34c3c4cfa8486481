"""Where words go: what was asked for to stdout, everything about it to stderr."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from baygrid.cli.errors import CliError
from baygrid.cli.table import table, wrap


class Output:
    """Text for people, or with `as_json` one JSON value for programs and nothing else on stdout."""

    def __init__(
        self,
        *,
        as_json: bool = False,
        out: TextIO | None = None,
        err: TextIO | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.as_json = as_json
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        self._environ = os.environ if environ is None else environ

    @property
    def width(self) -> int | None:
        """Of the terminal; None where stdout is no terminal and nothing may be cut."""
        return shutil.get_terminal_size().columns if self.out.isatty() else None

    @property
    def colour(self) -> bool:
        """Whether stdout may be coloured (https://no-color.org)."""
        return self.out.isatty() and not self._environ.get("NO_COLOR") and self._environ.get("TERM") != "dumb"

    def json(self, value: object) -> None:
        print(json.dumps(value, ensure_ascii=False, indent=2), file=self.out, flush=True)

    def line(self, text: str = "") -> None:
        """A sentence for stdout, wrapped at words on a terminal."""
        for part in wrap(text, self.width) if self.width else [text]:
            print(part, file=self.out, flush=True)

    def answer(self, made: object, said: str) -> None:
        """What was done: with --json as the server told it, else a sentence."""
        if self.as_json:
            self.json(made)
        else:
            self.line(said)

    def note(self, text: str) -> None:
        """About what happens; never part of the result."""
        print(text, file=self.err, flush=True)

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()
    ) -> None:
        for text in table(columns, rows, width=self.width, right=right, bold=self.colour):
            print(text, file=self.out)

    def show(
        self,
        items: Sequence[Mapping[str, Any]],
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        *,
        none: str,
        right: Sequence[str] = (),
    ) -> None:
        """A list: with --json the items as they came, else a table, or the sentence for an empty one."""
        if self.as_json:
            self.json(list(items))
        elif rows:
            self.table(columns, rows, right)
        else:
            self.note(none)

    def error(self, error: CliError) -> None:
        if self.as_json:
            print(json.dumps(error.to_json(), ensure_ascii=False), file=self.err, flush=True)
        else:
            print("\n".join(error.lines()), file=self.err, flush=True)
