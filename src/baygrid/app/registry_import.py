"""Imports of the registry: reviewed whole, then written whole in one transaction, or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from baygrid.app import blobs, registry_rows
from baygrid.app.access import Action, Actor, permit
from baygrid.app.observatory import observatory
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, WrongState
from baygrid.app.registry_zones import next_zones, zones_now
from baygrid.core.reading import Wrong
from baygrid.core.region.bodies import Return, Zone
from baygrid.core.region.documents import of_document
from baygrid.core.region.rows import FILES, Finding, read_row
from baygrid.ports.records import Event
from baygrid.ports.registry import BodyRow, Change, ChangeRow, ImportRow
from baygrid.ports.store import Conflict, Exists, Tx

if TYPE_CHECKING:
    from baygrid.observatory.spreadsheets import Source
    from baygrid.observatory.staged import Staged

MOST_FINDINGS: Final = 20_000
"""So many are told. Where there are more, the first are corrected first."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finding that a person has seen. `keep`: it is right as it is; else its row stays out."""

    table: str
    line: int
    body: str
    code: str
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """`imported`: what fits is in the registry (`id`: of the import, None where nothing was to change). Else
    nothing was changed, for `findings`, of which there are `total`; `unseen` of them were not accepted."""

    imported: bool
    id: str | None
    counts: Mapping[str, int]
    findings: Sequence[Finding]
    total: int
    unseen: int


def run(
    platform: Platform,
    actor: Actor,
    files: Mapping[str, str],
    accepted: Sequence[Accepted] | None = None,
    *,
    dry: bool = False,
) -> Outcome:
    """Reviews these files (blobs by name: the tables of the plain form, or one .xlsx) and imports them unless
    `dry`. With findings only where all of them are `accepted`, and then without what they are about.
    Raises Invalid."""
    permit(actor, Action.OPERATE)
    reviewing = observatory("reviewing")
    staging = observatory("staged")
    _check_names(files)
    with tempfile.TemporaryDirectory(prefix="baygrid-registry-") as folder, staging.Staged() as staged:
        given = _source(platform, actor, files, Path(folder))
        known = reviewing.Registered(
            lambda ids: platform.store.read(lambda tx: tx.registry.some(ids)),
            lambda: registry_rows.bodies(platform),
            lambda keys: platform.store.read(lambda tx: tx.registry.returns_of(keys)),
            zones_now(platform).all,
        )
        brought = reviewing.stage(given, known, staged)
        return _decide(platform, actor, files, staged, brought, accepted, dry=dry)


def imports(platform: Platform, actor: Actor) -> list[ImportRow]:
    """Newest first."""
    permit(actor, Action.OPERATE)
    return platform.store.read(lambda tx: tx.registry.imports())


def _check_names(files: Mapping[str, str]) -> None:
    book = [name for name in files if name.lower().endswith(".xlsx")]
    strange = sorted(files.keys() - {*FILES}) if not book else [name for name in files if name != book[0]]
    if strange or not files:
        raise Invalid.at("files", f"must be some of {', '.join(FILES)}, or one .xlsx workbook alone")


def _source(platform: Platform, actor: Actor, files: Mapping[str, str], folder: Path) -> Source:
    for index, (name, sha256) in enumerate(files.items()):
        if not blobs.state(platform, actor, sha256).whole:
            raise Invalid.at(f"files.{name}", f"there is no blob {sha256} of yours: put it first")
        _, content = blobs.get(platform, actor, sha256)
        path = folder / (name if name in FILES else f"book{index}.xlsx")
        with path.open("wb") as file:
            file.writelines(content)
    spreadsheets = observatory("spreadsheets")
    only = next(iter(folder.iterdir()))
    try:
        source: Source = spreadsheets.source(only if only.suffix == ".xlsx" else folder)
    except Wrong as wrong:
        raise Invalid.at(f"files.{next(iter(files))}", str(wrong)) from None
    return source


def _decide(
    platform: Platform,
    actor: Actor,
    files: Mapping[str, str],
    staged: Staged,
    brought: Sequence[Zone],
    accepted: Sequence[Accepted] | None,
    *,
    dry: bool,
) -> Outcome:
    total, findings = staged.how_many_findings(), staged.findings(MOST_FINDINGS)
    seen = {(it.table, it.line, it.body, it.code): it.keep for it in accepted or ()}
    unseen = total - sum(1 for it in findings if _id(it) in seen)
    staged.keep(it for it in findings if seen.get(_id(it), False))
    stubborn = next((it for it in findings if seen.get(_id(it)) and not it.keepable), None)
    if stubborn is not None:
        raise Invalid.at(
            "accepted",
            f"{stubborn.table} line {stubborn.line}: {stubborn.code} cannot be kept: correct the row",
        )
    staged.hold_back()
    whole = any(it.line == 0 or it.code == "bad-header" for it in findings)
    go = not dry and not unseen and not whole
    id = _write(platform, actor, files, staged, brought) if go else None
    return Outcome(go, id, _counts(staged), findings, total, unseen)


def _id(it: Finding) -> tuple[str, int, str, str]:
    return (it.table, it.line, it.body, it.code)


def _counts(staged: Staged) -> dict[str, int]:
    bodies, figures = staged.counts("made"), staged.counts("figures")
    return {f"bodies_{state}": bodies.get(state, 0) for state in ("new", "changed", "same", "held")} | {
        f"returns_{state}": figures.get(state, 0) for state in ("new", "same", "held")
    }


def _write(
    platform: Platform, actor: Actor, files: Mapping[str, str], staged: Staged, brought: Sequence[Zone]
) -> str | None:
    """One transaction, whatever the size. None where nothing was to change."""
    document = observatory("zones").to_geojson(brought) if brought else None
    zones = platform.store.read(lambda tx: tx.registry.zones())
    new_zones = document is not None and (zones is None or zones.document != document)
    counts = _counts(staged)
    if not (new_zones or counts["bodies_new"] or counts["bodies_changed"] or counts["returns_new"]):
        return None
    now = platform.clock()
    id = platform.ids.new("import", now)

    def apply(tx: Tx) -> None:
        if new_zones and document is not None:
            tx.registry.insert_zones(next_zones(zones, document, now, actor))
        for rows in staged.made("new"):
            made = [_row(body, kept) for body, kept in rows]
            tx.registry.insert_bodies(made)
            tx.registry.log([_change(it, id, now) for it in made])
        for rows in staged.made("changed"):
            before = tx.registry.some([body for body, _ in rows])
            made = [_row(body, kept, before[body]) for body, kept in rows]
            tx.registry.update_bodies(made)
            tx.registry.log([_change(it, id, now) for it in made])
        for figures in staged.figures():
            tx.registry.insert_returns([*map(_figure, figures)], now, id)
        tx.registry.insert_import(ImportRow(id, now, actor.token_id, files, counts))
        tx.events.append([Event(now, "registry-imported", data={"import": id, **counts})])

    try:
        platform.store.write(apply)
    except (Conflict, Exists):
        raise WrongState("the registry was changed while this import was reviewed: import again") from None
    return id


def _row(id: str, kept: Mapping[str, Any], before: BodyRow | None = None) -> BodyRow:
    """From the version that was reviewed: another since then is a Conflict."""
    return BodyRow(
        id,
        kept["version"] + 1,
        of_document(id, kept["document"]),
        tuple(kept["keys"]),
        kept["text"],
        before.merged_into if before else None,
        before.organisation if before else None,
    )


def _change(it: BodyRow, id: str, now: int) -> ChangeRow:
    return ChangeRow(it.id, it.version, Change.IMPORT, now, id, "", "", {}, it.record)


def _figure(row: Mapping[str, str]) -> Return:
    made = read_row("returns", 0, row)
    assert isinstance(made, Return)
    return made
