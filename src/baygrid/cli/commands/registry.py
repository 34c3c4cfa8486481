"""Commands of the registry: who is in the region, where, and what they are."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command
from baygrid.cli.shapes import local

FILES = ("bodies.csv", "addresses.csv", "labels.csv", "returns.csv", "zones.json")
COLUMNS = ("table", "line", "body", "code", "decision", "message")
KEEP = "keep"
_REVIEW_S = 600.0

Body = Annotated[str, typer.Argument(metavar="BODY", help="Its id in the registry.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Kept in the log.")]
On = Annotated[str | None, typer.Option("--on", metavar="DATE", help="The day; else today.")]


class Scheme(StrEnum):
    USCC = "uscc"
    HK_BR = "hk_br"
    HK_CR = "hk_cr"


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


def import_(
    session: Session,
    path: Annotated[Path, typer.Argument(help="A folder of CSV files, or an .xlsx workbook.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Review only.")] = False,
    accept: Annotated[
        Path | None,
        typer.Option("--accept-review", metavar="FILE", help="Findings that you have seen: import the rest."),
    ] = None,
    findings: Annotated[
        Path, typer.Option("--findings", metavar="FILE", help="Where findings are written (CSV).")
    ] = Path("registry-findings.csv"),
) -> None:
    """Review every row, then import all of them in one transaction, or none (operators).

    Findings go to a file. Correct the rows and import again; or write `keep` into `decision` where a row is
    right as it is, and give the file to --accept-review: what else has a finding stays out."""
    files = {it.name: _sent(session, it) for it in _files(path)}
    asked = {"files": files, "dry_run": dry_run, "accepted": _accepted(accept) if accept else None}
    answer = session.client.send("POST", "/v1/registry/imports", json=asked, patience_s=_REVIEW_S).json()
    if answer["findings"] and not accept:
        _write_findings(findings, answer["findings"])
    if session.json:
        session.out.json(answer)
    else:
        _tell(session, answer, findings, dry_run=dry_run, accepted=accept is not None)
    if not answer["imported"] and not dry_run:
        raise typer.Exit(1)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        if path.suffix.lower() != ".xlsx":
            raise CliError(
                f"{path} is no .xlsx workbook",
                code="no-registry",
                cure="name a folder of CSV files, or a workbook",
            )
        return [path]
    found = [path / name for name in FILES if (path / name).is_file()]
    if not found:
        raise CliError(
            f"there is no registry at {path}",
            code="no-registry",
            cure=f"name a folder with {', '.join(FILES)}, or an .xlsx workbook",
        )
    return found


def _sent(session: Session, path: Path) -> str:
    """Its SHA-256, once the server has it."""
    import hashlib

    from baygrid.client.blobs import upload
    from baygrid.client.pack import Packed

    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    upload(session.client, Packed(path, digest, path.stat().st_size, 1), lambda _: None)
    return digest


def _accepted(path: Path) -> list[dict[str, Any]]:
    import csv

    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not set(COLUMNS) <= rows[0].keys():
        raise CliError(
            f"{path} is no file of findings", code="no-findings", cure="give what an import has written"
        )
    for row in rows:
        if row["decision"].strip() not in ("", KEEP):
            raise CliError(
                f"{path} decides {row['decision']!r} of {row['table']} line {row['line']}",
                code="bad-decision",
                cure="write keep where the row is right as it is, and nothing where it is to stay out",
            )
    return [
        {
            **{name: row[name] for name in ("table", "body", "code")},
            "line": int(row["line"]),
            "keep": row["decision"].strip() == KEEP,
        }
        for row in rows
    ]


def _write_findings(path: Path, findings: list[dict[str, Any]]) -> None:
    import csv

    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(findings)


def _tell(session: Session, answer: dict[str, Any], file: Path, *, dry_run: bool, accepted: bool) -> None:
    for it in [] if accepted else answer["findings"][:20]:
        session.out.line(f"{it['table']} line {it['line']}: {it['body']}: {it['message']} [{it['code']}]")
    if answer["total"] > 20 and not accepted:
        session.out.line(f"... and {answer['total'] - 20} more")
    count = answer["counts"]
    said = (
        f"bodies: {count['bodies_new']} new, {count['bodies_changed']} changed, {count['bodies_same']} as"
        f" they were, {count['bodies_held']} held back; returns: {count['returns_new']} new,"
        f" {count['returns_same']} as they were, {count['returns_held']} held back"
    )
    session.out.line(said)
    if answer["imported"]:
        session.out.line(f"imported: {answer['id']}" if answer["id"] else "nothing was to change")
    elif dry_run:
        session.out.line("nothing was written: this was a review")
    elif accepted:
        session.out.line(
            f"nothing was imported: {answer['unseen']} findings are not in that file; import again"
        )
    if answer["findings"] and not accepted:
        session.out.note(f"{answer['total']} findings are in {file}: correct the rows, or accept them with")
        session.out.note(f"  --accept-review {file}")


def export(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made where it is not there.")],
) -> None:
    """Write the registry in its plain form: what import takes and indicators read (operators)."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {}
    for name in FILES:
        part = folder / f".{name}.part"
        with session.client.stream(f"/v1/registry/export/{name}") as response, part.open("wb") as file:
            for data in response.iter_raw(1 << 20):
                file.write(data)
        sizes[name] = part.stat().st_size
        part.replace(folder / name)
    session.out.answer(
        {"folder": str(folder), "files": sizes}, f"{folder}: {', '.join(FILES)} ({sum(sizes.values())} bytes)"
    )


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
    from baygrid.core.region import codes

    known = codes.Scheme(scheme.value)
    checked = "check digit" if known in codes.CHECKED else "form only: there is no published check digit"
    try:
        kept = codes.read_code(known, code)
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
