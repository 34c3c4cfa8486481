"""The registry as files: imported with what people decide of its findings, and exported."""

from pathlib import Path
from typing import Annotated, Any

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.session import Session
from baygrid.core.region.rows import FILES

COLUMNS = ("table", "line", "body", "code", "decision", "message")
KEEP = "keep"
_REVIEW_S = 600.0


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
    accepted = _accepted(accept) if accept else None
    files = {it.name: _sent(session, it) for it in _files(path)}
    asked = {"files": files, "dry_run": dry_run, "accepted": accepted}
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

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, restval=""))
    except (UnicodeDecodeError, csv.Error):
        rows = []
    if not rows or not set(COLUMNS) <= rows[0].keys() or not all(it["line"].isdecimal() for it in rows):
        raise CliError(
            f"{path} is no file of findings",
            code="no-findings",
            cure="give what an import has written; in Excel, save it as `CSV UTF-8`",
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
        session.out.note(f"findings are in {file} ({answer['total']}): correct the rows, or accept them with")
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
