"""Papers, what is due of them, closed months: nothing is posted into one, whoever posts and when."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from baygrid.core.pricing.months import Month
from baygrid.core.pricing.postings import Posting
from baygrid.core.units import Money
from baygrid.ports.papers import CloseRow, DueRow, PaperKind, Party
from baygrid.ports.store import Exists, Store, Tx
from baygrid.store import open_store
from tests.store.records import booking, charge, exchange_rate, paper, payment, tax

NOVEMBER = Month(2026, 11)
DECEMBER = NOVEMBER.next
ON_POSTGRESQL = [pytest.param("postgresql", marks=pytest.mark.postgres)]


def closed(month: Month) -> CloseRow:
    return CloseRow(str(month), month.end, month.end + 300_000, "tok-operator")


def test_papers_are_found_by_number_subject_and_month(store: Store):
    rows = [
        (paper(1), 701),
        (paper(2, subject="other", total=-5), -5),
        (paper(1, month="2026-12"), 0),
        (paper(1, kind=PaperKind.CREDIT_NOTE, regards="2026-11-0001"), 0),
    ]
    store.write(lambda tx: tx.papers.insert(rows))
    first = (rows[0][0], DueRow(1_677_721_701, 701))

    def page(subject=None, month=None, after="", limit=9, kind=PaperKind.INVOICE):
        found = store.read(lambda tx: tx.papers.page(kind, subject, month, after, limit))
        return [row.number for row, _ in found]

    assert store.read(lambda tx: tx.papers.paper(PaperKind.INVOICE, "2026-11-0001")) == first
    assert store.read(lambda tx: tx.papers.paper(PaperKind.CLAIM, "2026-11-0001")) is None
    assert page() == ["2026-11-0001", "2026-11-0002", "2026-12-0001"]
    assert page(subject="demo") == ["2026-11-0001", "2026-12-0001"]
    assert page(month="2026-11", after="2026-11-0001") == ["2026-11-0002"]
    assert page(limit=1) == ["2026-11-0001"]
    note, _ = store.read(lambda tx: tx.papers.page(PaperKind.CREDIT_NOTE, None, None, "", 9))[0]
    assert note.regards == "2026-11-0001"
    found = store.read(lambda tx: tx.papers.paper(PaperKind.INVOICE, "2026-11-0002"))
    assert found is not None
    assert (found[0].total, found[1]) == (-5, DueRow(0, 0))
    with pytest.raises(Exists):
        store.write(lambda tx: tx.papers.insert([(paper(3), 0), (paper(1), 0)]))
    assert page() == ["2026-11-0001", "2026-11-0002", "2026-12-0001"]


def test_a_due_never_goes_below_nothing(store: Store):
    store.write(lambda tx: tx.papers.insert([(paper(1, total=100), 60)]))

    def settle(**more):
        store.write(lambda tx: tx.papers.settle(PaperKind.INVOICE, "2026-11-0001", **more))
        return store.write(lambda tx: tx.papers.lock_due(PaperKind.INVOICE, "2026-11-0001"))

    assert settle(paid=40) == DueRow(100, 60, 40)
    assert settle(forgiven=20, credited=100) == DueRow(100, 60, 40, 20, 100)
    for more in ({"paid": 1}, {"forgiven": 1}, {"credited": 1}):
        with pytest.raises((sqlite3.IntegrityError, psycopg.errors.CheckViolation)):
            settle(**more)
    assert store.write(lambda tx: tx.papers.lock_due(PaperKind.CLAIM, "2026-11-0001")) is None


def test_payments_are_booked_once_by_reference_and_party(store: Store):
    rows = [payment(), payment("B-2", number="2026-11-0001"), payment(party=Party.CENTRE)]

    def apply(tx: Tx) -> None:
        for row in rows:
            tx.papers.insert_payment(row)

    store.write(apply)
    with pytest.raises(Exists):
        store.write(lambda tx: tx.papers.insert_payment(payment(amount=7)))
    assert store.read(lambda tx: tx.papers.payments(None, None)) == rows
    assert store.read(lambda tx: tx.papers.payments(Party.PROJECT, "demo")) == rows[:2]
    assert store.read(lambda tx: tx.papers.payment(Party.PROJECT, "demo", "B-2")) == rows[1]
    assert store.read(lambda tx: tx.papers.payment(Party.POOL, "demo", "B-1")) is None


def test_what_invoices_drew_of_allocations(store: Store):
    store.write(lambda tx: tx.papers.insert_draws("demo", "2026-11-0001", {"a": 5, "b": 2**60}))
    store.write(lambda tx: tx.papers.insert_draws("demo", "2026-12-0001", {"a": 7}))
    store.write(lambda tx: tx.papers.insert_draws("other", "2026-12-0002", {}))
    assert store.read(lambda tx: tx.papers.draws("demo")) == {"a": 12, "b": 2**60}
    assert store.read(lambda tx: tx.papers.draws("other")) == {}
    with pytest.raises(Exists):
        store.write(lambda tx: tx.papers.insert_draws("demo", "2026-11-0001", {"a": 5}))


def test_rates_come_back_in_the_order_in_which_they_were_set(store: Store):
    given = [tax("1/3", "2026-12"), tax()]
    told = [exchange_rate(), exchange_rate("1.0871")]

    def apply(tx: Tx) -> None:
        for row in given:
            tx.papers.insert_rate(row)
        for other in told:
            tx.papers.insert_exchange_rate(other)

    store.write(apply)
    assert store.read(lambda tx: tx.papers.rates()) == given
    assert store.read(lambda tx: tx.papers.exchange_rates()) == told


def test_what_comes_late_is_posted_in_the_open_month(store: Store):
    late, early = NOVEMBER.end - 1, NOVEMBER.end + 5
    store.write(lambda tx: tx.money.post([booking(1, at=late)]))
    store.write(lambda tx: tx.money.insert_charges([charge(n=1, at=late)]))
    store.write(lambda tx: tx.papers.close(closed(NOVEMBER)))
    store.write(lambda tx: tx.money.post([booking(2, at=late), booking(3, at=early)]))
    store.write(lambda tx: tx.money.insert_charges([charge(n=2, at=late), charge(n=3, at=early)]))
    assert [one.at for one in store.read(lambda tx: tx.money.transactions(None, 9))] == [
        late,
        NOVEMBER.end,
        early,
    ]
    assert [row.n for row in store.read(lambda tx: tx.money.all_charges(0, NOVEMBER.end))] == [1]
    rows = store.read(lambda tx: tx.money.all_charges(NOVEMBER.end, DECEMBER.end))
    assert [(row.n, row.at) for row in rows] == [(2, NOVEMBER.end), (3, early)]
    assert store.read(lambda tx: tx.papers.closes()) == [closed(NOVEMBER)]
    with pytest.raises(Exists):
        store.write(lambda tx: tx.papers.close(closed(NOVEMBER)))


@pytest.mark.parametrize("database", ["file"], indirect=True)
def test_sqlite_itself_refuses_a_row_in_a_closed_month(store: Store, url: str):
    _closed_with_a_row(store)
    other = sqlite3.connect(url.removeprefix("sqlite:///"))
    for command in _INTO_THE_CLOSED_MONTH:
        with pytest.raises(sqlite3.IntegrityError, match="a closed month gets no more"):
            other.execute(command)
    other.close()


@pytest.mark.parametrize("database", ON_POSTGRESQL, indirect=True)
def test_postgresql_itself_refuses_a_row_in_a_closed_month(store: Store, url: str):
    _closed_with_a_row(store)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as other:
        for command in _INTO_THE_CLOSED_MONTH:
            with pytest.raises(psycopg.errors.RaiseException, match="a closed month gets no more"):
                other.execute(command.encode())


_CHARGE = (
    "INSERT INTO charges (attempt, n, job, project, centre, offer, at, currency, amount, overrun, ledger,"
    f" lines) VALUES ('a', 9, 'j', 'p', 'c', 'o', {NOVEMBER.end - 1}, 'CNY', 0, 0, '', '[]')"
)
_POSTED = (
    f"INSERT INTO ledger (id, key, at, narration, sources) VALUES ('x', 'x', {NOVEMBER.end - 1}, '', '')"
)
_INTO_THE_CLOSED_MONTH = (_CHARGE, _POSTED)


def _closed_with_a_row(store: Store) -> None:
    store.write(lambda tx: tx.money.post([booking(1, at=NOVEMBER.start)]))
    store.write(lambda tx: tx.papers.close(closed(NOVEMBER)))


@pytest.mark.parametrize("database", ON_POSTGRESQL, indirect=True)
def test_a_close_waits_for_who_posts_into_its_month_and_for_nobody_else(url: str):
    """Two servers. One is in the middle of a charge when the other closes its month."""
    one, two = open_store(url), open_store(url)
    posting, go_on = threading.Event(), threading.Event()
    seen: list[int] = []

    def charges(tx: Tx) -> None:
        tx.money.insert_charges([charge(n=1, at=NOVEMBER.end - 1)])
        posting.set()
        assert go_on.wait(30)

    def closes(tx: Tx) -> None:
        tx.papers.lock_month(NOVEMBER)
        seen.append(len(tx.money.all_charges(NOVEMBER.start, NOVEMBER.end)))
        tx.papers.close(closed(NOVEMBER))

    with ThreadPoolExecutor() as pool:
        charging = pool.submit(one.write, charges)
        assert posting.wait(30)
        closing = pool.submit(two.write, closes)
        late = pool.submit(one.write, lambda tx: tx.money.insert_charges([charge(n=3, at=NOVEMBER.start)]))
        one.write(lambda tx: tx.money.insert_charges([charge(n=2, at=NOVEMBER.end)]))
        go_on.set()
        for done in (charging, closing, late):
            done.result(30)
    rows = one.read(lambda tx: tx.money.all_charges(0, DECEMBER.end))
    assert len([row for row in rows if row.at < NOVEMBER.end]) == seen[0]
    assert {row.n for row in rows} == {1, 2, 3}
    one.close()
    two.close()


@pytest.mark.parametrize("database", ON_POSTGRESQL, indirect=True)
def test_numbers_have_no_gap_and_no_twin(url: str):
    """Sixteen clients, one of which gives up after it had its number."""
    store = open_store(url)

    def issue(client: int) -> None:
        def apply(tx: Tx) -> None:
            place = tx.papers.next_place(PaperKind.CREDIT_NOTE, NOVEMBER)
            tx.papers.insert([(paper(place, kind=PaperKind.CREDIT_NOTE, subject=f"client-{client}"), 0)])
            if client == 3:
                raise RuntimeError("gives up")

        store.write(apply)

    with ThreadPoolExecutor(16) as pool:
        failed = [done.exception() for done in [pool.submit(issue, client) for client in range(16)]]
    assert [str(error) for error in failed if error] == ["gives up"]
    rows = store.read(lambda tx: tx.papers.page(PaperKind.CREDIT_NOTE, None, None, "", 99))
    assert [row.number for row, _ in rows] == [f"2026-11-{place:04d}" for place in range(1, 16)]
    store.close()


def test_the_ledger_by_account_and_time(store: Store):
    def income(account):
        return (Posting("Liabilities:Projects:Demo", Money(7, "CNY")), Posting(account, Money(-7, "CNY")))

    given = [
        booking(3, at=10, postings=income("Income:Compute:Hub")),
        booking(1, at=20, key="trade:1", postings=income("Income:Trading:Hub")),
        booking(2, at=30, postings=income("Income:Compute:Hub")),
    ]
    assert store.read(lambda tx: tx.money.oldest()) is None
    store.write(lambda tx: tx.money.post(given))
    store.write(lambda tx: tx.money.insert_charges([charge(at=5)]))
    assert store.read(lambda tx: tx.money.oldest()) == 5
    mine = ["Liabilities:Projects:Demo", "Assets:Receivable:Demo"]
    assert store.read(lambda tx: tx.money.movements(mine, 10, 30)) == given[:2]
    assert store.read(lambda tx: tx.money.movements(["Equity:Grants"], 0, 99)) == []
    assert store.read(lambda tx: tx.money.other_income(0, 99)) == [given[1]]
    assert store.read(lambda tx: tx.money.standing(mine, 30)) == {("Liabilities:Projects:Demo", "CNY"): 14}
    assert store.read(lambda tx: tx.money.transaction(given[1].key)) == given[1]
    assert store.read(lambda tx: tx.money.transaction("charge:none:0")) is None
