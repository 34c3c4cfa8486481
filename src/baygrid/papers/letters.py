"""Documents as letters: one function for each kind of paper."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

from baygrid.core.units import Money
from baygrid.papers.invoice import invoice
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

EXAMPLE: Final = "example"
"""The rulebook of invented numbers: what is claimed by it is a sample."""


def letter(document: Document, language: str, *, sample: bool = False) -> Letter:
    """`document`: an invoice, settlement, claim, credit note or statement. `sample`: its data is synthetic,
    which it then says. Raises KeyError for another kind and for a language that there are no words of."""
    write = _KINDS[document["kind"]]
    return write(document, Words(language), sample or document.get("rulebook") == EXAMPLE)


def _settlement(doc: Document, words: Words, sample: bool) -> Letter:
    of: dict[str, list[Document]] = defaultdict(list)
    for charge in doc["charges"]:
        of[charge["project"]].append(charge)
    rows = []
    for project, charges in sorted(of.items()):
        total = sum((Money.parse(it["total"]) for it in charges), Money.zero(doc["currency"]))
        rows.append((project, str(len({it["job"] for it in charges})), words.money(total)))
    columns = (
        Column(words("project"), wide=True),
        Column(words("job"), figures=True),
        Column(words("amount"), figures=True),
    )
    every = tuple(
        (words.day(it["at"]), it["project"], it["job"], money(words, it["total"])) for it in doc["charges"]
    )
    each = (
        Column(words("date")),
        Column(words("project")),
        Column(words("job"), wide=True),
        Column(words("amount"), figures=True),
    )
    fee = words("fee", rate=words.percent(Fraction(doc["fee"]["rate"])))
    sums = [
        Sum(words("gross"), money(words, doc["gross"])),
        Sum(fee, words.money(-Money.parse(doc["fee"]["amount"]))),
        *total_of(words, "payable", doc["payable"]),
    ]
    tables = [
        Table(words("projects"), columns, tuple(rows)),
        Table(words("charges"), each, every),
        others(doc, words),
    ]
    facts = [(words("centre"), doc["centre"]), *when(doc, words)]
    return finished(doc, words, sample, facts, tables, sums, ["clock", "not-tax", "recompute"])


def _claim(doc: Document, words: Words, sample: bool) -> Letter:
    currency = doc["currency"]
    vouchers = tuple(
        (
            it["id"],
            it["organisation"],
            words.percent(Fraction(it["rate"])),
            money(words, it["cap"]),
            money(words, it["contract"]) if it["contract"] else "",
        )
        for it in doc["vouchers"]
    )
    issued = (
        Column(words("voucher"), wide=True),
        Column(words("organisation")),
        Column(words("voucher-rate"), figures=True),
        Column(words("cap"), figures=True),
        Column(words("contract"), figures=True),
    )
    shares = tuple(
        (
            words.day(it["at"]),
            it["voucher"],
            it["project"],
            it["job"],
            it["invoice"],
            words.money(Money(it["base"], currency)),
            words.money(Money(it["paid"], currency)),
        )
        for it in doc["shares"]
    )
    each = (
        Column(words("date")),
        Column(words("voucher"), wide=True),
        Column(words("project")),
        Column(words("job"), wide=True),
        Column(words("invoice-number")),
        Column(words("base"), figures=True),
        Column(words("paid"), figures=True),
    )
    facts = [
        (words("pool"), doc["pool"]),
        (words("payer"), doc["payer"]),
        (words("rulebook"), doc["rulebook"]),
        (words("clause"), doc["clause"]),
        *([(words("reference"), doc["reference"])] if doc["reference"] else []),
        *when(doc, words),
    ]
    tables = [Table(words("vouchers"), issued, vouchers), Table(words("shares"), each, shares)]
    notes = ["ceiling", "clock", "not-tax", "recompute"]
    return finished(doc, words, sample, facts, tables, total_of(words, "total", doc["total"]), notes)


def _statement(doc: Document, words: Words, sample: bool) -> Letter:
    parts = (("prepaid", "prepaid"), ("due", "owed"))
    rows = tuple(
        (words.day(it["at"]), it["what"], *(money(words, it[part]) for part, _ in parts))
        for it in doc["movements"]
    )
    columns = (
        Column(words("date")),
        Column(words("what"), wide=True),
        *(Column(words(word), figures=True) for _, word in parts),
    )
    sums = [
        Sum(words(when, what=words(word)), with_currency(words, doc[when][part]), main=when == "closing")
        for when in ("opening", "closing")
        for part, word in parts
    ]
    days = f"{words.day(doc['from'])} – {words.day(max(doc['from'], doc['to'] - 1))}"
    facts = [(words("project"), doc["project"]), (words("period"), days)]
    return finished(
        doc, words, sample, facts, [Table(words("movements"), columns, rows)], sums, ["clock", "not-tax"]
    )


def _credit_note(doc: Document, words: Words, sample: bool) -> Letter:
    tax = doc["tax"]
    sums = [
        *total_of(words, "credited", doc["amount"]),
        *([Sum(tax_label(words, "tax-within", tax), money(words, tax["amount"]))] if tax else []),
        Sum(words("forgiven"), money(words, doc["forgiven"])),
        Sum(words("returned"), money(words, doc["returned"])),
    ]
    facts = [
        (words("of-invoice"), doc["invoice"]),
        (words("organisation"), customer(words, doc["organisation"])),
        (words("project"), doc["project"]),
        (words("reason"), doc["reason"]),
    ]
    return finished(doc, words, sample, facts, [], sums, ["clock", "not-tax"])


_KINDS: Final[Mapping[str, Callable[[Document, Words, bool], Letter]]] = {
    "invoice": invoice,
    "settlement": _settlement,
    "claim": _claim,
    "credit-note": _credit_note,
    "statement": _statement,
}
