"""Documents as letters: one function for each kind of paper."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from baygrid.core.pricing.months import Month
from baygrid.core.units import Money
from baygrid.papers.letter import Column, Letter, Sum, Table
from baygrid.papers.words import Words

Document = Mapping[str, Any]

EXAMPLE: Final = "example"
"""The rulebook of invented numbers: what is claimed by it is a sample."""


def letter(document: Document, language: str, *, sample: bool = False) -> Letter:
    """`document`: an invoice, settlement, claim or credit note. `sample`: its data is synthetic, which it
    then says. Raises KeyError for another kind and for a language that there are no words of."""
    write = _KINDS[document["kind"]]
    return write(document, Words(language), sample or document.get("rulebook") == EXAMPLE)


def _letter(
    document: Document,
    words: Words,
    sample: bool,
    facts: Sequence[tuple[str, str]],
    tables: Sequence[Table],
    sums: Sequence[Sum],
    notes: Sequence[str],
) -> Letter:
    return Letter(
        words.language,
        words(document["kind"]),
        document["number"],
        words("page", number=document["number"]),
        words("sample") if sample else "",
        (
            (words("number"), document["number"]),
            *facts,
            (words("issued"), words.day(document["issued_at"])),
            (words("currency"), document["currency"]),
        ),
        tuple(table for table in tables if table.rows),
        tuple(it for it in sums if it.label and it.amount),
        tuple(words(note) for note in notes),
    )


def _invoice(doc: Document, words: Words, sample: bool) -> Letter:
    customer, tax, also = doc["organisation"], doc["tax"], doc["also_in"]
    sums = [
        Sum(words("subtotal"), _money(words, doc["subtotal"])),
        *([Sum(_tax(words, "tax", tax), _money(words, tax["amount"]))] if tax else []),
        *_total(words, "total", doc["total"], main=False),
        *(Sum(words(it), _money(words, doc["settled"][it])) for it in ("grant", "payment", "credit")),
        Sum(words("due"), _main(words, doc["due"]), main=True),
        *([_also(words, also)] if also else []),
    ]
    notes = [*([] if tax else ["no-tax"]), "borne", "clock", "not-tax", "recompute"]
    facts = [
        (words("organisation"), _customer(words, customer)),
        (words("project"), doc["project"]),
        *_when(doc, words),
    ]
    tables = [_items(doc, words), _charges(doc, words), _supported(doc, words), _others(doc, words)]
    return _letter(doc, words, sample, facts, tables, sums, notes)


def _also(words: Words, also: Document) -> Sum:
    label = words(
        "also-in",
        currency=also["currency"],
        rate=words.number(Fraction(also["rate"])),
        day=words.iso_day(also["on"]),
        source=also["source"],
    )
    return Sum(label, _money(words, also["total"]))


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


def _others(doc: Document, words: Words) -> Table:
    rows = tuple((words.day(it["at"]), it["what"], _money(words, it["amount"])) for it in doc["others"])
    columns = (
        Column(words("date")),
        Column(words("what"), wide=True),
        Column(words("amount"), figures=True),
    )
    return Table(words("others"), columns, rows)


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
        (words.day(it["at"]), it["project"], it["job"], _money(words, it["total"])) for it in doc["charges"]
    )
    each = (
        Column(words("date")),
        Column(words("project")),
        Column(words("job"), wide=True),
        Column(words("amount"), figures=True),
    )
    fee = words("fee", rate=words.percent(Fraction(doc["fee"]["rate"])))
    sums = [
        Sum(words("gross"), _money(words, doc["gross"])),
        Sum(
            fee,
            _money(
                words, f"-{doc['fee']['amount']}" if Fraction(doc["fee"]["rate"]) else doc["fee"]["amount"]
            ),
        ),
        *_total(words, "payable", doc["payable"]),
    ]
    tables = [Table(words("projects"), columns, tuple(rows)), Table(words("charges"), each, every)]
    facts = [(words("centre"), doc["centre"]), *_when(doc, words)]
    return _letter(doc, words, sample, facts, tables, sums, ["clock", "not-tax", "recompute"])


def _claim(doc: Document, words: Words, sample: bool) -> Letter:
    currency = doc["currency"]
    vouchers = tuple(
        (
            it["id"],
            it["organisation"],
            words.percent(Fraction(it["rate"])),
            _money(words, it["cap"]),
            _money(words, it["contract"]) if it["contract"] else "",
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
        *_when(doc, words),
    ]
    tables = [Table(words("vouchers"), issued, vouchers), Table(words("shares"), each, shares)]
    notes = ["ceiling", "clock", "not-tax", "recompute"]
    return _letter(doc, words, sample, facts, tables, _total(words, "total", doc["total"]), notes)


def _credit_note(doc: Document, words: Words, sample: bool) -> Letter:
    customer, tax = doc["organisation"], doc["tax"]
    sums = [
        *_total(words, "credited", doc["amount"]),
        *([Sum(_tax(words, "tax-within", tax), _money(words, tax["amount"]))] if tax else []),
        Sum(words("forgiven"), _money(words, doc["forgiven"])),
        Sum(words("returned"), _money(words, doc["returned"])),
    ]
    facts = [
        (words("of-invoice"), doc["invoice"]),
        (words("organisation"), _customer(words, customer)),
        (words("project"), doc["project"]),
        (words("reason"), doc["reason"]),
    ]
    return _letter(doc, words, sample, facts, [], sums, ["clock", "not-tax"])


def _customer(words: Words, customer: Document) -> str:
    return f"{customer['title']} ({words.known(customer['kind'], customer['kind'])})"


def _when(doc: Document, words: Words) -> list[tuple[str, str]]:
    month = Month.parse(doc["month"])
    days = f"{words.date(month.first_day)} – {words.date(month.last_day)}"
    return [(words("month"), words.month(month)), (words("period"), days)]


def _tax(words: Words, word: str, tax: Document) -> str:
    return words(word, name=tax["name"], rate=words.percent(Fraction(tax["rate"])))


def _total(words: Words, label: str, text: str, *, main: bool = True) -> list[Sum]:
    """In Chinese also in capitals."""
    return [
        Sum(words(label), _main(words, text) if main else _money(words, text), main),
        Sum(words("in-capitals"), words.capitals(Money.parse(text))),
    ]


def _main(words: Words, text: str) -> str:
    """With its currency."""
    return f"{text.rpartition(' ')[2]} {_money(words, text)}"


def _money(words: Words, text: str) -> str:
    return words.money(Money.parse(text))


_KINDS: Final[Mapping[str, Callable[[Document, Words, bool], Letter]]] = {
    "invoice": _invoice,
    "settlement": _settlement,
    "claim": _claim,
    "credit-note": _credit_note,
}
