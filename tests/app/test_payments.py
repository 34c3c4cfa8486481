"""Payments are booked once, credit notes never take back more than an invoice, statements tell it all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from baygrid.app import allocations, credit_notes, ledger, papers, payments, projects, statements
from baygrid.app.once import Once
from baygrid.app.problems import (
    Forbidden,
    IdempotencyMismatch,
    Invalid,
    NotEnoughMoney,
    NotFound,
    Problem,
    WrongState,
)
from baygrid.core.pricing.accounts import centre_account, receivable_account, support_account
from baygrid.core.units import Money
from baygrid.ports.papers import DueRow, PaperKind
from baygrid.ports.records import Cursor
from baygrid.store import open_store
from tests.app.stage import OPERATOR, Stage
from tests.app.test_closing import MONTH, NEXT, close, credit, month_passes, ran, set_rates
from tests.app.test_vouchers import issued, pool

ON_BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
FIRST = f"{MONTH}-0001"
CLIENTS = 16


@pytest.fixture(params=ON_BOTH)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    here = f"sqlite:///{tmp_path}/a.db"
    store = open_store(here if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    yield Stage(store, funds="5 CNY")
    store.close()


def cny(text: str) -> Money:
    return Money.parse(f"{text} CNY")


def invoiced(stage: Stage) -> None:
    """16 CNY of the one project: 5 of its grant, 11 on credit, and 0.96 of tax: 11.96 is due."""
    site = stage.add_site("qianhai")
    set_rates(stage)
    credit(stage, "100 CNY")
    ran(stage, site)
    ran(stage, site)
    month_passes(stage)
    close(stage)


def pay(stage: Stage, amount: str, reference: str, kind: PaperKind = PaperKind.INVOICE):
    return payments.pay(stage.platform, OPERATOR, kind, FIRST, cny(amount), reference)


def due(stage: Stage, kind: PaperKind = PaperKind.INVOICE) -> DueRow:
    return papers.shown(stage.platform, OPERATOR, kind, FIRST).due


def balances(stage: Stage) -> dict[str, int]:
    return {account: minor for (account, _), minor in ledger.balances(stage.platform, OPERATOR).items()}


def note(stage: Stage, amount: str, reason: str = "a slow node", once: Once | None = None) -> papers.Shown:
    return credit_notes.credit(stage.platform, OPERATOR, FIRST, cny(amount), reason, once)


def test_an_invoice_is_paid_in_parts_and_each_payment_once(stage: Stage):
    invoiced(stage)
    assert due(stage) == DueRow(1_696, 1_196)
    first = pay(stage, "10", "B-1")
    assert pay(stage, "10", " B-1 ") == first
    assert due(stage).left == 196
    with pytest.raises(WrongState, match=r"1\.96 CNY is left to pay, less than 2\.00 CNY"):
        pay(stage, "2", "B-2")
    with pytest.raises(WrongState, match=rf"'B-1' of demo is a payment of {FIRST} over 10\.00 CNY"):
        pay(stage, "1", "B-1")
    pay(stage, "1.96", "B-2")
    assert due(stage).left == 0
    after = balances(stage)
    assert (after[receivable_account("demo")], after["Assets:Bank"]) == (0, 1_196)
    assert [row.reference for row in payments.payments(stage.platform, stage.team, None)] == ["B-1", "B-2"]


def test_who_pays_ahead_may_spend_it(stage: Stage):
    stage.add_site("qianhai")
    document = {"resources": {"cpus": 8, "memory": 1}}
    with pytest.raises(NotEnoughMoney):
        stage.submit(document)
    for _ in range(2):
        payments.pay_in(stage.platform, OPERATOR, "demo", cny("16777217.01"), "B-1")
    row = projects.project(stage.platform, stage.team, "demo")
    assert row.granted == 500 + 1_677_721_701
    stage.submit(document)
    assert balances(stage)["Assets:Bank"] == 1_677_721_701
    standing = allocations.allocations(stage.platform, stage.team)
    assert sorted(it.row.allocation.source for it in standing) == ["grant", "payment"]


def test_a_settlement_and_a_claim_are_paid(stage: Stage):
    site = stage.add_site("qianhai")
    pool(stage)
    issued(stage)
    credit(stage, "100 CNY")
    ran(stage, site)
    month_passes(stage)
    close(stage)
    before = balances(stage)
    assert (before[support_account("region")], before[centre_account("qianhai")]) == (480, -800)
    pay(stage, "4.80", "F-1", PaperKind.CLAIM)
    pay(stage, "8", "S-1", PaperKind.SETTLEMENT)
    after = balances(stage)
    assert (after[support_account("region")], after[centre_account("qianhai")]) == (0, 0)
    assert after["Assets:Bank"] == 480 - 800
    with pytest.raises(WrongState, match=r"0\.00 CNY is left"):
        pay(stage, "0.01", "S-2", PaperKind.SETTLEMENT)


@pytest.mark.parametrize(
    ("said", "problem", "words"),
    [
        (lambda s: pay(s, "0", "B"), Invalid, "more than zero"),
        (lambda s: pay(s, "-1", "B"), Invalid, "more than zero"),
        (lambda s: pay(s, "1", " "), Invalid, "reference: is empty"),
        (
            lambda s: payments.pay_in(s.platform, OPERATOR, "demo", Money.parse("1 HKD"), "B"),
            Invalid,
            "is in CNY, not HKD",
        ),
        (lambda s: payments.pay_in(s.platform, OPERATOR, "nobody", cny("1"), "B"), NotFound, "no project"),
        (lambda s: payments.pay_in(s.platform, s.team, "demo", cny("1"), "B"), Forbidden, "may not"),
        (lambda s: pay(s, "1", "B", PaperKind.CLAIM), NotFound, "there is no claim"),
        (lambda s: note(s, "16.97"), WrongState, r"16\.96 CNY is left"),
        (lambda s: note(s, "0"), WrongState, "more than nothing"),
        (lambda s: note(s, "1", reason=" "), Invalid, "reason: is empty"),
        (
            lambda s: credit_notes.credit(s.platform, OPERATOR, FIRST, Money.parse("1 HKD"), "x"),
            Invalid,
            "is in CNY, not HKD",
        ),
        (
            lambda s: credit_notes.credit(s.platform, OPERATOR, "2020-01-0001", cny("1"), "x"),
            NotFound,
            "no invoice",
        ),
    ],
)
def test_what_cannot_be_booked_changes_nothing(
    stage: Stage, said: Callable[[Stage], object], problem: type[Problem], words: str
):
    invoiced(stage)
    before = balances(stage)
    with pytest.raises(problem, match=words):
        said(stage)
    assert balances(stage) == before
    assert due(stage) == DueRow(1_696, 1_196)


def test_a_credit_note_takes_what_is_due_first_and_returns_the_rest(stage: Stage):
    invoiced(stage)
    pay(stage, "10", "B-1")
    first = note(stage, "1.06")
    assert first.row.number == f"{NEXT}-0001"
    assert (first.document["tax"]["amount"], first.document["returned"]) == ("0.06 CNY", "0.00 CNY")
    assert due(stage) == DueRow(1_696, 1_196, 1_000, 106, 106)
    rest = note(stage, "15.90")
    assert (rest.row.number, rest.row.regards) == (f"{NEXT}-0002", FIRST)
    assert (rest.document["forgiven"], rest.document["returned"]) == ("0.90 CNY", "15.00 CNY")
    assert due(stage).left == 0
    after = balances(stage)
    assert after["Liabilities:Tax"] == 0, "all of the tax is taken back"
    assert after["Expenses:CreditNotes"] == 1_600
    assert after["Liabilities:Projects:Demo"] == -1_500
    row = projects.project(stage.platform, stage.team, "demo")
    assert row.free == 10_500 - 1_600 + 1_500
    assert papers.shown(stage.platform, stage.team, PaperKind.INVOICE, FIRST).notes == (
        f"{NEXT}-0001",
        f"{NEXT}-0002",
    )
    with pytest.raises(WrongState, match=r"0\.00 CNY is left"):
        note(stage, "0.01")


def test_who_made_a_credit_note_is_told(stage: Stage):
    invoiced(stage)
    pay(stage, "10", "B-1")
    note(stage, "16.96")
    events = stage.store.read(lambda tx: tx.events.after(Cursor(), 10_000))
    (made,) = [event for _, event in events if event.kind == "credit-note-issued"]
    assert made.data["by"] == OPERATOR.token_id
    rows = stage.store.read(lambda tx: tx.accounts.allocations("demo"))
    assert {row.made_by for row in rows if row.allocation.purpose.startswith("credit note")} == {
        OPERATOR.token_id
    }


def test_what_was_returned_is_spent_before_it_is_owed_again(stage: Stage):
    invoiced(stage)
    pay(stage, "11.96", "B-1")
    note(stage, "8.48")
    ran(stage, stage.add_site("nanshan"))
    month_passes(stage)
    close(stage, NEXT)
    found = papers.shown(stage.platform, OPERATOR, PaperKind.INVOICE, f"{NEXT}-0001").document
    assert found["subtotal"] == "8.00 CNY"
    assert found["settled"] == {"grant": "0.00 CNY", "payment": "8.00 CNY", "credit": "0.00 CNY"}


def test_a_credit_note_told_twice_is_one(stage: Stage):
    invoiced(stage)
    told = Once("k-1", "a")
    assert note(stage, "1", once=told).row == note(stage, "1", once=told).row
    assert due(stage).credited == 100
    with pytest.raises(IdempotencyMismatch):
        note(stage, "2", once=Once("k-1", "b"))


def together(works: list[Callable[[], object]]) -> list[BaseException | None]:
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        gate.wait(60)
        work()

    with ThreadPoolExecutor(len(works)) as clients:
        return [done.exception(120) for done in [clients.submit(run, work) for work in works]]


def test_sixteen_at_once_take_back_the_last_of_an_invoice(stage: Stage):
    """11 notes of 1.50 CNY fit into 16.96 CNY."""
    invoiced(stage)
    failed = together([lambda: note(stage, "1.50")] * CLIENTS)
    assert [type(error) for error in failed if error] == [WrongState] * 5
    assert due(stage).credited == 1_650
    rows = papers.listed(
        stage.platform, OPERATOR, PaperKind.CREDIT_NOTE, subject=None, month=None, after="", limit=99
    )
    assert [row.number for row, _ in rows] == [f"{NEXT}-{place:04d}" for place in range(1, 12)]
    assert sum(balances(stage).values()) == 0


def test_sixteen_at_once_pay_one_invoice_by_one_reference(stage: Stage):
    invoiced(stage)
    works: list[Callable[[], object]] = [lambda: pay(stage, "5", "B-1")] * 8
    works += [lambda: payments.pay_in(stage.platform, OPERATOR, "demo", cny("7"), "A-1")] * 8
    assert not any(together(works))
    assert due(stage).paid == 500
    assert balances(stage)["Assets:Bank"] == 1_200


def test_a_statement_of_each_month_goes_on_where_the_last_one_ended(stage: Stage):
    invoiced(stage)
    pay(stage, "10", "B-1")
    note(stage, "1.06")

    def of(start: int, end: int) -> statements.Statement:
        return statements.statement(stage.platform, stage.team, "demo", start, end)

    first, second = of(MONTH.start, MONTH.end), of(MONTH.end, NEXT.end)
    assert first.opening == statements.Balance(0, 0)
    assert [it.what.split(" ")[0] for it in first.movements] == ["first", "job", "job", "invoice"]
    assert first.closing == second.opening == statements.Balance(0, 1_196)
    assert [(it.change.prepaid, it.change.due) for it in second.movements] == [(0, -1_000), (0, -106)]
    assert second.closing == of(0, NEXT.end).closing == statements.Balance(0, 90)
    assert of(NEXT.end, NEXT.end).movements == ()
    with pytest.raises(NotFound):
        statements.statement(stage.platform, stage.team, "other", 0, 1)
