"""The papers of a contract about data, drafted from what is recorded."""

from __future__ import annotations

from collections.abc import Mapping

from baygrid.app.access import Actor
from baygrid.app.contract_view import Due, Whole, whole
from baygrid.app.crossing import Crossing, since
from baygrid.app.lawful import countable, persons
from baygrid.app.platform import Platform
from baygrid.core.data.drafts import Matter, Table, Task, drafts
from baygrid.core.data.labels import Labels
from baygrid.core.data.showing import columns_shown
from baygrid.core.data.terms import Mode
from baygrid.core.days import day_of
from baygrid.ports.contracts import GrantRow


def documents(platform: Platform, actor: Actor, id: str) -> Mapping[str, str]:
    """Markdown by file name. Raises NotFound."""
    found = whole(platform, actor, id)
    it = found.contract.it
    counted = None
    if found.answer.counts and countable(it):
        start = since(found.today)
        counted = platform.store.read(lambda tx: persons(tx, it.row.exporter, start, it.grants))
    return drafts(_matter(found, counted))


def _matter(found: Whole, counted: tuple[int, int] | None) -> Matter:
    it, law = found.contract.it, found.answer.law
    row = it.row
    return Matter(
        id=row.id,
        share=row.share,
        day=str(found.today),
        provider=row.exporter,
        consumer=row.consumer if it.recipient is None else it.recipient.organisation,
        exporter={} if it.exporter is None else it.exporter.facts,
        recipient={} if it.recipient is None else it.recipient.facts,
        purpose=row.purpose,
        ground=row.ground,
        choice=row.choice,
        onward=row.onward,
        start=str(day_of(row.start)),
        until=None if row.until is None else str(day_of(row.until)),
        outcome=law.outcome,
        basis=law.basis,
        notes=found.answer.document["notes"],
        tables=[_table(it, grant) for grant in it.grants],
        persons=counted,
        tasks=[_task(due, found) for due in found.dues],
    )


def _table(it: Crossing, grant: GrantRow) -> Table:
    table, terms = it.tables[grant.ref], grant.terms
    shown = columns_shown([column.name for column in table.columns], terms)
    over = terms.k if terms.mode is Mode.AGGREGATE else None
    columns = [(name, _said(table.labels.get(name))) for name in shown]
    return Table(grant.ref, table.place, columns, terms.filter, terms.masks, over)


def _said(labels: Labels | None) -> str:
    if labels is None:
        return "nobody has said what it is in law"
    words = [
        name
        for name, value in (
            ("personal", labels.personal),
            ("sensitive", labels.sensitive),
            ("core data", labels.core),
            ("tells persons apart", labels.subject),
        )
        if value
    ]
    unknown = [name for name in ("personal", "sensitive", "core") if getattr(labels, name) is None]
    words += [f"important: {labels.important.value}", f"origin: {labels.origin.value}"]
    return ", ".join(words + [f"{name}: not known" for name in unknown])


def _task(due: Due, found: Whole) -> Task:
    it, record = due.obligation, due.record
    by = next((duty["by"] for duty in found.answer.document["obligations"] if duty["id"] == it.id), "")
    last = "before the first byte" if it.first else "" if it.due is None else str(it.due)
    clock = next(
        (duty["clock"] for duty in found.answer.document["obligations"] if duty["id"] == it.id), None
    )
    if clock is not None and not last:
        last = (
            f"{clock['number']} {clock['unit'].replace('_', ' ')}, which have not begun or are not published"
        )
    done = "no"
    if record is not None:
        where = record.reference or f"document {(record.sha256 or '')[:12]}"
        done = f"{record.day} by {record.by}: {where}"
    return Task(it.says, it.article, by, last, done)
