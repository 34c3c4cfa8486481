"""Contracts about data as people see them: what was agreed, what the law says today, what is to be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from baygrid.app.access import Action, Actor
from baygrid.app.contract_steps import find, loaded
from baygrid.app.crossing import Answer, Crossing, standing
from baygrid.app.platform import Platform
from baygrid.core.data.permission import Obligation, Record, permitted, unmet
from baygrid.core.days import day_of
from baygrid.core.reasons import Reason
from baygrid.ports.contracts import ContractRow, ContractStep
from baygrid.ports.store import Tx


@dataclass(frozen=True, slots=True)
class Contract:
    """`it` has its row, grants and tables."""

    it: Crossing
    steps: tuple[ContractStep, ...]

    @property
    def row(self) -> ContractRow:
        return self.it.row


@dataclass(frozen=True, slots=True)
class Due:
    """An obligation as it stands: what is recorded of it, and why it is in the way, if it is."""

    obligation: Obligation
    record: Record | None
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Whole:
    """`answer`: the law's of `today`. `why` it cannot be read now; None: it can."""

    contract: Contract
    today: date
    answer: Answer
    dues: tuple[Due, ...]
    why: Reason | None


def view(tx: Tx, row: ContractRow) -> Contract:
    return Contract(loaded(tx, row), tuple(tx.contracts.steps(row.id)))


def whole(platform: Platform, actor: Actor, id: str, action: Action = Action.READ) -> Whole:
    """`action`: for which it is shown: who has just taken a step sees what came of it. Raises NotFound."""
    now = platform.clock()
    today = day_of(now)

    def load(tx: Tx) -> Whole:
        row, _ = find(tx, actor, id, action)
        contract = view(tx, row)
        answer, _ = platform.lawful.judged(tx, contract.it, None, today)
        dues = tuple(
            Due(it, row.records.get(it.id), unmet(it, row.records.get(it.id), today))
            for it in answer.law.obligations
        )
        return Whole(contract, today, answer, dues, permitted(standing(contract.it), answer.law, now))

    return platform.store.read(load)
