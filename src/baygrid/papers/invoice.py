"""Invoices as letters: what was used, by item and by job, and who pays."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from baygrid.core.units import Money
from baygrid.papers.letter import Column, Letter, Sum, Table
from baygrid.papers.parts import (
    Document,
    customer,
    finished,
    money,
    others,
    tax_label,
    total_of,
    when,
    with_currency,
)
from baygrid.papers.words import Words


def invoice(doc: Document, words: Words, sample: bool) -> Letter:
    tax, also = doc["tax"], doc["also_in"]
    sums = [
        Sum(words("subtotal"), money(words, doc["subtotal"])),
        *([Sum(tax_label(words, "tax", tax), money(words, tax["amount"]))] if tax else []),
        *total_of(words, "total", doc["total"], main=False),
        *(Sum(words(it), money(words, doc["settled"][it])) for it in ("grant", "payment", "credit")),
        Sum(words("due"), with_currency(words, doc["due"]), main=True),
        *([_also(words, also)] if also else []),
    ]
    notes = [*([] if tax else ["no-tax"]), "borne", "clock", "not-tax", "recompute"]
    facts = [
        (words("organisation"), customer(words, doc["organisation"])),
        (words("project"), doc["project"]),
        *when(doc, words),
    ]
    tables = [_items(doc, words), _charges(doc, words), _supported(doc, words), others(doc, words)]
    return finished(doc, words, sample, facts, tables, sums, notes)


def _also(words: Words, also: Document) -> Sum:
    label = words(
        "also-in",
        currency=also["currency"],
        rate=words.number(Fraction(also["rate"])),
        day=words.iso_day(also["on"]),
        source=also["source"],
    )
    return Sum(label, money(words, also["total"]))


def _items(doc: Document, words: Words) -> Table:
    """What was used of what at which rate."""
    sums: dict[tuple[str, str, str, str], tuple[Fraction, Money]] = {}
    for charge in doc["charges"]:
        for line in charge["lines"]:
            key = (charge["centre"], line["item"], line["unit"], line["rate"])
            quantity, amount = sums.get(key, (Fraction(0), Money.zero(doc["currency"])))
            sums[key] = quantity + Fraction(line["quantity"]), amount + Money.parse(line["amount"])
    rows = tuple(
        (
            centre,
            words.known(f"item-{item}", item),
            words.number(quantity),
            words.known(f"unit-{unit}", unit),
            words.number(Fraction(rate), 9),
            words.money(amount),
        )
        for (centre, item, unit, rate), (quantity, amount) in sorted(sums.items())
    )
    columns = (
        Column(words("centre"), wide=True),
        Column(words("item")),
        Column(words("quantity"), figures=True),
        Column(words("unit")),
        Column(words("rate"), figures=True),
        Column(words("amount"), figures=True),
    )
    return Table(words("by-item"), columns, rows)


def _charges(doc: Document, words: Words) -> Table:
    """A row for each job: what it cost and who pays."""
    of: dict[tuple[str, str], list[Document]] = defaultdict(list)
    for charge in doc["charges"]:
        of[charge["job"], charge["centre"]].append(charge)
    parts = ("supported", "overrun", "amount")
    rows = []
    for (job, centre), charges in of.items():
        sums = [sum((Money.parse(it[part]) for it in charges), Money.zero(doc["currency"])) for part in parts]
        name = f"{charges[0]['job_name']} ({job})"
        cost = sum(sums, Money.zero(doc["currency"]))
        rows.append((words.day(charges[-1]["at"]), name, centre, *map(words.money, (cost, *sums))))
    columns = (
        Column(words("date")),
        Column(words("job"), wide=True),
        Column(words("centre")),
        Column(words("cost"), figures=True),
        Column(words("supported"), figures=True),
        Column(words("overrun"), figures=True),
        Column(words("paid-by-project"), figures=True),
    )
    return Table(words("charges"), columns, tuple(rows))


def _supported(doc: Document, words: Words) -> Table:
    """What each voucher paid."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for charge in doc["charges"]:
        for share in charge["shares"]:
            sums[share["voucher"]][0] += share["base"]
            sums[share["voucher"]][1] += share["paid"]
    rows = tuple(
        (voucher, *(words.money(Money(minor, doc["currency"])) for minor in found))
        for voucher, found in sorted(sums.items())
    )
    columns = (
        Column(words("voucher"), wide=True),
        Column(words("base"), figures=True),
        Column(words("paid"), figures=True),
    )
    return Table(words("vouchers"), columns, rows)
