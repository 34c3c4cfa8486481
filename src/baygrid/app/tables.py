"""The catalogue: tables that projects offer, as everybody with a token may find them. Where one is read, and
with which secret, only its owner is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from baygrid.app.access import Action, Actor, permit
from baygrid.app.catalogue import RegionCopy
from baygrid.app.inputs import find_dataset
from baygrid.app.names import check_jurisdiction, check_name
from baygrid.app.once import Once, answered
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound, WrongState
from baygrid.app.projects import find_project
from baygrid.app.sources import Unreadable, reader_of, source_of
from baygrid.core.data import described
from baygrid.core.data.labelling import told
from baygrid.core.data.labels import Labels
from baygrid.core.jobs.addresses import DATASET, dataset
from baygrid.core.reading import Wrong
from baygrid.ports.data import TableRow
from baygrid.ports.reader import Column, Format, ReadFailed, Source
from baygrid.ports.records import Event, Role
from baygrid.ports.store import Exists, Tx

MOST_COLUMNS = 2_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class New:
    """A table as its owner describes it. `uri`: as `ports.reader.Source`, or a dataset. `place` None:
    where the dataset says that it belongs."""

    name: str
    title: str
    format: str
    uri: str
    table: str = ""
    place: str | None = None
    secret: str | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """`own`: the reader's organisation owns it. Others do not see where it is read, nor with which secret."""

    row: TableRow
    own: bool


def tables(platform: Platform, actor: Actor, *, project: str | None, search: str) -> list[View]:
    """By project and name. `search`: words of which each is somewhere in what everybody is told of it."""
    permit(actor, Action.BROWSE)

    def load(tx: Tx) -> list[View]:
        region = platform.catalogue.at(tx)
        rows = tx.catalogue.tables(None if project is None else [project])
        return [_view(region, actor, row) for row in rows if not search or _found(row, search)]

    return platform.store.read(load)


def _found(row: TableRow, search: str) -> bool:
    labels = [word for it in row.labels.values() for word in told(it)]
    texts = [row.ref, row.title, row.place, row.format.value, *(it.name for it in row.columns), *labels]
    return described.matches(search, texts)


def table(platform: Platform, actor: Actor, project: str, name: str) -> View:
    """Raises NotFound."""
    permit(actor, Action.BROWSE)
    return platform.store.read(
        lambda tx: _view(platform.catalogue.at(tx), actor, find_table(tx, project, name))
    )


def find_table(tx: Tx, project: str, name: str) -> TableRow:
    """Its newest version. Raises NotFound."""
    row = tx.catalogue.table(project, name)
    if row is None:
        raise NotFound(f"there is no table {f'{project}/{name}'!r}: `baygrid tables` lists them")
    return row


def _view(region: RegionCopy, actor: Actor, row: TableRow) -> View:
    return View(row, is_own(region, actor, row))


def is_own(region: RegionCopy, actor: Actor, row: TableRow) -> bool:
    """Whether the table belongs to the actor's organisation; to an operator all do."""
    organisation = region.organisations.get(row.project)
    return actor.role is Role.OPERATOR or (
        actor.role is Role.TEAM and region.organisations.get(actor.project or "", "-") == organisation
    )


def add(platform: Platform, actor: Actor, project: str | None, new: New, once: Once | None = None) -> View:
    """The next version of that name: its columns are looked up now. Labels stay confirmed of those columns of
    the same source that have not changed. Raises Invalid, NotFound, NoReader, Unreadable, WrongState."""
    project = project or actor.project
    if project is None:
        raise Invalid.at("project", "is missing: say whose table it is")
    permit(actor, Action.USE, project=project)
    now = platform.clock()
    row, source = platform.store.read(lambda tx: _described(platform, tx, actor, project, new))
    row = replace(row, columns=_columns(platform, source), made_at=now)

    def apply(tx: Tx) -> TableRow:
        answered(tx, project, once, now, lambda: _insert(tx, row))
        return find_table(tx, project, new.name)

    try:
        return View(platform.store.write(apply), own=True)
    except Exists:
        raise WrongState(f"table {new.name!r} is just being changed: try again") from None


def _described(platform: Platform, tx: Tx, actor: Actor, project: str, new: New) -> tuple[TableRow, Source]:
    """What the owner says, checked, still without columns; and where it is read."""
    find_project(tx, project)
    if "." in check_name("name", new.name):
        raise Invalid.at("name", "cannot have a full stop: it is read as SHARE.PROJECT.TABLE")
    title = checked("title", lambda: described.line(new.title))
    uri, place = new.uri, new.place
    if uri.startswith(DATASET):
        uri, place, read = _of_dataset(platform, tx, project, uri, place)
    elif uri.startswith("blob:"):
        raise Invalid.at("uri", "is no address of a table: make it a dataset first, and name that")
    else:
        read = uri
    real = checked("uri", lambda: described.source(new.format, read, new.table))
    if place is None:
        raise Invalid.at("place", "is missing: say where the table lies, for example CN-QH or HK")
    check_jurisdiction("place", place)
    if new.secret is not None and new.secret not in {row.name for row in tx.secrets.of(project)}:
        cure = f"set it with `baygrid secrets set {new.secret[:80]} --project {project}`"
        raise Invalid.at("secret", f"project {project!r} has no secret {new.secret[:80]!r}: {cure}")
    row = TableRow(
        project=project,
        name=new.name,
        version=0,
        title=title,
        place=place,
        format=Format(new.format),
        uri=uri if uri.startswith(DATASET) else real,
        table=new.table,
        secret=new.secret,
        columns=(),
        labels={},
        confirmed_by=None,
        open=new.open,
        made_at=0,
        made_by=actor.token_id,
    )
    return row, source_of(platform, tx, row)


def _of_dataset(
    platform: Platform, tx: Tx, project: str, uri: str, place: str | None
) -> tuple[str, str | None, str]:
    """The dataset's full name, where it belongs, and its own URI. Only what the organisation itself owns can
    be offered in its name."""
    ref = checked("uri", lambda: dataset(uri))
    row = find_dataset(tx, project, ref)
    organisations = platform.catalogue.at(tx).organisations
    if row is None or organisations.get(row.project, "-") != organisations.get(project, ""):
        raise Invalid.at("uri", f"there is no {ref} of this organisation's: `baygrid datasets` lists them")
    return row.ref, place or row.jurisdiction, row.uri


def _columns(platform: Platform, source: Source) -> tuple[Column, ...]:
    columns = looked(platform, source)
    names = [it.name for it in columns]
    if not 1 <= len(columns) <= MOST_COLUMNS:
        raise Unreadable(f"it has {len(columns)} columns: a table here has 1 to {MOST_COLUMNS}")
    twice = described.duplicates(names)
    if twice:
        raise Unreadable(f"it has the column {twice[0]!r} twice but for its case: give one another name")
    return columns


def looked(platform: Platform, source: Source) -> tuple[Column, ...]:
    """Raises NoReader, Unreadable."""
    try:
        return reader_of(platform).look(source).columns
    except ReadFailed as error:
        raise Unreadable(str(error)) from None


def _insert(tx: Tx, row: TableRow) -> str:
    before = tx.catalogue.table(row.project, row.name)
    labels = _kept(before, row)
    confirmed_by = before.confirmed_by if before is not None and labels else None
    version = 1 if before is None else before.version + 1
    row = replace(row, version=version, labels=labels, confirmed_by=confirmed_by)
    tx.catalogue.insert_table(row)
    lost = sorted(set(before.labels) - set(labels)) if before else []
    data = {"table": row.ref, "version": version, "place": row.place, "open": row.open, "unconfirmed": lost}
    tx.events.append([Event(row.made_at, "table-added", row.project, data=data)])
    said = {**data, "columns": [it.name for it in row.columns], "by": row.made_by}
    tx.audit.append(row.made_at, "table-added", said, contract=None, project=row.project)
    return row.ref


def _kept(before: TableRow | None, row: TableRow) -> Mapping[str, Labels]:
    """A column that changed, or is read elsewhere now, was confirmed by nobody. A dataset's next version is
    the same source."""
    if before is None or _where(before) != _where(row):
        return {}
    types = {it.name: it.type for it in before.columns}
    return {
        it.name: before.labels[it.name]
        for it in row.columns
        if it.name in before.labels and types[it.name] == it.type
    }


def _where(row: TableRow) -> Sequence[str]:
    uri = row.uri.partition("@")[0] if row.uri.startswith(DATASET) else row.uri
    return row.format, uri, row.table


def checked(path: str, check: Callable[[], T]) -> T:
    """Raises Invalid where that raises Wrong."""
    try:
        return check()
    except Wrong as wrong:
        raise Invalid.at(path, str(wrong)) from None
