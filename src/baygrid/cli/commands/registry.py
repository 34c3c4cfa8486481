"""Commands of the registry: who is in the region, where, and what they are."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from baygrid.cli.commands.registry_files import export, import_
from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command
from baygrid.cli.shapes import local
from baygrid.core.region.codes import CHECKED, Scheme, read_code

Body = Annotated[str, typer.Argument(metavar="BODY", help="Its id in the registry.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Kept in the log.")]
On = Annotated[str | None, typer.Option("--on", metavar="DATE", help="The day; else today.")]


def register(app: typer.Typer) -> None:
    verbs = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(verbs, name="registry", help="Who is in the region: companies, universities, institutes.")
    command(verbs, "list")(list_)
    command(verbs, "show")(show)
    command(verbs, "import")(import_)
    command(verbs, "export")(export)
    command(verbs, "label")(label)
    command(verbs, "merge")(merge)
    command(verbs, "unmerge")(unmerge)
    command(verbs, "link")(link)
    command(verbs, "zones")(zones)
    command(verbs, "check-code")(check_code)
    command(verbs, "sample")(sample)


def list_(
    session: Session,
    search: Annotated[str, typer.Argument(metavar="TEXT", help="Part of a name, code or id.")] = "",
    kind: Annotated[str | None, typer.Option(help="company, university or institute.")] = None,
    zone: Annotated[str | None, typer.Option(help="With the zones inside it.")] = None,
    layer: Annotated[str | None, typer.Option(help="base, technology or application.")] = None,
    field: Annotated[str | None, typer.Option(help="Such as machine_vision.")] = None,
    on: On = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
) -> None:
    """List bodies as they were on a day. Names are found in any script."""
    asked = {"search": search or None, "kind": kind, "zone": zone, "layer": layer, "field": field, "on": on}
    found = session.client.items("/v1/registry/bodies", limit, **asked)
    session.out.show(
        found,
        ("id", "name", "code", "zone", "layer", "fields"),
        [
            [
                it["id"],
                it["name"],
                it["code"],
                it["zone"] or it["placed"],
                it["layer"] or "",
                _joined(it["fields"]),
            ]
            for it in found
        ],
        none="no body fits: `baygrid registry import PATH` brings some",
    )


def _joined(values: list[str]) -> str:
    return ", ".join(values)


def show(session: Session, body: Body, on: On = None) -> None:
    """Show a body with its addresses, its labels and all that was done to it."""
    it = session.client.get(_of(body), on=on)
    if session.json:
        session.out.json(it)
        return
    line = session.out.line
    line(f"{it['id']}: {' / '.join(it['names'].values())}" + (", synthetic" if it["synthetic"] else ""))
    if it["merged_into"]:
        line(f"  part of {it['merged_into']}")
    line(f"  {it['kind']}, {it['scheme'] or 'no code'} {it['code']}".rstrip())
    if it["organisation"]:
        line(f"  on the platform: {it['organisation']}")
    line(f"  in {it['zone']} (by {it['placed']})" if it["zone"] else f"  in no zone ({it['placed']})")
    for each in it["addresses"]:
        line(f"  {_period(each)}: {each['address']}")
    for each in it["labels"]:
        said = f" ({each['evidence']})" if each["evidence"] else ""
        line(f"  {_period(each)}: {each['kind']} {each['value']}, by {each['by']}{said}")
    for each in it["changes"]:
        words = ": ".join(filter(None, (each["person"], each["why"])))
        line(f"  version {each['version']}, {local(each['at'])}, {each['change']} {words}".rstrip())


def _period(it: dict[str, Any]) -> str:
    return f"{it['since'] or '...'} to {it['until'] or 'now'}"


def label(
    session: Session,
    body: Body,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="The person who says so.")] = "",
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Kept in the log.")] = "",
    layer: Annotated[str | None, typer.Option(help="base, technology or application.")] = None,
    field: Annotated[list[str] | None, typer.Option(help="All that it has; may be repeated.")] = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="From this day on; else ever.")] = None,
) -> None:
    """Say what a body is, in the place of what the classifier proposed; alone it shows the proposals."""
    if layer is None and not field:
        _proposals(session, body)
        return
    if not by.strip() or not why.strip():
        raise CliError("the log says who and why", code="no-reason", cure="add --by NAME and --why TEXT")
    answer: Any = None
    for kind, values in (("layer", [layer] if layer else []), ("field", field or [])):
        if values:
            said = {"kind": kind, "values": values, "since": since, "by": by, "why": why}
            answer = session.client.send("POST", f"{_of(body)}/labels", json=said, again=True).json()
    session.out.answer(
        answer, f"{body}: {answer['layer'] or 'no layer'}; {_joined(answer['fields']) or 'no field'}"
    )


def _proposals(session: Session, body: str) -> None:
    found = session.client.get(f"{_of(body)}/proposals")["items"]
    session.out.show(
        found,
        ("kind", "value", "words"),
        [[it["kind"], it["value"], "; ".join(it["words"])] for it in found],
        none="no word speaks for any: say it with --layer and --field",
    )


def merge(
    session: Session,
    body: Body,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The body that stays.")],
    why: Why,
) -> None:
    """Make one body a part of another, which gets what it lacks of it (operators)."""
    answer = session.client.send(
        "POST", f"{_of(body)}/merge", json={"into": into, "why": why}, again=True
    ).json()
    session.out.answer(answer, f"{body} is part of {into}; `baygrid registry unmerge {body}` takes that back")


def unmerge(session: Session, body: Body, why: Why) -> None:
    """Take back that a body is part of another, by the log (operators)."""
    answer = session.client.post(f"{_of(body)}/unmerge", {"why": why})
    session.out.answer(answer, f"{body} is a body of its own again")


def link(
    session: Session,
    body: Body,
    org: Annotated[
        str | None, typer.Option("--org", metavar="ORGANISATION", help="None: it is none.")
    ] = None,
) -> None:
    """Say which organisation of the platform a body is (operators)."""
    answer = session.client.send("PUT", f"{_of(body)}/organisation", json={"organisation": org}).json()
    session.out.answer(answer, f"{body} is {org}" if org else f"{body} is no organisation of the platform")


def zones(
    session: Session,
    file: Annotated[
        Path | None, typer.Option("--set", metavar="FILE", help="GeoJSON, in the place of all (operators).")
    ] = None,
) -> None:
    """List the zones, or set them."""
    if file is not None:
        try:
            document = json.loads(file.read_bytes())
        except ValueError as error:
            raise CliError(f"{file} is not JSON: {error}", code="invalid", cure="give GeoJSON") from None
        made = session.client.send("PUT", "/v1/registry/zones", json=document).json()
        session.out.answer(made, f"{len(made['zones']['features'])} zones (version {made['version']})")
        return
    found = session.client.get("/v1/registry/zones")
    rows = [it["properties"] for it in found["zones"]["features"]]
    session.out.show(
        found["zones"]["features"],
        ("id", "name", "parent", "since", "until", "km2", "source"),
        [
            [
                it["id"],
                next(iter(it["names"].values())),
                it["parent"],
                it["since"],
                it["until"],
                it["area_km2"] or "",
                it["source"],
            ]
            for it in rows
        ],
        none="there are no zones: `baygrid registry zones --set FILE` sets them",
    )


def check_code(
    session: Session,
    code: Annotated[str, typer.Argument(metavar="CODE")],
    scheme: Annotated[Scheme, typer.Option(help="Of the code.")] = Scheme.USCC,
) -> None:
    """Check a code of a body, without a server. Only uscc has a check digit; of others the form is seen."""
    from baygrid.core.reading import Wrong

    checked = "check digit" if scheme in CHECKED else "form only: there is no published check digit"
    try:
        kept = read_code(scheme, code)
    except Wrong as wrong:
        if not session.json:
            raise CliError(f"{code} {wrong}", code="bad-code") from None
        session.out.json(
            {"scheme": scheme, "code": code, "valid": False, "checked": checked, "why": str(wrong)}
        )
        raise typer.Exit(1) from None
    answer = {"scheme": scheme, "code": kept, "valid": True, "checked": checked, "why": None}
    session.out.answer(answer, f"{kept} is right ({checked})")


def sample(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    seed: Annotated[int, typer.Option("--seed", help="Another one makes other companies.")] = 1,
) -> None:
    """Write an invented registry, marked as synthetic in every row, with the published figures of 2023."""
    from baygrid.observatory.sample import write

    try:
        count = write(folder, seed=seed)
    except FileExistsError as error:
        raise CliError(str(error), code="not-empty") from None
    session.out.answer(
        {"registry": str(folder), "companies": count, "synthetic": True},
        f"{folder}: {count:,} invented companies; see `baygrid indicators --registry {folder}`",
    )


def _of(body: str) -> str:
    from urllib.parse import quote

    return f"/v1/registry/bodies/{quote(body, safe='')}"
