"""Commands of the platform's own figures: what the region lacks, who used what; charts of them."""

from typing import Annotated
from urllib.parse import quote

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.options import Output
from baygrid.cli.saving import save
from baygrid.cli.session import Session, command

Since = Annotated[
    str | None, typer.Option("--since", metavar="DATE", help="The first day; else 29 days before the last.")
]
Until = Annotated[str | None, typer.Option("--until", metavar="DATE", help="The last day; else today.")]
FORMATS = ("svg", "csv", "json")


def register(app: typer.Typer) -> None:
    command(app, "bottlenecks")(bottlenecks)
    command(app, "chart")(chart)


def bottlenecks(session: Session, since: Since = None, until: Until = None) -> None:
    """Show what was asked for and not had, what keeps jobs away from each centre, data that nobody offers;
    compute and support by layer of the company."""
    found = session.client.get("/v1/bottlenecks", **_days(since, until))["items"]
    session.out.show(
        found,
        ("figure", "value", "unit", "period", "note"),
        [[it["id"], it["value"] or "-", it["unit"], it["period"], it["note"] or "-"] for it in found],
        right=("value",),
        none="there are no figures",
    )


def chart(
    session: Session,
    id: Annotated[str, typer.Argument(metavar="CHART", help="Such as compute.hours_unmet.")],
    format: Annotated[
        str, typer.Option("--format", "-f", help="svg, csv (its data) or json (about it).")
    ] = "svg",
    language: Annotated[
        str, typer.Option("--language", metavar="LANGUAGE", help="Of svg: en, zh-Hans, zh-Hant or ja.")
    ] = "en",
    since: Since = None,
    until: Until = None,
    output: Output = None,
) -> None:
    """Save a chart of the platform's own figures, its data, or what the data is."""
    if format not in FORMATS:
        raise CliError(
            f"unknown format {format[:40]!r}", code="bad-settings", cure=f"choose one of {', '.join(FORMATS)}"
        )
    asked = _days(since, until) | ({"language": language} if format == "svg" else {})
    answer = session.client.send("GET", f"/v1/charts/{quote(id, safe='')}.{format}", params=asked)
    save(session, answer.content, output)


def _days(since: str | None, until: str | None) -> dict[str, str | None]:
    return {"from": since, "to": until}
