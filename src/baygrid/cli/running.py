"""A job on the command line: sent, watched to its end, fetched, summed up."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baygrid.cli.shapes import UNITS, money, size
from baygrid.client import fetching, preparing, waiting
from baygrid.client.watch import Watch
from baygrid.client.wire import Array, Job, Submitted, tally

if TYPE_CHECKING:
    from baygrid.cli.session import Session
    from baygrid.client.jobfile import JobFile
    from baygrid.client.telling import Moved


class Told:
    """What the client does is told on stderr: sentences, and a line of progress where that is a terminal and
    something is worth one."""

    def __init__(self, session: Session) -> None:
        self._out = session.out

    def note(self, text: str) -> None:
        self._out.note(text)

    @contextmanager
    def moving(self, what: str, total: int) -> Iterator[Moved]:
        err, last = self._out.err, -1
        shown = err.isatty() and total >= 1 << 20

        def moved(now: int) -> None:
            nonlocal last
            share = 100 * now // max(1, total)
            if shown and share != last:
                last = share
                err.write(f"\r{what}: {share}% of {size(total)} ")
                err.flush()

        try:
            yield moved
        finally:
            if shown:
                err.write("\r\x1b[K")
                err.flush()


def submit(session: Session, files: list[JobFile], key: str | None = None) -> list[Submitted]:
    """Sends what the files name, and submits them as one batch."""
    return preparing.submit(session.client, files, Told(session), key)


def watch_to_the_end(session: Session, job: Job) -> Watch:
    """Shows the job until it is final. Ctrl-C leaves it running and raises KeyboardInterrupt."""
    from baygrid.client.follow import follow

    watch = Watch(job)
    out = session.out
    on_terminal = out.err.isatty() and (out.as_json or out.out.isatty())
    if on_terminal:
        from rich.console import Console

        from baygrid.cli.live import LiveDisplay

        with LiveDisplay(watch, Console(file=out.err)) as live:
            follow(session.client, watch, live)
    else:
        from baygrid.cli.plain import PlainDisplay

        follow(session.client, watch, PlainDisplay(out, (sys.stderr if out.as_json else sys.stdout).buffer))
    return watch


def fetch_outputs(session: Session, job: Job, to: Path | None = None) -> list[dict[str, Any]]:
    """Into the folders named in the job file, or each into its own folder below `to`."""
    return fetching.fetch(session.client, job, Told(session), to)


def wait_for_array(session: Session, id: str) -> Array:
    """Tells how it stands, whenever that has changed, until its last element has ended."""
    return waiting.array_to_the_end(
        session.client, id, lambda array: session.out.note(f"{id}: {tally(array)}")
    )


def fetch_array_outputs(session: Session, id: str, to: Path | None = None) -> list[dict[str, Any]]:
    """What its elements made, each into a folder with the name of its index."""
    return fetching.fetch_array(session.client, id, Told(session), to)


def report(watch: Watch, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """The one object of `--wait --json`."""
    job, attempt = watch.job, watch.last_attempt
    return {
        "id": job["id"],
        "state": job["state"],
        "cause": job["cause"],
        "detail": job["detail"],
        "centre": job["centre"],
        "partition": job["partition"],
        "offer": job["offer"],
        "reasons": job["reasons"],
        "throughput": watch.log.throughput,
        "charge": job["charge"],
        "hold": watch.held,
        "exit_code": job["exit_code"],
        "outputs": outputs,
        "submitted_at": job["submitted_at"],
        "started_at": attempt["started_at"] if attempt else None,
        "ended_at": job["ended_at"],
    }


def summary(watch: Watch) -> list[str]:
    """The last lines for a person."""
    job = watch.job
    said = [watch.verdict()]
    throughput = watch.log.throughput
    rate = (throughput or {}).get("images_per_hour", (throughput or {}).get("units_per_hour"))
    if throughput and isinstance(rate, int | float) and rate > 0:
        unit = UNITS.get(str(throughput.get("unit")), "images")
        said.append(f"{rate:,.0f} {unit} an hour" if rate >= 100 else f"{rate:,.1f} {unit} an hour")
    said.append(f"charged {money(job['charge'])}; `baygrid bill {job['id']}` has the lines")
    return said
