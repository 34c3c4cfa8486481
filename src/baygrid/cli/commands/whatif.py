"""What would have been otherwise with another policy, other prices or more centres."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from baygrid.cli.errors import CliError, Flaw
from baygrid.cli.picture import drawable
from baygrid.cli.session import Session, command, settle
from baygrid.cli.shapes import local

PATIENCE_S: Final = 900.0
"""A long history in a full region takes minutes."""
Row = tuple[str, float | None, float | None]


def register(app: typer.Typer) -> None:
    command(app, "whatif")(whatif)


def whatif(
    session: Session,
    policy: Annotated[
        str | None, typer.Option("--policy", metavar="FILE", help="A whole policy, as for `policy set`.")
    ] = None,
    price: Annotated[
        list[str] | None,
        typer.Option(
            "--price",
            metavar="OFFER=AMOUNT",
            help="An hour of the offer's accelerator, or of a cpu where it has none; may be repeated.",
        ),
    ] = None,
    add_centre: Annotated[
        list[str] | None,
        typer.Option("--add-centre", metavar="FILE", help="A centre that is not there; may be repeated."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="Jobs submitted from then on; else of the last 30 days."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of lengths that are not known.")] = 42,
    plot: Annotated[Path | None, typer.Option("--plot", metavar="PNG", help="Draw the waits too.")] = None,
) -> None:
    """Run the region's own history through the planner once more: as the region is, and with a change.

    Tells what would be different in waits, utilisation, cost and fairness. Changes nothing."""
    if plot is not None:
        drawable(plot)
    files = _Files()
    body: dict[str, Any] = {"seed": seed, "prices": dict(map(_price, price or []))}
    if policy is not None:
        body["policy"] = files.read(policy, "policy file", "")
    body["centres"] = [
        files.read(file, "centre file", f"centres[{n}].") for n, file in enumerate(add_centre or [])
    ]
    if since:
        body["since"] = since
    settle()
    try:
        told = session.client.send("POST", "/v1/whatif", json=body, patience_s=PATIENCE_S).json()
    except CliError as error:
        raise files.located(error) from None
    if session.json:
        session.out.json(told)
    else:
        _show(session, told)
    if plot is not None:
        _draw(told, plot)
        session.out.note(f"drawn in {plot}")


class _Files:
    """The files of one question, to say in which of them a mistake is."""

    def __init__(self) -> None:
        self._read: list[tuple[str, str, dict[str, int]]] = []

    def read(self, file: str, what: str, prefix: str) -> object:
        """The document. `prefix`: of its paths, as the server tells them."""
        from baygrid.client.yamlfile import document_of, text_of

        name, _, text = text_of(file, what)
        document, lines = document_of(name, text)
        if not isinstance(document, dict):
            raise CliError(f"{name} is not a mapping", code="invalid", cure="see the operator's tutorial")
        self._read.append((name, prefix, lines))
        return document

    def located(self, error: CliError) -> CliError:
        """With file and line of each mistake."""
        from baygrid.client.yamlfile import line_of

        flaws = []
        for flaw in error.flaws:
            # The longest prefix that fits is that of its file; a policy's paths have none.
            fitting = [it for it in self._read if flaw.path.startswith(it[1])]
            name, prefix, lines = max(fitting, key=lambda it: len(it[1]), default=("", "", {}))
            path = flaw.path.removeprefix(prefix)
            line = line_of(path, flaw.message, lines)
            flaws.append(flaw if line is None else Flaw(f"{name}: {path}", flaw.message, line))
        return CliError(
            error.detail,
            code=error.code,
            title=error.title,
            status=error.status,
            flaws=flaws,
            cure=error.cure,
        )


def _price(text: str) -> tuple[str, str]:
    offer, equals, amount = text.rpartition("=")
    if not equals or not offer:
        raise CliError(
            f"{text!r} is no price", code="wrong-call", cure="write --price OFFER=AMOUNT", exit_code=2
        )
    return offer, amount


def _show(session: Session, told: dict[str, Any]) -> None:
    left, out = told["left_out"], session.out
    out.line(
        f"{told['jobs']} jobs since {local(told['from'])}, through the planner as it is and with the change"
    )
    out.table(
        ("figure", "before", "after", "difference"),
        [
            (name, _shown(a), _shown(b), _difference(a, b))
            for name, a, b in _rows(told["before"], told["after"])
        ],
        right=("before", "after", "difference"),
    )
    for job in told["after"]["never_why"]:
        out.line(f"{job['job']} would never run: {job['why']}")
    if told["predicted"]:
        out.note(f"of {told['predicted']} jobs that have not ended the length is that of a like job")
    if left["never_ran"] or left["length_unknown"]:
        out.note(
            f"left out: {left['never_ran']} that ended before they began, {left['length_unknown']} that have"
            " not ended and are like no other"
        )
    if left["older_than_these"]:
        out.note("there are older jobs still: these are the newest")


def _rows(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Row]:
    """Figures of both courses; money in major units."""
    for name, key in (
        ("mean wait, s", "wait_mean_s"),
        ("median wait, s", "wait_p50_s"),
        ("p99 wait, s", "wait_p99_s"),
        ("jobs that ran", "started"),
        ("jobs that never run", "never"),
        ("preemptions", "preemptions"),
    ):
        yield name, before[key], after[key]
    yield from _both("cost", before["cost"]["total"], after["cost"]["total"], money=True)
    projects = dict.fromkeys([*before["cost"]["projects"], *after["cost"]["projects"]])
    for name in projects:
        each = [course["cost"]["projects"].get(name, {}) for course in (before, after)]
        yield from _both(f"cost of {name}", *each, money=True)
    for name in dict.fromkeys([*before["utilisation"], *after["utilisation"]]):
        each = [course["utilisation"].get(name, {}) for course in (before, after)]
        yield from _both(f"utilisation of {name}", *each)
    yield "fairness (Jain)", before["fairness"]["jain"], after["fairness"]["jain"]
    for name, had in before["fairness"]["projects"].items():
        then = after["fairness"]["projects"].get(name, {})
        yield f"part of {name}", had["had"], then.get("had")
        yield "part it is entitled to", had["entitled"], then.get("entitled")


def _both(what: str, before: dict[str, Any], after: dict[str, Any], *, money: bool = False) -> Iterator[Row]:
    from baygrid.core.units import DECIMALS

    for key in dict.fromkeys([*before, *after]):
        each = [course.get(key, 0 if money else None) for course in (before, after)]
        if money:
            each = [minor / 10 ** DECIMALS[key] for minor in each]
        yield f"{what}, {key}", each[0], each[1]


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}" if value >= 1 else f"{value:.3f}"


def _difference(before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return "-"
    change = after - before
    return (
        f"{change:+,}"
        if isinstance(change, int)
        else f"{change:+,.2f}"
        if abs(change) >= 1
        else f"{change:+.3f}"
    )


def _draw(told: dict[str, Any], where: Path) -> None:
    from baygrid.replay.outcome import Line, Plot
    from baygrid.replay.plotting import draw

    lines = tuple(
        Line(name, told[name]["wait_quantiles_s"], range(len(told[name]["wait_quantiles_s"])))
        for name in ("before", "after")
    )
    draw(
        Plot("Waits of the region's history", "wait, s", "jobs that waited at most so long, %", lines), where
    )
