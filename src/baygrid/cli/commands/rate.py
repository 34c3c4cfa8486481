"""`baygrid rate`: what this machine does in an hour, measured, and signed by the agent beside it."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from baygrid.cli.beside import handed_in
from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command, settle

if TYPE_CHECKING:
    from baygrid.core.rating.value import Rating

GATE_FAILED: Final = 3
"""The exit code where there is no rate because the output is not good enough."""
DEFECT: Final = 70
"""And where a worker let an exception out, as `baygrid app` ends then."""


def register(app: typer.Typer) -> None:
    command(app, "rate")(rate)


def rate(
    session: Session,
    profile: Annotated[
        str, typer.Option("--profile", metavar="NAME", help="images, images-bf16, speech or driving.")
    ] = "images",
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, max=3600, help="How long the run is that counts, about.")
    ] = 20.0,
    workers: Annotated[
        str | None,
        typer.Option(
            "--workers", metavar="N,...", help="Processes; several to measure a curve. [default: CPUs]"
        ),
    ] = None,
    engine: Annotated[Literal["local", "ray"], typer.Option("--engine", help="What runs it.")] = "local",
    nodes: Annotated[int, typer.Option("--nodes", min=1, help="1: a rating is of one node.")] = 1,
    accelerator: Annotated[
        str | None,
        typer.Option("--accelerator", metavar="MODEL:N", help="What does the work, such as H100:1."),
    ] = None,
    pflops: Annotated[
        float | None,
        typer.Option("--pflops", min=1e-6, help="FP16 PFLOP/s of it, as its maker says."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Add what is measured to this file (JSON).")
    ] = None,
    saved: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Measure nothing: take what was saved.")
    ] = None,
    scale: Annotated[
        int | None,
        typer.Option("--scale", metavar="N", help="Project to N workers, from the curve measured."),
    ] = None,
    submit: Annotated[
        bool, typer.Option("--submit", help="Sign the newest as the agent beside, and hand it in.")
    ] = False,
    centre: Annotated[str | None, typer.Option("--centre", "-c", metavar="NAME", help="Whose agent.")] = None,
    partition: Annotated[
        str | None, typer.Option("--partition", metavar="NAME", help="What was measured is a part of it.")
    ] = None,
    state: Annotated[Path | None, typer.Option("--state", help="The agent's folder.")] = None,
) -> None:
    """Measure what this machine does in an hour with a profile: a fixed model, input and quality gate. Exit 3
    where the gate failed: then there is no rate."""
    if saved is None:
        counts = _counts(workers)
        measured = _measured(session, profile, engine, counts, seconds, nodes, accelerator, pflops)
        if save is not None:
            _write(save, [*(_read(save) if save.exists() else []), *measured])
    else:
        measured = _read(saved)
    if not measured:
        raise CliError("nothing was measured", code="no-rating", cure="leave out --from")
    curve = measured if save is None else _read(save)
    projection = None if scale is None else _projected(curve, scale)
    newest = max(measured, key=lambda it: it.measured_at)
    handed = handed_in(session, newest, centre, partition, state) if submit else None
    _tell(session, measured, projection, handed)


def _counts(text: str | None) -> list[int | None]:
    """None: as many as the engine has CPUs."""
    if text is None:
        return [None]
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        counts = []
    if min(counts, default=0) < 1:
        raise CliError(
            f"--workers {text[:40]!r} is no number, or list of numbers, above 0", code="bad-settings"
        )
    return [*counts]


def _measured(
    session: Session,
    name: str,
    engine: str,
    counts: list[int | None],
    seconds: float,
    nodes: int,
    accelerator: str | None,
    pflops: float | None,
) -> "list[Rating]":
    extra = name.partition("@")[0]
    if engine == "ray" and os.environ.get("RAY_ADDRESS"):
        raise CliError(
            "a rating is of one node, and the nodes of the cluster at RAY_ADDRESS have neither its input nor"
            " their matrix products measured",
            code="not-rated",
            cure="unset RAY_ADDRESS: the rating starts a Ray of this machine",
        )
    try:
        from baygrid.workloads.application import ApplicationError
        from baygrid.workloads.command import engine_of
        from baygrid.workloads.engines.working import WorkerWrong
        from baygrid.workloads.progress import showing
        from baygrid.workloads.rating import gemm
        from baygrid.workloads.rating.measuring import Devices, GateFailed, measure
        from baygrid.workloads.rating.profile import profile
    except ImportError as missing:
        raise _missing(missing, extra) from missing
    try:
        asked = profile(name)
    except ImportError as missing:
        raise _missing(missing, extra) from missing
    except ApplicationError as wrong:
        raise CliError(str(wrong), code="no-profile") from wrong
    model, number = _accelerator(accelerator)
    devices = Devices(nodes, model, number, None if pflops is None else pflops * 1e15)
    settle()
    found = []
    show = showing(sys.stderr, name, time.perf_counter)
    try:
        with _stdout_kept():
            for count in counts:
                working = engine_of(engine, count, extra)
                try:
                    reached = gemm.measured(working.workers)
                    found.append(measure(asked, working, devices, reached, seconds, _now, show))
                finally:
                    working.close()
    except GateFailed as failed:
        raise CliError(
            str(failed),
            code="gate-failed",
            cure=f"use the profile's own models: `pip install --force-reinstall 'baygrid[{extra}]'`",
            exit_code=GATE_FAILED,
        ) from failed
    except ApplicationError as wrong:
        raise CliError(str(wrong), code="not-rated") from wrong
    except WorkerWrong as defect:
        raise CliError(f"a defect of a worker: {defect}", code="defect", exit_code=DEFECT) from defect
    finally:
        show.close()
    return found


def _missing(missing: ImportError, extra: str) -> CliError:
    cure = f"pip install 'baygrid[{','.join(sorted({'images', extra}))}]'"
    return CliError(f"rating needs packages that are not here: {missing}", code="not-installed", cure=cure)


@contextmanager
def _stdout_kept() -> Iterator[None]:
    """What libraries print goes to stderr."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _accelerator(text: str | None) -> tuple[str | None, int]:
    if text is None:
        return None, 0
    model, _, number = text.partition(":")
    if not model or not number.isdigit() or int(number) < 1:
        raise CliError(f"--accelerator {text[:40]!r} is not such as H100:1", code="bad-settings")
    return model, int(number)


def _projected(ratings: "list[Rating]", count: int) -> dict[str, Any]:
    from baygrid.core.rating.scaling import NoCurve
    from baygrid.workloads.rating.projection import projected

    try:
        return projected(ratings, count)
    except NoCurve as none:
        cure = "measure it with --workers 1,2,4 and --save FILE"
        raise CliError(f"no rate is told at {count}: {none}", code="no-curve", cure=cure) from none


def _read(path: Path) -> "list[Rating]":
    import orjson

    from baygrid.core.rating.value import Rating
    from baygrid.ports.wire import WireError, from_json

    try:
        document = orjson.loads(path.read_bytes())
        if not isinstance(document, list):
            raise WireError("expected a list of ratings")
        return [from_json(Rating, each) for each in document]
    except ValueError as wrong:
        raise CliError(
            f"{path} has no ratings: {wrong}", code="bad-file", cure="save them with --save"
        ) from wrong


def _write(path: Path, ratings: "list[Rating]") -> None:
    import orjson

    from baygrid.ports.wire import to_json

    part = path.with_name(f"{path.name}.part")
    part.write_bytes(orjson.dumps([to_json(it) for it in ratings], option=orjson.OPT_INDENT_2))
    part.replace(path)


def _tell(
    session: Session,
    ratings: "list[Rating]",
    projection: dict[str, Any] | None,
    handed: dict[str, Any] | None,
) -> None:
    from baygrid.ports.wire import to_json
    from baygrid.workloads.rating.told import figures, lines, number

    if session.json:
        told = [{**to_json(it), **figures(it)} for it in ratings]
        session.out.json({"ratings": told, "projection": projection, "submitted": handed})
        return
    for it in ratings:
        session.out.table(("", ""), [list(line) for line in lines(it)])
    if projection is not None:
        counts = ", ".join(map(str, projection["measured_at_counts"]))
        session.out.line(
            f"projected to {projection['count']} {projection['of']}:"
            f" {number(projection['units_per_hour'])} an hour; its curve was measured at {counts} and is"
            f" off by {projection['error']:.1%} at most"
        )
    if handed is not None:
        session.out.line(f"handed in: {handed['id']} of {handed['centre']}/{handed['partition']}")
