"""Published traces through the placement core, under a simulated clock: no server is asked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.picture import drawable, not_installed
from baygrid.cli.session import Session, command, settle

if TYPE_CHECKING:
    from baygrid.replay.outcome import Outcome, Progress


class Takes(NamedTuple):
    """Which options a kind of replay cannot do without, and which it also knows."""

    needs: tuple[str, ...]
    may: tuple[str, ...]


FEDERATED: Final = "swf --federated"
KINDS: Final[Mapping[str, Takes]] = {
    "openb": Takes(("nodes", "pods"), ("order", "seed", "placement")),
    "muri": Takes(("file",), ("cluster", "policy")),
    "philly": Takes(("file", "vc"), ("policy",)),
    "swf": Takes(("file",), ("processors", "seed", "policy")),
    FEDERATED: Takes(("file", "capacity"), ("stale", "seed", "policy", "carbon")),
}
SEED: Final = 42
CLUSTER: Final = "8x8"
STALE_S: Final = 300
OWN: Final = "baygrid"
FORMATS: Final = tuple(kind for kind in KINDS if kind != FEDERATED)
MOST_CAPACITY: Final = 100
EXAMPLES: Final[Mapping[str, str]] = {
    "openb": "baygrid replay --format openb --nodes NODES.csv --pods PODS.csv",
    "muri": "baygrid replay --format muri FILE.csv --cluster 8x8",
    "philly": "baygrid replay --format philly FILE.csv --vc VC.csv",
    "swf": "baygrid replay --format swf FILE.swf.gz",
    FEDERATED: "baygrid replay --format swf FILE.swf.gz --federated --capacity 0.2 --stale 300",
}


def register(app: typer.Typer) -> None:
    command(app, "replay")(replay)


def replay(
    session: Session,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The trace; openb has --nodes and --pods instead.")
    ] = None,
    format: Annotated[str, typer.Option("--format", "-f", help="openb, muri, philly or swf.")] = "",
    nodes: Annotated[Path | None, typer.Option("--nodes", metavar="CSV", help="openb: the nodes.")] = None,
    pods: Annotated[Path | None, typer.Option("--pods", metavar="CSV", help="openb: the pods.")] = None,
    order: Annotated[
        Path | None,
        typer.Option("--order", metavar="NPZ", help="openb: orders of arrival, else our own shuffle."),
    ] = None,
    placement: Annotated[
        str | None,
        typer.Option(
            "--placement",
            help="openb: random, dotprod, gpuclustering, gpupacking, bestfit, fgd or baygrid. Else baygrid.",
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", metavar="NODESxGPUS", help="muri: nodes and GPUs of each. Else 8x8."),
    ] = None,
    vc: Annotated[
        Path | None, typer.Option("--vc", metavar="CSV", help="philly: the virtual clusters.")
    ] = None,
    processors: Annotated[
        int | None, typer.Option("--processors", min=1, help="swf: else as the trace's head says.")
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy",
            help="muri, philly: fifo, srtf, srsf, tiresias, baygrid-informed or baygrid; swf: fifo, sjf, "
            "easy, fairshare or baygrid; --federated: random, fifo or baygrid. Else baygrid.",
        ),
    ] = None,
    federated: Annotated[
        bool, typer.Option("--federated", help="swf: field 16 of a job is its site, and jobs go to any.")
    ] = False,
    capacity: Annotated[
        float | None,
        typer.Option("--capacity", help="--federated: of each site's peak, the share that it has."),
    ] = None,
    stale: Annotated[
        int | None,
        typer.Option(
            "--stale", min=0, metavar="SECONDS", help="--federated: how old is what is known. Else 300."
        ),
    ] = None,
    carbon: Annotated[
        list[Path] | None,
        typer.Option(
            "--carbon",
            metavar="FILE|DIR",
            help="--federated: parquet files of gCO2 per kWh, one a grid; may be repeated.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of all that is chance. Else 42.")] = None,
    plot: Annotated[Path | None, typer.Option("--plot", metavar="PNG", help="Draw it too.")] = None,
) -> None:
    """Run a published trace through the placement engine under a simulated clock. Needs no server."""
    from baygrid.cli.bar import bar
    from baygrid.replay.outcome import BadTrace

    kind = _kind(format, federated=federated)
    given = {
        "file": file, "nodes": nodes, "pods": pods, "order": order, "placement": placement, "vc": vc,
        "cluster": cluster, "processors": processors, "policy": policy, "capacity": capacity, "stale": stale,
        "carbon": carbon or None, "seed": seed,
    }  # fmt: skip
    options = _checked(kind, {name: value for name, value in given.items() if value is not None})
    if plot is not None:
        drawable(plot)
    settle()
    try:
        with bar(session.out, f"{kind} jobs") as progress:
            outcome = _run(kind, options, progress)
        if plot is not None:
            from baygrid.replay.plotting import draw

            draw(outcome.plot, plot)
    except BadTrace as bad:
        raise CliError(str(bad), code="bad-trace", title="The trace cannot be read") from bad
    except ModuleNotFoundError as missing:
        raise not_installed(str(missing.name)) from missing
    if session.json:
        session.out.json(dict(outcome.figures))
    else:
        rows = [(name, _shown(value)) for name, value in outcome.figures.items()]
        session.out.table(("figure", "value"), rows, right=("value",))
        if plot is not None:
            session.out.note(f"drawn in {plot}")


def _kind(format: str, *, federated: bool) -> str:
    if format not in FORMATS:
        told = f"there is no format {format!r}" if format else "no format is named"
        raise _wrong(told, f"say --format with one of {', '.join(FORMATS)}")
    if not federated:
        return format
    if format != "swf":
        raise _wrong(f"--federated is not for --format {format}", f"for example: {EXAMPLES[FEDERATED]}")
    return FEDERATED


def _checked(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """What was given, when the replay knows all of it, has all that it needs, and the files are there."""
    takes = KINDS[kind]
    for name in given:
        if name not in (*takes.needs, *takes.may):
            others = [other for other, its in KINDS.items() if name in (*its.needs, *its.may)]
            raise _wrong(
                f"{_spelt(name)} is not for --format {kind}", f"it is for --format {', '.join(others)}"
            )
    missing = [_spelt(name) for name in takes.needs if name not in given]
    if missing:
        raise _wrong(f"--format {kind} needs {' and '.join(missing)}", f"for example: {EXAMPLES[kind]}")
    if not 0 < given.get("capacity", 1) <= MOST_CAPACITY:
        raise _wrong(f"--capacity is {given['capacity']:g}", f"say a number above 0, at most {MOST_CAPACITY}")
    for name, value in given.items():
        for path in value if isinstance(value, list) else [value]:
            if isinstance(path, Path) and not (path.is_file() or (name == "carbon" and path.is_dir())):
                told = "is a folder" if path.is_dir() else "is not there"
                raise CliError(
                    f"{_spelt(name)}: {path} {told}", code="no-file", cure="name a file that can be read"
                )
    return given


def _shown(value: object) -> str:
    """A figure for people: thousands apart, two places or, if it is small, three digits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "-" if value is None else str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.3g}"


def _spelt(name: str) -> str:
    return "FILE" if name == "file" else f"--{name}"


def _wrong(detail: str, cure: str) -> CliError:
    return CliError(detail, code="wrong-call", cure=cure, exit_code=2)


def _run(kind: str, given: Mapping[str, Any], progress: "Progress") -> "Outcome":
    """Imports the one replay that is asked for: compiled code is loaded with it, which takes a second."""
    file: Any = given.get("file")  # there where the format needs it
    seed = given.get("seed", SEED)
    if kind == "openb":
        from baygrid.replay import openb

        placement = _chosen(given, "placement", openb.PLACEMENTS)
        return openb.replay(given["nodes"], given["pods"], placement, seed, given.get("order"), progress)
    if kind == "muri":
        from baygrid.replay import muri

        policy = _chosen(given, "policy", muri.POLICIES)
        return muri.replay(file, policy, given.get("cluster", CLUSTER), progress)
    if kind == "philly":
        from baygrid.replay import philly

        return philly.replay(file, given["vc"], _chosen(given, "policy", philly.POLICIES), progress)
    if kind == "swf":
        from baygrid.replay import swf

        return swf.replay(
            file, _chosen(given, "policy", swf.POLICIES), given.get("processors"), seed, progress
        )
    from baygrid.replay import federation

    policy = _chosen(given, "policy", federation.POLICIES)
    stale, carbon = given.get("stale", STALE_S), given.get("carbon", ())
    return federation.replay(file, policy, given["capacity"], stale, seed, carbon, progress)


def _chosen(given: Mapping[str, Any], option: str, known: Sequence[str]) -> str:
    chosen = str(given.get(option, OWN))
    if chosen not in known:
        raise _wrong(f"--{option}: there is no {chosen} here", f"say one of {', '.join(known)}")
    return chosen
