"""`baygrid app NAME`: what the three commands have in common."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, Protocol, TextIO

from baygrid.workloads.absent import without_pandas
from baygrid.workloads.application import Application, ApplicationError, Outcome, Totals
from baygrid.workloads.engines.working import Engine, WorkerWrong
from baygrid.workloads.progress import Showing, figure, showing, words
from baygrid.workloads.result import result
from baygrid.workloads.running import run


class Command(Protocol):
    """A module `workloads/NAME/cli.py`. One that has `instead(options, out) -> int | None` may answer
    something else than a run is asked for, and says with which code."""

    name: str
    description: str

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Its own, beside those of `_parser`."""
        ...

    def asked(self, options: argparse.Namespace) -> Application:
        """Raises ApplicationError where the options cannot be."""
        ...


def program(command: Command, argv: Sequence[str]) -> NoReturn:
    """As `main`, in a process of its own, which ends. What libraries print goes to stderr, for stdout may be
    read by programs; and Python's own end is left out, for threads of an engine that was broken off may still
    wait for an answer and would crash it."""
    without_pandas()
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        code = main(command, argv, out)
    sys.stderr.flush()
    os._exit(code)


def main(command: Command, argv: Sequence[str], out: TextIO) -> int:
    """0: something was done, or nothing failed; 1: all inputs failed; 2: the run could not start or go on;
    70: a defect; 130, 143: interrupted, and what was done is kept."""
    parser = _parser(command)
    options = parser.parse_args(argv)
    try:
        answered: int | None = getattr(command, "instead", _nothing)(options, out)
        if answered is not None:
            return answered
        if options.output is None:
            parser.error("--output is missing: a folder for the results")
        return _run(command, options, out)
    except ApplicationError as error:
        return _stopped(2, command, str(error))
    except WorkerWrong as defect:
        return _stopped(70, command, f"a defect; what is done is kept\n{defect}")
    except (KeyboardInterrupt, _Terminated) as stop:
        code = 143 if isinstance(stop, _Terminated) else 130
        return _stopped(code, command, "interrupted; what is done is kept: the same command goes on with it")
    except Exception as defect:  # noqa: BLE001 - said as it is
        if isinstance(defect, ModuleNotFoundError) and not f"{defect.name}.".startswith("baygrid."):
            return _stopped(2, command, missing_package(defect, command.name))
        return _stopped(70, command, f"a defect; what is done is kept\n{traceback.format_exc()}")


def _run(command: Command, options: argparse.Namespace, out: TextIO) -> int:
    show: Showing | None = None
    terminate = signal.getsignal(signal.SIGTERM)
    engine: Engine | None = None
    try:
        _apart(options.input, options.output)
        application = command.asked(options)
        engine = engine_of(options.engine, options.workers, command.name)
        show = showing(sys.stderr if options.json else out, application.unit, time.perf_counter)
        signal.signal(signal.SIGTERM, _terminated)  # after the engine: Ray has a mind of its own about it
        totals, outcome = run(application, options.output, engine, show)
    finally:
        if show is not None:
            show.close()
        if engine is not None:
            engine.close()
        signal.signal(signal.SIGTERM, terminate)
    _say(application, totals, outcome, options.json, out)
    return 0 if totals.units or not totals.failed else 1


def _apart(asked: str | None, output: Path) -> None:
    """Else a second start would take results for input."""
    if asked is None or "://" in asked:
        return
    place = Path(asked).resolve()
    if place.is_dir() and output.resolve().is_relative_to(place):
        raise ApplicationError(f"--output {output} lies in --input {asked}: name a folder beside it")


def sentence(application: Application, totals: Totals) -> str:
    """The run for people, in one line."""
    unit = words(application.unit)
    amount = figure(totals.units)
    inputs = "1 input" if len(totals.failed) == 1 else f"{len(totals.failed):,} inputs"
    failed = f"; {inputs} failed" if totals.failed else ""
    workers = "1 worker" if totals.workers == 1 else f"{totals.workers} workers"
    if (rate := totals.units_per_hour) is None:
        return f"{amount} {unit}{': all of it was done before' if totals.units else ''}{failed}"
    resumed = f", {totals.resumed} of {totals.shards} shards were done before" if totals.resumed else ""
    how = f"{totals.wall:,.1f} s, {workers}, {totals.engine}{resumed}"
    return f"{amount} {unit}; {figure(rate)} an hour ({how}){failed}"


def _say(application: Application, totals: Totals, outcome: Outcome, as_json: bool, out: TextIO) -> None:
    whole = result(application, totals, outcome)
    if as_json:
        out.write(json.dumps(whole, ensure_ascii=False) + "\n")
        return
    told = {f"{application.unit}_per_hour": totals.units_per_hour, "workload": application.name, **whole}
    if not out.isatty():
        out.write(f"BAYGRID_RESULT {json.dumps(told, ensure_ascii=False)}\n")
    for failed in totals.failed[:10]:
        out.write(f"failed: {failed.input}: {failed.reason}\n")
    out.write(f"{sentence(application, totals)}\n")


def _parser(command: Command) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"baygrid app {command.name}", description=command.description)
    parser.add_argument("--input", metavar="PATH", help="a file, a folder or a URL")
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for the results")
    parser.add_argument("--engine", choices=("local", "ray"), default="local", help="one machine, or Ray")
    parser.add_argument(
        "--workers", type=_positive, metavar="N", help="processes (default: one for each CPU)"
    )
    parser.add_argument("--json", action="store_true", help="the result as one JSON document")
    command.add_options(parser)
    return parser


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def engine_of(name: str, workers: int | None, application: str) -> Engine:
    """Raises ApplicationError where its package is missing or a cluster does not answer."""
    try:
        if name == "ray":
            from baygrid.workloads.engines.cluster import RayEngine

            return RayEngine(workers)
        from baygrid.workloads.engines.local import LocalEngine

        return LocalEngine(workers or len(os.sched_getaffinity(0)))
    except ModuleNotFoundError as missing:
        extra = "cluster" if name == "ray" else application
        raise ApplicationError(missing_package(missing, extra)) from missing


def missing_package(missing: ModuleNotFoundError, extra: str) -> str:
    """What to say of it: `extra` brings it."""
    return f"the package {missing.name} is missing: pip install 'baygrid[{extra}]'"


def _nothing(_: argparse.Namespace, __: TextIO) -> None:
    """A run is asked for."""


class _Terminated(BaseException):
    """SIGTERM: a scheduler wants the place."""


def _terminated(*_: object) -> NoReturn:
    raise _Terminated


def _stopped(code: int, command: Command, why: str) -> int:
    sys.stderr.write(f"{command.name}: {why}\n")
    return code
