"""Papers say exactly what was posted: no fen is lost between charges, invoices, settlements and claims."""

from collections import defaultdict
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.days import day_of
from baygrid.core.pricing.allocations import Allocation, Source
from baygrid.core.pricing.claims import Claim, Issued, Supporter
from baygrid.core.pricing.credit import CreditNote, credited
from baygrid.core.pricing.invoice import Customer, Invoice, Settled, settle
from baygrid.core.pricing.months import Month
from baygrid.core.pricing.paper_postings import (
    credit_note_postings,
    invoice_postings,
    settlement_postings,
)
from baygrid.core.pricing.papers import Other, Posted
from baygrid.core.pricing.postings import balance
from baygrid.core.pricing.rates import ExchangeRate, Rate, RateKind, also_in, in_force
from baygrid.core.pricing.settlement import Settlement
from baygrid.core.pricing.vouchers import Terms
from baygrid.core.units import Money

NOVEMBER = Month(2026, 11)
FEN = st.one_of(st.integers(0, 300), st.integers(1_677_721_599, 1_677_721_701), st.integers(0, 10**15))
WITHIN = st.integers(NOVEMBER.start, NOVEMBER.end - 1)
RATES = st.fractions(0, 1, max_denominator=10_000)
ACME = Customer("acme", "Acme", "company")


def posted(project="demo", centre="qianhai", amount=100, overrun=0, shares=(), at=NOVEMBER.start, n=0):
    return Posted(
        project, "job-1", "train", f"att-{n}", n, centre, "offer-1", at, "CNY", [], amount, overrun,
        sum(share["paid"] for share in shares), shares,
    )  # fmt: skip


def share(pool="a", paid=5, voucher="v1"):
    had = {"base": 0, "paid": 0, "carry": 0}
    return {"voucher": voucher, "pool": pool, "base": paid * 2, "paid": paid, "had": had, "pool_left": 10**18}


@st.composite
def charges(draw):
    found = []
    for n in range(draw(st.integers(0, 8))):
        shares = draw(st.lists(st.builds(share, st.sampled_from("ab"), FEN), max_size=2))
        project, centre = draw(st.sampled_from(("demo", "other"))), draw(st.sampled_from(("hub", "nanshan")))
        found.append(posted(project, centre, draw(FEN), draw(FEN), shares, draw(WITHIN), n))
    return found


@st.composite
def allocations(draw):
    found = []
    for n in range(draw(st.integers(0, 4))):
        start = draw(st.integers(NOVEMBER.start - 10**9, NOVEMBER.end))
        end = draw(st.none() | st.integers(start + 1, start + 10**10))
        source, amount = draw(st.sampled_from(Source)), Money(draw(FEN), "CNY")
        found.append(Allocation(f"al-{n}", "demo", source, amount, start, end, ""))
    return found


def rate(value: Fraction, kind=RateKind.TAX, since=NOVEMBER, name="VAT") -> Rate:
    return Rate(kind, name, value, since, "a notice")


def invoice(charges, settled=None, others=(), tax=None, exchange=None, number="2026-11-0001") -> Invoice:
    settled = settle([], {}, charges, others) if settled is None else settled
    return Invoice(
        number, "demo", ACME, NOVEMBER, NOVEMBER.end, "CNY", charges, others, settled, tax, exchange
    )


def minor(text) -> int:
    return Money.parse(text).minor


@given(charges(), RATES)
def test_what_centres_earn_is_what_all_charges_come_to(found, fee):
    of = defaultdict(list)
    for it in found:
        of[it.centre].append(it)
    settlements = [
        Settlement("2026-11-0001", centre, NOVEMBER, 0, "CNY", rows, rate(fee, RateKind.FEE))
        for centre, rows in of.items()
    ]
    assert sum(it.gross.minor for it in settlements) == sum(it.total for it in found)
    for it in settlements:
        doc = it.to_json()
        assert sum(minor(row["total"]) for row in doc["charges"]) == minor(doc["gross"])
        assert minor(doc["fee"]["amount"]) + minor(doc["payable"]) == minor(doc["gross"])
        assert abs(it.gross.minor * fee - it.fee_amount.minor) <= Fraction(1, 2)
        assert not any(balance(settlement_postings(it.centre, it.payable)).values())


@given(charges())
def test_project_platform_and_pools_together_pay_what_centres_earn(found):
    paid = 0
    for project in ("demo", "other"):
        doc = invoice([it for it in found if it.project == project]).to_json()
        paid += minor(doc["subtotal"]) + minor(doc["supported"]) + minor(doc["overrun"])
    assert paid == sum(it.total for it in found)
    issued = Issued("v1", "acme", Terms(Fraction(1, 3), Money(10**18, "CNY"), None, 0, 1), {})
    numbers = {"demo": "2026-11-0001", "other": "2026-11-0002"}
    claimed = 0
    for pool in "ab":
        supporter = Supporter(pool, "the city", "book", "art-5", "CNY")
        claim = Claim("2026-11-0001", supporter, NOVEMBER, 0, found, {"v1": issued}, numbers)
        doc = claim.to_json()
        assert minor(doc["total"]) == claim.total.minor == sum(row["paid"] for row in doc["shares"])
        claimed += claim.total.minor
    assert claimed == sum(it.supported for it in found)


@given(charges(), allocations(), RATES)
def test_an_invoice_adds_up(found, funds, tax):
    mine = [it for it in found if it.project == "demo"]
    it = invoice(mine, settle(funds, {}, mine, ()), tax=rate(tax))
    doc = it.to_json()
    settled = {source: minor(text) for source, text in doc["settled"].items()}
    assert sum(settled.values()) == minor(doc["subtotal"]) == sum(row.amount for row in mine)
    assert minor(doc["due"]) == settled["credit"] + minor(doc["tax"]["amount"])
    assert minor(doc["total"]) == minor(doc["subtotal"]) + minor(doc["tax"]["amount"])
    for one in funds:
        assert minor(doc["drawn"].get(one.id, "0 CNY")) <= one.amount.minor
    assert not any(balance(invoice_postings("demo", Money(settled["credit"], "CNY"), it.tax_amount)).values())


@given(charges(), allocations())
def test_two_months_draw_no_allocation_twice(found, funds):
    first, second = found[::2], found[1::2]
    earlier = settle(funds, {}, first, ())
    later = settle(funds, earlier.by_allocation, second, ())
    for it in funds:
        both = earlier.by_allocation.get(it.id, 0) + later.by_allocation.get(it.id, 0)
        assert both <= it.amount.minor


@given(charges(), st.lists(st.tuples(WITHIN, st.integers(-(10**6), 10**6)), max_size=4), allocations())
def test_money_that_comes_back_is_settled_too(found, more, funds):
    others = [
        Other("reservation", at, Money(minor, "CNY"), f"trade:{n}", "demo", "hub")
        for n, (at, minor) in enumerate(more)
    ]
    settled = settle(funds, {}, found, others)
    subtotal = sum(it.amount for it in found) + sum(it.amount.minor for it in others)
    assert sum(settled.by_source.values()) == subtotal
    assert settled[Source.GRANT] >= 0
    assert settled[Source.CREDIT] >= 0


def test_what_comes_back_undoes_what_was_drawn_last():
    funds = [
        Allocation("early", "demo", Source.GRANT, Money(100, "CNY"), 0, None, ""),
        Allocation("late", "demo", Source.CREDIT, Money(100, "CNY"), 0, None, ""),
    ]
    back = Other("unsold hours", NOVEMBER.start + 5, Money(-30, "CNY"), "trade:1", "demo", "hub")
    settled = settle(funds, {}, [posted(amount=150)], [back])
    assert settled.by_allocation == {"early": 100, "late": 20}
    more = settle(funds, {}, [posted(amount=10)], [back])
    assert (more.by_allocation, more[Source.PAYMENT]) == ({}, -20)


def test_an_allocation_made_later_does_not_change_what_was_drawn():
    credit = Allocation("a-credit", "demo", Source.CREDIT, Money(100, "CNY"), 0, None, "")
    grant = Allocation("b-grant", "demo", Source.GRANT, Money(100, "CNY"), 0, None, "made in December")
    november = settle([credit], {}, [posted(amount=60)], ())
    december = settle([credit, grant], november.by_allocation, [posted(amount=120)], ())
    assert november.by_allocation == {"a-credit": 60}
    assert december.by_allocation == {"b-grant": 100, "a-credit": 20}


@given(st.integers(1, 10**15), RATES, st.integers(0, 10**15), st.lists(FEN, max_size=6))
def test_credit_notes_take_back_an_invoice_and_its_tax_never_more(subtotal, tax, due, parts):
    taxed = rate(tax).of(Money(subtotal, "CNY"))
    total = Money(subtotal, "CNY") + taxed
    before, back, open_due = Money.zero("CNY"), 0, Money(min(due, total.minor), "CNY")
    for part in [*parts, total.minor]:
        amount = Money(min(part, total.minor - before.minor), "CNY")
        if not amount.minor:
            continue
        found = credited(amount, before=before, total=total, tax=taxed, open_due=open_due)
        assert found.forgiven + found.returned == amount
        assert not any(balance(credit_note_postings("demo", found)).values())
        before, back, open_due = before + amount, back + found.tax.minor, open_due - found.forgiven
    assert (before, back) == (total, taxed.minor)
    assert open_due.minor == 0
    with pytest.raises(ValueError, match=r"0\.00 CNY is left"):
        credited(Money(1, "CNY"), before=before, total=total, tax=taxed, open_due=open_due)


def test_an_invoice_as_a_document():
    line = {"item": "cpu", "quantity": "1/3", "unit": "cpu-hour", "rate": "1", "amount": "16777217.01 CNY"}
    charge = posted(amount=1_677_721_701, overrun=1, shares=[share(paid=2)], n=3)
    charge = Posted(**{name: getattr(charge, name) for name in Posted.__slots__} | {"lines": [line]})
    vat = rate(Fraction("0.06"))
    hkd = ExchangeRate("CNY", "HKD", Fraction("1.0870"), date(2026, 11, 30), "HKMA")
    settled = Settled({Source.GRANT: 1_677_721_000, Source.CREDIT: 701}, {"al-1": 1_677_721_000})
    assert invoice([charge], settled, (), vat, hkd).to_json() == {
        "kind": "invoice",
        "number": "2026-11-0001",
        "project": "demo",
        "organisation": {"name": "acme", "title": "Acme", "kind": "company"},
        "month": "2026-11",
        "from": 1_793_462_400_000,
        "to": 1_796_054_400_000,
        "issued_at": 1_796_054_400_000,
        "currency": "CNY",
        "charges": [
            {
                "job": "job-1",
                "job_name": "train",
                "attempt": "att-3",
                "n": 3,
                "centre": "qianhai",
                "offer": "offer-1",
                "at": 1_793_462_400_000,
                "lines": [line],
                "amount": "16777217.01 CNY",
                "overrun": "0.01 CNY",
                "supported": "0.02 CNY",
                "shares": [share(paid=2)],
            }
        ],
        "others": [],
        "subtotal": "16777217.01 CNY",
        "supported": "0.02 CNY",
        "overrun": "0.01 CNY",
        "tax": {"name": "VAT", "rate": "0.06", "source": "a notice", "amount": "1006633.02 CNY"},
        "total": "17783850.03 CNY",
        "settled": {"grant": "16777210.00 CNY", "payment": "0.00 CNY", "credit": "7.01 CNY"},
        "drawn": {"al-1": "16777210.00 CNY"},
        "due": "1006640.03 CNY",
        "also_in": {
            "currency": "HKD",
            "rate": "1.087",
            "on": "2026-11-30",
            "source": "HKMA",
            "total": "19331044.98 HKD",
        },
    }


def test_without_a_rate_an_invoice_names_none():
    doc = invoice([posted(amount=1)]).to_json()
    assert (doc["tax"], doc["also_in"]) == (None, None)
    assert (doc["total"], doc["due"]) == ("0.01 CNY", "0.01 CNY"), "no allocation covers it"


def test_a_credit_note_names_its_invoice():
    bill = invoice([posted(amount=10_000)], tax=rate(Fraction("0.06"))).to_json()
    parts = credited(
        Money(5_300, "CNY"),
        before=Money(0, "CNY"),
        total=Money(10_600, "CNY"),
        tax=Money(600, "CNY"),
        open_due=Money(5_000, "CNY"),
    )
    doc = CreditNote("2026-12-0001", bill, Month(2026, 12), NOVEMBER.end, "a node was slow", parts).to_json()
    assert (doc["invoice"], doc["amount"], doc["tax"]["amount"]) == ("2026-11-0001", "53.00 CNY", "3.00 CNY")
    assert (doc["forgiven"], doc["returned"]) == ("50.00 CNY", "3.00 CNY")


def test_a_centre_is_paid_for_what_it_sold_ahead():
    sold = Other("reserved 8 units", NOVEMBER.start, Money(500, "CNY"), "trade:1", "demo", "qianhai")
    fee = rate(Fraction("0.03"), RateKind.FEE)
    doc = Settlement("2026-11-0001", "qianhai", NOVEMBER, 0, "CNY", [posted()], fee, [sold]).to_json()
    assert (doc["gross"], doc["fee"]["amount"], doc["payable"]) == ("6.00 CNY", "0.18 CNY", "5.82 CNY")
    assert doc["others"] == [
        {
            "project": "demo",
            "what": "reserved 8 units",
            "at": NOVEMBER.start,
            "amount": "5.00 CNY",
            "key": "trade:1",
        }
    ]


def test_papers_of_one_currency():
    with pytest.raises(ValueError, match="a charge in CNY"):
        Settlement("2026-11-0001", "qianhai", NOVEMBER, 0, "HKD", [posted()], None)
    with pytest.raises(ValueError, match="settled otherwise"):
        invoice([posted(amount=5)], Settled())


@given(st.integers(Month(1971, 1).start, Month(9998, 12).end - 1))
def test_every_moment_is_in_one_month(at: int):
    month = Month.of(at)
    assert month.start <= at < month.end == month.next.start
    assert Month.parse(str(month)) == month
    assert month.first_day <= day_of(at) <= month.last_day


def test_months_are_those_of_the_region():
    before = NOVEMBER.start - 1
    assert (str(Month.of(before)), str(day_of(before))) == ("2026-10", "2026-10-31")
    assert str(Month(2026, 12).next) == "2027-01"


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "26-11", "2026-11-01", "", "1970-01", "9999-01"])
def test_what_is_no_month(text: str):
    with pytest.raises(ValueError, match="write for example 2026-11"):
        Month.parse(text)


def test_the_last_rate_that_began_is_in_force_and_a_correction_counts():
    rates = [
        rate(Fraction("0.06"), since=Month(2026, 9)),
        rate(Fraction("0.13"), since=NOVEMBER),
        rate(Fraction("0.09"), since=NOVEMBER, name="VAT, corrected"),
        rate(Fraction("0.05"), since=Month(2026, 12)),
        rate(Fraction("0.02"), RateKind.FEE),
    ]
    assert in_force(rates, RateKind.TAX, Month(2026, 8)) is None
    assert in_force(rates, RateKind.TAX, Month(2026, 10)) == rates[0]
    assert in_force(rates, RateKind.TAX, NOVEMBER) == rates[2]
    assert in_force(rates, RateKind.FEE, Month(2027, 1)) == rates[4]


def test_an_exchange_rate_is_of_the_month_and_may_be_turned():
    def known(base, quote, value, day, source):
        return ExchangeRate(base, quote, Fraction(value), date.fromisoformat(day), source)

    rates = [
        known("CNY", "HKD", "1.08", "2026-10-31", "too old"),
        known("CNY", "HKD", "1.09", "2026-11-02", "early"),
        known("CNY", "HKD", "1.0870", "2026-11-30", "mistaken"),
        known("CNY", "HKD", "1.0871", "2026-11-30", "last"),
        known("CNY", "HKD", "1.10", "2026-12-01", "too late"),
    ]
    assert also_in(rates, "CNY", NOVEMBER) == rates[3]
    assert also_in(rates, "CNY", Month(2026, 9)) is None
    turned = also_in(rates, "HKD", NOVEMBER)
    assert turned is not None
    assert (turned.rate, str(turned.convert(Money(10_871, "HKD")))) == (
        Fraction(10_000, 10_871),
        "100.00 CNY",
    )
    assert also_in(rates, "JPY", NOVEMBER) is None
    with pytest.raises(ValueError, match="does not convert"):
        turned.convert(Money(1, "CNY"))
