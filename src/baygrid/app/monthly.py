"""What a month's papers are made of, and each of them with what it posts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from baygrid.app.others import others
from baygrid.app.papers import sealed
from baygrid.app.platform import Platform
from baygrid.core.pricing.allocations import Allocation, Source
from baygrid.core.pricing.claims import Claim, Supporter
from baygrid.core.pricing.claims import Issued as IssuedVoucher
from baygrid.core.pricing.invoice import Customer, Invoice, settle
from baygrid.core.pricing.months import Month
from baygrid.core.pricing.paper_postings import invoice_postings, settlement_postings
from baygrid.core.pricing.papers import Other, Posted, number
from baygrid.core.pricing.postings import Posting, Transaction
from baygrid.core.pricing.rates import ExchangeRate, Rate, RateKind, also_in, in_force
from baygrid.core.pricing.settlement import Settlement
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.papers import PaperKind, PaperRow
from baygrid.ports.records import Organisation, Project
from baygrid.ports.store import Tx
from baygrid.ports.usage import ChargeRow


@dataclass(frozen=True, slots=True)
class Books:
    """A month as it was posted. `now`: when its papers are issued."""

    month: Month
    now: Instant
    projects: Mapping[str, Project]
    organisations: Mapping[str, Organisation]
    charges: Sequence[Posted]
    others: Sequence[Other]
    tax: Rate | None
    fee: Rate | None
    exchange_rates: Sequence[ExchangeRate]

    def exchange(self, currency: str) -> ExchangeRate | None:
        return also_in(self.exchange_rates, currency, self.month)


@dataclass(frozen=True, slots=True)
class Issued:
    """A paper, what is to be paid of it (minor units), and what it posts. `drawn`: of an invoice, by
    allocation."""

    row: PaperRow
    due: int
    transaction: Transaction | None
    drawn: Mapping[str, int] = field(default_factory=dict)


def read_books(tx: Tx, month: Month, now: Instant) -> Books:
    rates = [row.rate for row in tx.papers.rates()]
    charges = tx.money.all_charges(month.start, month.end)
    jobs = tx.jobs.get(sorted({row.job for row in charges}))
    projects = tx.region.projects()
    return Books(
        month,
        now,
        projects,
        {row.name: row for row in tx.region.organisations()},
        [posted(row, jobs[row.job].name) for row in charges],
        others(tx, month.start, month.end),
        in_force(rates, RateKind.TAX, month),
        in_force(rates, RateKind.FEE, month),
        [row.rate for row in tx.papers.exchange_rates()],
    )


def posted(row: ChargeRow, job_name: str) -> Posted:
    """A charge in the words of papers."""
    return Posted(
        row.project,
        row.job,
        job_name,
        row.attempt,
        row.n,
        row.centre,
        row.offer,
        row.at,
        row.currency,
        row.lines,
        row.amount,
        row.overrun,
        row.supported,
        row.shares,
    )


def invoices(platform: Platform, tx: Tx, books: Books) -> Iterator[Issued]:
    """One for each project that used or bought anything, in the order of their names."""
    charges: dict[str, list[Posted]] = defaultdict(list)
    for charge in books.charges:
        charges[charge.project].append(charge)
    others: dict[str, list[Other]] = defaultdict(list)
    for other in books.others:
        others[other.project].append(other)
    for place, name in enumerate(sorted({*charges, *others}), 1):
        project = books.projects[name]
        organisation = books.organisations[project.organisation]
        earlier = tx.papers.draws(name)
        settled = settle(_funds(tx, name, books.month), earlier, charges[name], others[name])
        paper = Invoice(
            number(books.month, place),
            name,
            Customer(organisation.name, organisation.title, organisation.kind.value),
            books.month,
            books.now,
            project.currency,
            charges[name],
            others[name],
            settled,
            books.tax,
            books.exchange(project.currency),
        )
        row = sealed(PaperKind.INVOICE, name, paper.to_json())
        credit = Money(settled[Source.CREDIT], project.currency)
        postings = invoice_postings(name, credit, paper.tax_amount)
        posted = _transaction(platform, books, row, f"invoice {row.number} of {name}", postings)
        yield Issued(row, paper.due.minor, posted, settled.by_allocation)


def _funds(tx: Tx, project: str, month: Month) -> list[Allocation]:
    """What a project could spend in a month."""
    rows = [row.allocation for row in tx.accounts.allocations(project) if row.begun]
    return [it for it in rows if it.start < month.end]


def settlements(platform: Platform, books: Books) -> Iterator[Issued]:
    """One for each centre that earned anything, and currency."""
    charges: dict[tuple[str, str], list[Posted]] = defaultdict(list)
    for charge in books.charges:
        charges[charge.centre, charge.currency].append(charge)
    others: dict[tuple[str, str], list[Other]] = defaultdict(list)
    for other in books.others:
        others[other.centre, other.amount.currency].append(other)
    for place, of in enumerate(sorted({*charges, *others}), 1):
        centre, currency = of
        paper = Settlement(
            number(books.month, place),
            centre,
            books.month,
            books.now,
            currency,
            charges[of],
            books.fee,
            others[of],
        )
        row = sealed(PaperKind.SETTLEMENT, centre, paper.to_json())
        postings = settlement_postings(centre, paper.payable)
        posted = _transaction(platform, books, row, f"settlement {row.number} with {centre}", postings)
        yield Issued(row, paper.payable.minor, posted)


def claims(tx: Tx, books: Books, numbers: Mapping[str, str]) -> Iterator[Issued]:
    """One for each pool that paid anything. `numbers`: of each project's invoice. What a payer owes was
    posted with each charge."""
    paying = {str(share["pool"]) for it in books.charges for share in it.shares if share["paid"]}
    if not paying:
        return
    vouchers = {
        row.voucher.id: IssuedVoucher(row.voucher.id, row.organisation, row.voucher.terms, row.finding)
        for row in tx.support.vouchers()
    }
    pools = [row for row in tx.support.pools() if row.name in paying]
    for place, pool in enumerate(pools, 1):
        paper = Claim(
            number(books.month, place),
            Supporter(pool.name, pool.payer, pool.rulebook, pool.clause, pool.currency),
            books.month,
            books.now,
            books.charges,
            vouchers,
            numbers,
        )
        yield Issued(sealed(PaperKind.CLAIM, pool.name, paper.to_json()), paper.total.minor, None)


def _transaction(
    platform: Platform, books: Books, row: PaperRow, narration: str, postings: Sequence[Posting]
) -> Transaction | None:
    """Dated on the last moment of the month: it belongs to it."""
    if not postings:
        return None
    name = f"{row.kind.value}:{row.number}"
    id = platform.ids.new("txn", books.now)
    return Transaction(id, name, books.month.end - 1, narration, tuple(postings), (name,))
