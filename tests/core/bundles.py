"""Bundles as a platform would write them: from usage that agents sign, tariffs, vouchers and holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from baygrid.app.costs import consumption_of
from baygrid.centres.keys import Key
from baygrid.core import terms
from baygrid.core.pricing.charge import Charge, backdated, charges
from baygrid.core.pricing.claims import Claim, Issued, Supporter
from baygrid.core.pricing.credit import CreditNote, credited
from baygrid.core.pricing.invoice import Customer, Invoice, settle
from baygrid.core.pricing.months import Month
from baygrid.core.pricing.papers import Document, Other, Posted
from baygrid.core.pricing.rates import ExchangeRate, Rate, RateKind
from baygrid.core.pricing.settlement import Settlement
from baygrid.core.pricing.tariff import Tariff
from baygrid.core.pricing.vouchers import Drawn, Purse, Terms, Voucher
from baygrid.core.units import Money, exact
from baygrid.ports.bundles import canonical
from baygrid.ports.messages import Usage
from baygrid.ports.wire import usage_bytes, usage_document

NOVEMBER = Month(2026, 11)
AGENT = Key(b"the agent's key of tests: 32 by.")
PLATFORM = Key(b"the platform's key of tests 32b.")
STRANGER = Key(b"a key that nobody here knows 32.")
HOUR = 3_600_000
TAX = Rate(RateKind.TAX, "VAT", Fraction(6, 100), NOVEMBER, "a notice")
FEE = Rate(RateKind.FEE, "fee", Fraction(1, 30), NOVEMBER, "a contract")
HKD = ExchangeRate("CNY", "HKD", Fraction(109, 100), date(2026, 11, 30), "a bank")
FLAT = Tariff(0, "CNY", Fraction(20), Fraction(1, 4), Fraction(1, 50))
HALF = Terms(Fraction(1, 2), Money(10**12, "CNY"), None, 0, 10**15)


@dataclass(frozen=True)
class Ran:
    """One usage record and its charge. `within`: thousandths of what it costs that fit the hold."""

    attempt: str
    n: int
    start: int
    end: int
    cpus: int = 8
    accelerators: int = 0
    share: int = 1000
    within: int = 1000
    project: str = "demo"
    egress: int = 0

    @property
    def usage(self) -> Usage:
        model = "H100" if self.accelerators else None
        return Usage(
            self.attempt, self.n, self.start, self.end, 1, self.cpus, 3000, model, self.accelerators,
            12.5, 700, self.share, self.egress,
        )  # fmt: skip


def signed(document: Mapping[str, Any], key: Key = PLATFORM) -> Document:
    """As the platform would sign it now, whatever it says."""
    rest = {name: value for name, value in document.items() if name != "signed"}
    return {**rest, "signed": {"public_key": key.public_key, "signature": key.sign(canonical(rest))}}


def bundle(ran: Sequence[Ran], tariffs: Sequence[Tariff] = (FLAT,), purse: Purse | None = None) -> Document:
    """Invoices of November, the centre's settlement, the claim of each pool, and a credit note."""
    purse = purse or Purse((Voucher("v0", "a", HALF, Drawn()),), {"a": 10**9})
    vouchers = {it.id: it for it in purse.vouchers}
    costs = _costs(ran, tariffs)
    posted = []
    for number, it in enumerate(ran):
        used = it.usage
        cost = costs[it.attempt, it.n]
        within = cost.total.minor * it.within // 1000
        shares, purse = purse.pay(within, used.start, used.end)
        paid = sum(share.paid for share in shares)
        posted.append(
            Posted(
                it.project,
                f"job-{it.attempt}",
                "train",
                it.attempt,
                it.n,
                "hub",
                "hub-gpu",
                NOVEMBER.start + number,
                "CNY",
                [line.to_json() for line in cost.lines],
                within - paid,
                cost.total.minor - within,
                paid,
                [share.to_json() for share in shares],
            )
        )
    return signed(
        {
            "baygrid": 1,
            "papers": _papers(posted, vouchers),
            "usage": [_usage(it) for it in ran],
            "offers": {"hub-gpu": _offer(tariffs)},
            "vouchers": {it.id: _voucher(it) for it in vouchers.values()},
            "keys": {"hub": [AGENT.public_key]},
        }
    )


def _costs(ran: Sequence[Ran], tariffs: Sequence[Tariff]) -> dict[tuple[str, int], Charge]:
    found = {}
    for attempt in {it.attempt for it in ran}:
        mine = sorted((it for it in ran if it.attempt == attempt), key=lambda it: it.n)
        used = [consumption_of(it.usage) for it in mine]
        for it, cost in zip(mine, charges(used, backdated(tariffs, used)), strict=True):
            found[attempt, it.n] = cost
    return found


def _papers(posted: Sequence[Posted], vouchers: Mapping[str, Voucher]) -> list[Document]:
    papers = []
    invoices: dict[str, str] = {}
    sold = []
    for place, project in enumerate(sorted({it.project for it in posted}), 1):
        invoices[project] = f"2026-11-{place:04d}"
        mine = [it for it in posted if it.project == project]
        others = [Other("storage", NOVEMBER.end - 1, Money(100, "CNY"), f"storage:{project}", project, "hub")]
        sold += others
        invoice = Invoice(
            invoices[project], project, Customer("acme", "Acme", "company"), NOVEMBER, NOVEMBER.end, "CNY",
            mine, others, settle([], {}, mine, others), TAX, HKD,
        )  # fmt: skip
        papers.append(invoice.to_json())
    settled = Settlement("2026-11-0001", "hub", NOVEMBER, NOVEMBER.end, "CNY", posted, FEE, sold)
    papers.append(settled.to_json())
    issued = {
        it.id: Issued(it.id, "acme", it.terms, {"reference": "clause 1", "facts": {"staff": 9}})
        for it in vouchers.values()
    }
    for place, pool in enumerate(sorted({it.pool for it in vouchers.values()}), 1):
        supporter = Supporter(pool, "a fund", "a rulebook", "clause-1", "CNY")
        number = f"2026-11-{place:04d}"
        papers.append(Claim(number, supporter, NOVEMBER, NOVEMBER.end, posted, issued, invoices).to_json())
    papers.append(_credit_note(papers[0]))
    return papers


def _credit_note(invoice: Document) -> Document:
    total, tax = Money.parse(invoice["total"]), Money.parse(invoice["tax"]["amount"])
    parts = credited(Money(1, "CNY"), before=Money(0, "CNY"), total=total, tax=tax, open_due=total)
    return CreditNote("2026-12-0001", invoice, NOVEMBER.next, NOVEMBER.end + 5, "an error", parts).to_json()


def _usage(it: Ran) -> Document:
    return {
        "attempt": it.attempt,
        "n": it.n,
        "centre": "hub",
        "project": it.project,
        "job": f"job-{it.attempt}",
        "offer": "hub-gpu",
        "public_key": AGENT.public_key,
        "record": usage_document(it.usage),
        "signature": AGENT.sign(usage_bytes(it.usage)),
    }


def _offer(tariffs: Sequence[Tariff]) -> Document:
    rates = ("accelerator_hour", "cpu_hour", "gib_hour")
    return {
        "centre": "hub",
        "partition": "gpu",
        "accelerator": "H100",
        "currency": "CNY",
        "tariffs": [
            {
                "valid_from": it.valid_from,
                **{rate: exact(getattr(it, rate)) for rate in rates},
                "terms": None if it.terms is None else _terms(it.terms),
            }
            for it in tariffs
        ],
    }


def _terms(it: terms.Terms) -> Document:
    energy = it.energy
    return {
        "minimum_s": it.minimum_s,
        "round_up_s": it.round_up_s,
        "egress_gib": exact(it.egress_gib),
        "energy": energy
        and {
            "price_kwh": [exact(price) for price in energy.price_kwh],
            "watts_cpu": energy.watts_cpu,
            "watts_accelerator": energy.watts_accelerator,
            "utc_offset_min": energy.utc_offset_min,
        },
    }


def _voucher(it: Voucher) -> Document:
    limits = it.terms
    return {
        "organisation": "acme",
        "project": None,
        "pool": it.pool,
        "rate": exact(limits.rate),
        "cap": str(limits.cap),
        "contract": None if limits.contract is None else str(limits.contract),
        "valid_from": limits.valid_from,
        "valid_until": limits.valid_until,
    }


@st.composite
def usages(draw: st.DrawFn) -> list[Ran]:
    """One to three attempts of one or two records each."""
    found = []
    for number in range(draw(st.integers(1, 3))):
        start, project = draw(st.integers(0, 10**9)), draw(st.sampled_from(("demo", "other")))
        cpus, accelerators = draw(st.integers(0, 64)), draw(st.integers(0, 8))
        share = draw(st.integers(1, 1000))
        for n in range(draw(st.integers(1, 2))):
            end = start + draw(st.integers(0, 10**8))
            within = draw(st.sampled_from((0, 500, 1000)))
            egress = draw(st.integers(0, 10**12)) if n == 0 else 0
            found.append(
                Ran(f"att-{number}", n, start, end, cpus, accelerators, share, within, project, egress)
            )
            start = end
    return found


@st.composite
def tariffs(draw: st.DrawFn) -> list[Tariff]:
    rates = st.fractions(0, 100, max_denominator=10**4)
    starts = [0, *sorted(draw(st.sets(st.integers(1, 10**9), max_size=2)))]
    energy = st.builds(
        terms.Energy,
        st.lists(rates, min_size=24, max_size=24).map(tuple),
        st.integers(0, 100),
        st.integers(0, 700),
        st.sampled_from((0, 480, -300)),
    )
    more = st.builds(terms.Terms, st.integers(0, 10**5), st.integers(0, 10**4), rates, st.none() | energy)
    return [Tariff(at, "CNY", draw(rates), draw(rates), draw(rates), draw(st.none() | more)) for at in starts]


@st.composite
def purses(draw: st.DrawFn) -> Purse:
    fen = st.one_of(st.integers(0, 300), st.integers(0, 10**9))
    found = []
    for number in range(draw(st.integers(0, 3))):
        whole = draw(st.integers(1, 100))
        rate = Fraction(draw(st.integers(1, whole)), whole)
        contract = draw(st.none() | fen.map(lambda minor: Money(minor, "CNY")))
        limits = Terms(rate, Money(draw(fen), "CNY"), contract, 0, 10**13 + number)
        found.append(Voucher(f"v{number}", draw(st.sampled_from("ab")), limits, Drawn()))
    return Purse(tuple(found), {"a": draw(fen), "b": draw(fen)})
