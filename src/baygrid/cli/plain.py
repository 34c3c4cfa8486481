"""A watched job where no one redraws a screen: stages to stderr, the job's own log to stdout, unchanged."""

from __future__ import annotations

from typing import BinaryIO

from baygrid.cli.explained import BRIEF, rows
from baygrid.cli.output import Output
from baygrid.cli.shapes import local, staged
from baygrid.cli.table import table
from baygrid.client.watch import Watch


class PlainDisplay:
    """`log_to`: where the bytes of the log go; with --json stderr, since stdout is for the one object."""

    ticks = False

    def __init__(self, out: Output, log_to: BinaryIO) -> None:
        self._out = out
        self._log_to = log_to
        self._told = ""

    def stage(self, watch: Watch, stage: str, at: str) -> None:
        job = watch.job
        where = f" at {job['centre']}/{job['partition']}, offer {job['offer']}" if stage == "placed" else ""
        self._out.note(f"{local(at)}  {stage}{where}")
        if stage == "placed":
            self._explain(watch)

    def log(self, watch: Watch, data: bytes, lines: list[str]) -> None:
        self._log_to.write(data or "".join(f"{line}\n" for line in lines).encode())
        self._log_to.flush()

    def waiting(self, watch: Watch) -> None:
        self._explain(watch)

    def staging(self, watch: Watch) -> None:
        coming = staged(watch.last_attempt)
        if coming and coming != self._told:
            self._told = coming
            self._out.note(f"staging: {coming}")

    def lost(self, watch: Watch) -> None:
        said = (
            "the server does not answer; trying again (the job goes on)" if watch.lost else "it answers again"
        )
        self._out.note(said)

    def refresh(self, watch: Watch) -> None:
        """Nothing is redrawn."""

    def _explain(self, watch: Watch) -> None:
        why = watch.why
        if why is not None:
            self._out.note(why["text"])
            for line in table(BRIEF, rows(why, BRIEF), right=("cost",)):
                self._out.note(f"  {line}")
