"""The ledger always balances, and Beancount agrees."""

import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from beancount import loader
from beancount.core.account import is_valid
from beancount.core.data import Transaction as Entry
from hypothesis import example, given
from hypothesis import strategies as st

from baygrid.core.pricing.accounts import component, income_account, project_account
from baygrid.core.pricing.beancount import render
from baygrid.core.pricing.postings import (
    Posting,
    Transaction,
    Unbalanced,
    balance,
    charge_postings,
    grant_postings,
)
from baygrid.core.units import CurrencyMismatch, Money

NAMES = st.one_of(
    st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,10}[A-Za-z0-9])?", fullmatch=True),
    st.text("aAxX-_. 0深圳éßǆ😀", max_size=8),
    st.text(max_size=8),
)
AMOUNTS = st.integers(0, 10**15)
CURRENCIES = st.sampled_from(("CNY", "HKD", "JPY"))
JANUARY = 1_767_225_600_000  # 2026-01-01T00:00Z


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("demo", "Demo"),
        ("vision-lab", "Vision-lab"),
        ("3d", "3d"),
        ("Demo", "X---Demo"),
        ("深圳", "X---深圳"),
        ("a_b", "A--5f-b"),
        ("a.b", "A--2e-b"),
        ("a--b", "A--2d--b"),
        ("", "X---"),
    ],
)
def test_names_of_accounts(name: str, written: str):
    assert component(name) == written


@given(st.lists(NAMES, min_size=2, max_size=30, unique=True))
@example(["demo", "Demo", "x", "x---", "X---", "-demo", "x---demo", "_x", "a-", "a--2d-", "a--2d"])
@example(["ſ", "s", "S", "ß", "ss", "ǆ", "ǅ", "Ǆ", "ı", "i", "I", "İ"])
def test_no_two_names_share_an_account_and_beancount_takes_them_all(names: list[str]):
    assert len({component(name) for name in names}) == len(names)
    assert all(is_valid(project_account(name)) and is_valid(income_account(name)) for name in names)


@given(NAMES, NAMES, CURRENCIES, AMOUNTS, AMOUNTS)
def test_grants_and_charges_balance(project: str, centre: str, currency: str, amount: int, overrun: int):
    paid, borne = Money(amount, currency), Money(overrun, currency)
    postings = [*grant_postings(project, paid), *charge_postings(project, centre, paid, borne)]
    assert not any(balance(postings).values())
    assert all(posting.money.minor for posting in postings)
    # What was granted and then charged leaves nothing owed to the project.
    assert sum(p.money.minor for p in postings if p.account == project_account(project)) == 0
    assert -sum(p.money.minor for p in postings if p.account == income_account(centre)) == amount + overrun


def test_a_charge_above_its_hold_falls_to_the_platform():
    postings = charge_postings("demo", "qianhai", Money(1_000, "CNY"), Money(250, "CNY"))
    assert {posting.account: str(posting.money) for posting in postings} == {
        "Liabilities:Projects:Demo": "10.00 CNY",
        "Expenses:Overrun": "2.50 CNY",
        "Income:Compute:Qianhai": "-12.50 CNY",
    }


def test_what_cannot_be_posted():
    with pytest.raises(Unbalanced, match=r"does not balance: \{'CNY': 1\} minor units are left"):
        Transaction("txn-1", "k", 0, "", (Posting("Equity:Grants", Money(1, "CNY")),))
    with pytest.raises(ValueError, match="cannot be negative"):
        charge_postings("demo", "qianhai", Money(-1, "CNY"), Money(0, "CNY"))
    with pytest.raises(CurrencyMismatch):
        charge_postings("demo", "qianhai", Money(1, "CNY"), Money(0, "HKD"))


def ledger() -> list[Transaction]:
    grant = grant_postings("demo", Money.parse("100000000.01 CNY"))
    charged = charge_postings("demo", "qianhai", Money(1_677_721_701, "CNY"), Money(3, "CNY"))
    sources = ("usage:att-1:0", "usage:att-1:1")
    return [
        Transaction("txn-2", "charge:att-1:0", JANUARY + 86_400_000, 'job "x"\\n', charged, sources),
        Transaction("txn-1", "grant:1", JANUARY, "前海 grant", grant),
    ]


def test_the_ledger_as_text():
    assert render(ledger()) == (
        'option "title" "Baygrid"\n'
        "\n"
        "2026-01-01 open Equity:Grants\n"
        "2026-01-02 open Expenses:Overrun\n"
        "2026-01-02 open Income:Compute:Qianhai\n"
        "2026-01-01 open Liabilities:Projects:Demo\n"
        "\n"
        '2026-01-01 * "前海 grant"\n'
        '  id: "txn-1"\n'
        '  key: "grant:1"\n'
        "  Equity:Grants  100000000.01 CNY\n"
        "  Liabilities:Projects:Demo  -100000000.01 CNY\n"
        "\n"
        '2026-01-02 * "job \\"x\\"\\\\n"\n'
        '  id: "txn-2"\n'
        '  key: "charge:att-1:0"\n'
        '  source: "usage:att-1:0"\n'
        '  source-2: "usage:att-1:1"\n'
        "  Liabilities:Projects:Demo  16777217.01 CNY\n"
        "  Expenses:Overrun  0.03 CNY\n"
        "  Income:Compute:Qianhai  -16777217.04 CNY\n"
    )


@given(
    st.lists(
        st.tuples(NAMES, NAMES, CURRENCIES, AMOUNTS, AMOUNTS, st.integers(0, 10**13), st.text(max_size=20)),
        max_size=5,
    )
)
def test_beancount_reads_what_was_written(rows):
    written = []
    for number, (project, centre, currency, amount, overrun, at, words) in enumerate(rows):
        postings = charge_postings(project, centre, Money(amount + 1, currency), Money(overrun, currency))
        written.append(Transaction(f"txn-{number}", words, at, words, postings, (words, words)))
    entries, errors, _ = loader.load_string(render(written))
    assert not errors
    read = {entry.meta["id"]: entry for entry in entries if isinstance(entry, Entry)}
    assert len(read) == len(written)
    for transaction in written:
        entry = read[transaction.id]
        assert entry.narration == entry.meta["source-2"] == printable(transaction.narration)
        assert [(p.account, str(p.units)) for p in entry.postings] == [
            (p.account, str(p.money)) for p in transaction.postings
        ]


def printable(words: str) -> str:
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" else c for c in words)


@pytest.mark.slow
def test_bean_check_accepts_the_ledger(tmp_path: Path):
    file = tmp_path / "ledger.beancount"
    check = [str(Path(sys.executable).parent / "bean-check"), "--no-cache", str(file)]
    file.write_text(render(ledger()), encoding="utf-8")
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    file.write_text(render(ledger()).replace("0.03 CNY", "0.04 CNY"), encoding="utf-8")
    wrong = subprocess.run(check, capture_output=True, text=True, check=False)
    assert wrong.returncode != 0
    assert "Transaction does not balance" in wrong.stderr
