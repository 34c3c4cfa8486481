"""Open tables: whoever asks has them at once, where nothing personal or important is shown and the law
asks for nothing first."""

from __future__ import annotations

from baygrid.app.contract_steps import Taken, advance, loaded, opened
from baygrid.app.crossing import Crossing, answer, standing
from baygrid.app.platform import Platform
from baygrid.core.data.contracts import Side, Step
from baygrid.core.data.labels import Important
from baygrid.core.data.permission import outside, unlawful
from baygrid.core.days import day_of
from baygrid.ports.basics import Instant
from baygrid.ports.contracts import ContractRow
from baygrid.ports.store import Tx


def settle(platform: Platform, tx: Tx, row: ContractRow, now: Instant) -> ContractRow:
    """The contract after a request: final where its tables are open; else it waits for the provider."""
    it = loaded(tx, row)
    if not _open(it):
        return row
    today = day_of(now)
    found = answer(it, today, lambda: None, platform.lists)
    pilot = standing(it).pilot
    if unlawful(found.law, row.choice, row.records, today) or (pilot and outside(pilot, row.scope, now)):
        return row
    for grant in it.grants:
        tx.contracts.change_grant(opened(grant, now))
    for step in (Step.AGREE, Step.VERIFY, Step.FINALIZE):
        data = {"decision": found.document} if step is Step.AGREE else {}
        taken = Taken(step, Side.PLATFORM, "", {"code": "open-data", **data})
        row = advance(tx, row, taken, now, decision=found.document)
    return row


def _open(it: Crossing) -> bool:
    shown = it.shown
    return (
        all(table.open for table in it.tables.values())
        and shown.personal is False
        and shown.important is Important.NO
        and shown.core is False
    )
