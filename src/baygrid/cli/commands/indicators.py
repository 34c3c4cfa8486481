"""Commands of the observatory's figures: what is counted, of whom, when, from where; and which ratios there
are not."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from baygrid.cli.counting import counting
from baygrid.cli.days import law_day
from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command, group

Zone = Annotated[
    str | None, typer.Option("--zone", metavar="ZONE", help="Else the one that all others lie in.")
]
AsOf = Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="The day; else today.")]
KnownBy = Annotated[
    str | None, typer.Option("--known-by", metavar="DATE", help="With the returns of that day; else today's.")
]
Folder = Annotated[
    Path | None, typer.Option("--registry", metavar="DIR", help="Of a registry in files; else the server's.")
]

_DIVIDE = "divide figures of one population, period and vintage; `baygrid indicators` tells those of each"


def register(app: typer.Typer) -> None:
    verbs = group(
        app, "indicators", figures, "The observatory's figures, each with its population, period and source."
    )
    command(verbs, "compare")(compare)
    command(verbs, "history")(history)
    command(verbs, "cities")(cities)


def figures(
    session: Session,
    context: typer.Context,
    zone: Zone = None,
    as_of: AsOf = None,
    known_by: KnownBy = None,
    registry: Folder = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
) -> None:
    """Tell all figures of a zone on a day."""
    if context.invoked_subcommand:
        return
    if registry is None:
        told = session.client.get("/v1/indicators", zone=zone, as_of=as_of, known_by=known_by)["items"]
    else:
        with counting(registry) as (indicators, it):
            found = indicators.figures(it, zone, *_days(as_of, known_by))
        told = [it.to_json() for it in found]
    _show(session, told, as_csv)


def compare(
    session: Session,
    top: Annotated[str, typer.Argument(metavar="A", help="A figure's id, or id@zone.")],
    bottom: Annotated[str, typer.Argument(metavar="B", help="What it is a part of.")],
    zone: Zone = None,
    as_of: AsOf = None,
    known_by: KnownBy = None,
    registry: Folder = None,
) -> None:
    """Divide one figure by another, or say why that is no figure."""
    from baygrid.core.indicators.formulas import Refused

    if registry is None:
        asked = {"top": top, "bottom": bottom, "zone": zone, "as_of": as_of, "known_by": known_by}
        told = session.client.get("/v1/indicators/compare", **asked)
    else:
        with counting(registry) as (indicators, it):
            found = indicators.compare(it, top, bottom, zone, *_days(as_of, known_by))
        if isinstance(found, Refused):
            raise CliError(found.reason, code="refused-ratio", title="This ratio is refused", cure=_DIVIDE)
        told = found.to_json()
    session.out.answer(told, f"{told['value']}: {told['note']} ({told['population']}, {told['period']})")


def history(
    session: Session,
    id: Annotated[str, typer.Argument(metavar="FIGURE", help="Its id, such as mix.base_technology.share.")],
    years: Annotated[
        int, typer.Option("--years", min=1, max=50, help="So many, the last one at --as-of.")
    ] = 5,
    zone: Zone = None,
    as_of: AsOf = None,
    known_by: KnownBy = None,
    registry: Folder = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
) -> None:
    """Tell one figure over some years, on the same day of each."""
    from baygrid.core.indicators.period import same_days

    if registry is None:
        asked = {"id": id, "zone": zone, "as_of": as_of, "years": years, "known_by": known_by}
        told = session.client.get("/v1/indicators/history", **asked)["items"]
    else:
        day, known = _days(as_of, known_by)
        with counting(registry) as (indicators, it):
            found = indicators.history(it, zone, id, same_days(day, years), known)
        told = [it.to_json() for it in found]
    _show(session, told, as_csv)


def cities(session: Session) -> None:
    """Tell what is established of the cities that the region is compared with."""
    from baygrid.observatory.profiles import profiles

    rows = []
    for it in profiles():
        rows.append([it.names["en"], "position", it.position, "", it.position_source])
        for fact in it.facts:
            value = f"{fact.bound} {fact.value} {_unit(fact.unit)}".strip()
            rows.append([it.names["en"], f"{fact.id} of {fact.population}", value, fact.period, fact.source])
        if not it.facts:
            rows.append([it.names["en"], "figures", "not loaded", "", ""])
    session.out.show(
        [it.to_json() for it in profiles()], ("city", "what", "value", "period", "source"), rows, none="none"
    )


def _days(as_of: str | None, known_by: str | None) -> tuple[date, date]:
    return law_day(as_of), law_day(known_by, "--known-by")


def _show(session: Session, found: list[dict[str, Any]], as_csv: bool) -> None:
    if as_csv:
        from baygrid.observatory.sheet import as_csv as sheet

        session.out.out.write(sheet(found))
        return
    columns = ("figure", "value", "unit", "population", "period", "known", "coverage", "source", "note")
    session.out.show(found, columns, [_row(it) for it in found], none="there is none", right=("value",))
    if not session.json and any(it["synthetic"] for it in found):
        session.out.out.flush()
        session.out.note("SYNTHETIC: invented companies, for samples and tests")


def _row(it: dict[str, Any]) -> list[str]:
    value = "" if it["value"] is None else f"{Decimal(it['value']):,f}"
    about = [it[name] or "" for name in ("population", "period", "vintage", "coverage", "source", "note")]
    return [it["id"], value, _unit(it["unit"]), *about]


def _unit(unit: str) -> str:
    """Nothing beside a bare number."""
    return "" if unit == "1" else unit
