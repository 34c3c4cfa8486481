"""Bundles: papers with all that they follow from, signed by the platform, so that anybody can recompute them
with `baygrid bill verify` and without a server."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from baygrid.app.access import Action, Actor, permit
from baygrid.app.monthly import posted
from baygrid.app.others import others
from baygrid.app.papers import find
from baygrid.app.platform import Platform
from baygrid.app.problems import Problem
from baygrid.app.projects import find_project
from baygrid.core.pricing.contracts import Terms as ListingTerms
from baygrid.core.pricing.invoice import charge_document
from baygrid.core.pricing.papers import Document, Other
from baygrid.core.pricing.recompute.reading import VERSION
from baygrid.core.pricing.tariff import Tariff
from baygrid.core.units import Money, exact
from baygrid.ports.basics import Instant
from baygrid.ports.bundles import SIGNED, canonical
from baygrid.ports.papers import PaperKind
from baygrid.ports.records import Offer
from baygrid.ports.store import Tx
from baygrid.ports.support import VoucherRow
from baygrid.ports.usage import ChargeRow, UsageRow
from baygrid.ports.wire import usage_document


class NoSigner(Problem):
    status, code, title = 503, "no-signing-key", "This server signs nothing"


def public_key(platform: Platform, actor: Actor) -> str:
    """Of the platform, hex. Raises NoSigner."""
    permit(actor, Action.BROWSE)
    if platform.signer is None:
        raise NoSigner("it was started without a signing key")
    return platform.signer.public_key


def of_project(platform: Platform, actor: Actor, project: str, start: Instant, end: Instant) -> Document:
    """Everything charged in [start, end), whether or not a month was closed with it. Raises NoSigner."""
    permit(actor, Action.READ, project=project)
    now = platform.clock()

    def load(tx: Tx) -> Document:
        row = find_project(tx, project)
        charges, bought = tx.money.charges(project, start, end), others(tx, start, end, project)
        paper = {
            "kind": "bill",
            "project": project,
            "from": start,
            "to": end,
            "issued_at": now,
            "currency": row.currency,
            "charges": _charge_documents(tx, charges),
            "others": [it.to_json() for it in bought],
            **_sums(charges, bought, row.currency),
        }
        return _bundle(platform, tx, [paper], charges)

    return _signed(platform, platform.store.read(load))


def of_paper(platform: Platform, actor: Actor, kind: PaperKind, number: str) -> Document:
    """Of an issued paper: with the invoices that a claim rests on; with the invoice that a credit note is of,
    and the notes on it before this one. Raises NotFound, NoSigner."""

    def load(tx: Tx) -> Document:
        paper = find(tx, actor, kind, number).document
        papers = [*_before(tx, paper), paper]
        return _bundle(platform, tx, papers, _charges(tx, papers))

    return _signed(platform, platform.store.read(load))


def _before(tx: Tx, paper: Document) -> list[Document]:
    """What a reader needs to have read before."""
    if paper["kind"] == PaperKind.CLAIM:
        numbers = sorted({share["invoice"] for share in paper["shares"]})
        return [_document(tx, PaperKind.INVOICE, number) for number in numbers]
    if paper["kind"] == PaperKind.CREDIT_NOTE:
        notes = tx.papers.regarding(paper["invoice"])
        earlier = notes[: notes.index(paper["number"])]
        found = [_document(tx, PaperKind.CREDIT_NOTE, number) for number in earlier]
        return [_document(tx, PaperKind.INVOICE, paper["invoice"]), *found]
    return []


def _document(tx: Tx, kind: PaperKind, number: str) -> Document:
    found = tx.papers.paper(kind, number)
    assert found is not None, "another paper names it"
    document: Document = orjson.loads(found[0].document)
    return document


def _charges(tx: Tx, papers: Sequence[Document]) -> list[ChargeRow]:
    """The charges that these papers have."""
    named = [charge for paper in papers for charge in paper.get("charges", ())]
    keys = {(charge["attempt"], charge["n"]) for charge in named}
    rows = tx.money.charges_of(sorted({charge["job"] for charge in named}))
    return [row for row in rows if (row.attempt, row.n) in keys]


def _charge_documents(tx: Tx, charges: Sequence[ChargeRow]) -> list[Document]:
    jobs = tx.jobs.get(sorted({charge.job for charge in charges}))
    return [charge_document(posted(charge, jobs[charge.job].name)) for charge in charges]


def _sums(charges: Sequence[ChargeRow], bought: Sequence[Other], currency: str) -> Document:
    paid = sum(it.amount for it in charges) + sum(it.amount.minor for it in bought)
    subtotal = str(Money(paid, currency))
    return {
        "subtotal": subtotal,
        "supported": str(Money(sum(it.supported for it in charges), currency)),
        "overrun": str(Money(sum(it.overrun for it in charges), currency)),
        "total": subtotal,
    }


def _bundle(platform: Platform, tx: Tx, papers: Sequence[Document], charges: Sequence[ChargeRow]) -> Document:
    """The papers with the evidence of these charges, not yet signed."""
    region = platform.catalogue.at(tx)
    used = {charge.offer for charge in charges}
    offers = {charge.attempt: charge.offer for charge in charges}
    usage = tx.money.usage_of(sorted(offers))
    covers = {(charge.attempt, charge.n): charge.covers for charge in charges if charge.covers}
    # A centre that is settled with learns nothing of its customers' vouchers.
    settled = all(paper["kind"] == PaperKind.SETTLEMENT for paper in papers)
    named = set() if settled else {share["voucher"] for charge in charges for share in charge.shares}
    document: Document = {
        "baygrid": VERSION,
        "papers": list(papers),
        "usage": [_usage(row, offers[row.signed.usage.attempt], covers) for row in usage],
        "offers": {id: _offer(region.offers[id]) for id in sorted(used)},
        "vouchers": {
            row.voucher.id: _voucher(row) for row in tx.support.vouchers() if row.voucher.id in named
        },
        "keys": _keys(tx, usage),
    }
    taken = {cover["of"] for rows in covers.values() for cover in rows}
    return document | ({"trades": _trades(tx, taken)} if taken else {})


def _trades(tx: Tx, taken: Collection[str]) -> Document:
    """What was sold by each of these trades and spot listings."""
    sold = {row.id: _trade(row.terms, None) for row in tx.trading.listings() if row.id in taken}
    return sold | {row.id: _trade(row.terms, row.project) for row in tx.trading.trades() if row.id in taken}


def _trade(row: ListingTerms, project: str | None) -> Document:
    return {
        "project": project,
        "offer": row.offer,
        "kind": row.kind.value,
        "rate": exact(row.rate),
        "cpus": row.cpus,
        "memory_mib": row.memory_mib,
    }


def _usage(
    row: UsageRow, offer: str, covers: Mapping[tuple[str, int], Sequence[Mapping[str, Any]]]
) -> Document:
    usage = row.signed.usage
    taken = covers.get((usage.attempt, usage.n))
    document = {
        "attempt": usage.attempt,
        "n": usage.n,
        "centre": row.centre,
        "project": row.project,
        "job": row.job,
        "offer": offer,
        "public_key": row.public_key,
        "record": usage_document(usage),
        "signature": row.signed.signature,
    }
    return document | ({"covers": list(taken)} if taken else {})


def _offer(row: Offer) -> Document:
    return {
        "centre": row.centre,
        "partition": row.partition,
        "accelerator": row.accelerator,
        "currency": row.currency,
        "tariffs": list(map(_tariff, row.tariffs)),
    }


def _tariff(row: Tariff) -> Document:
    return {
        "valid_from": row.valid_from,
        "accelerator_hour": exact(row.accelerator_hour),
        "cpu_hour": exact(row.cpu_hour),
        "gib_hour": exact(row.gib_hour),
        "terms": None if row.terms is None else row.terms.to_json(),
    }


def _voucher(row: VoucherRow) -> Document:
    terms = row.voucher.terms
    return {
        "organisation": row.organisation,
        "project": row.project,
        "pool": row.voucher.pool,
        "rate": exact(terms.rate),
        "cap": str(terms.cap),
        "contract": None if terms.contract is None else str(terms.contract),
        "valid_from": terms.valid_from,
        "valid_until": terms.valid_until,
    }


def _keys(tx: Tx, usage: Iterable[UsageRow]) -> Mapping[str, list[str]]:
    """The keys by which each centre was known: of its agent now, of agents that joined by a token of its, and
    of those whose records were taken under its credential."""
    found: dict[str, set[str]] = {}
    for row in usage:
        found.setdefault(row.centre, set()).add(row.public_key)
    for centre, keys in found.items():
        record = tx.region.centre(centre)
        keys |= {record.public_key} if record is not None and record.public_key else set()
    for token in tx.region.tokens():
        if token.centre in found and token.used_by is not None:
            found[token.centre].add(token.used_by)
    return {centre: sorted(keys) for centre, keys in sorted(found.items())}


def _signed(platform: Platform, document: Document) -> Document:
    """Raises NoSigner."""
    if platform.signer is None:
        raise NoSigner("it was started without a signing key")
    signature = platform.signer.sign(canonical(document))
    return {**document, SIGNED: {"public_key": platform.signer.public_key, "signature": signature}}
