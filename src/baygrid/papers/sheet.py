"""A document as CSV (RFC 4180) for spreadsheets: a row for each line, share and sum; plain numbers.

The amounts of all rows but the last add up to that of the last. UTF-8 with a byte order mark, without which
Excel takes it for another encoding.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from baygrid.core.days import day_of
from baygrid.core.units import Money
from baygrid.papers.words import Words, rounded

Document = Mapping[str, Any]
Row = dict[str, str]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so would be computed by a spreadsheet."""


def sheet(document: Document, language: str) -> bytes:
    """Of an invoice, settlement, claim, credit note or statement. Raises KeyError as `letters.letter`."""
    columns, rows = SHEETS[document["kind"]]
    words = Words(language)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([words(column) for column in (*columns, "currency")])
    for row in rows(document, words):
        whole = {**row, "currency": document["currency"]}
        cells = (whole.get(column, "") for column in (*columns, "currency"))
        writer.writerow([_safe(cell) for cell in cells])
    return out.getvalue().encode("utf-8-sig")


def _safe(cell: str) -> str:
    """Numbers below zero stay numbers."""
    if not cell.startswith(_FORMULA) or cell.removeprefix("-").replace(".", "", 1).isdecimal():
        return cell
    return f"'{cell}"


def _invoice(doc: Document, words: Words) -> Iterator[Row]:
    for charge in doc["charges"]:
        of = _of(charge) | {"centre": charge["centre"]}
        for line in charge["lines"]:
            yield {
                **of,
                "item": words.known(f"item-{line['item']}", line["item"]),
                "quantity": _plain(Fraction(line["quantity"])),
                "unit": words.known(f"unit-{line['unit']}", line["unit"]),
                "rate": _plain(Fraction(line["rate"])),
                "amount": _amount(line["amount"]),
            }
        for share in charge["shares"]:
            paid = -Money(share["paid"], doc["currency"])
            yield {**of, "item": words("by-voucher", id=share["voucher"]), "amount": _amount(str(paid))}
        if Money.parse(charge["overrun"]).minor:
            yield {**of, "item": words("overrun"), "amount": f"-{_amount(charge['overrun'])}"}
    for other in doc["others"]:
        yield {"date": _date(other["at"]), "item": other["what"], "amount": _amount(other["amount"])}
    if tax := doc["tax"]:
        rate = words.percent(Fraction(tax["rate"]))
        yield {"item": words("tax", name=tax["name"], rate=rate), "amount": _amount(tax["amount"])}
    yield {"item": words("total"), "amount": _amount(doc["total"])}


def _settlement(doc: Document, words: Words) -> Iterator[Row]:
    for charge in doc["charges"]:
        project, amount = charge["project"], _amount(charge["total"])
        yield {**_of(charge), "project": project, "item": words("gross"), "amount": amount}
    for other in doc.get("others", ()):
        row = {"date": _date(other["at"]), "project": other["project"]}
        yield {**row, "item": other["what"], "amount": _amount(other["amount"])}
    fee = words("fee", rate=words.percent(Fraction(doc["fee"]["rate"])))
    yield {"item": fee, "amount": _amount(str(-Money.parse(doc["fee"]["amount"])))}
    yield {"item": words("payable"), "amount": _amount(doc["payable"])}


def _claim(doc: Document, words: Words) -> Iterator[Row]:
    for share in doc["shares"]:
        base, paid = (Money(share[part], doc["currency"]) for part in ("base", "paid"))
        yield {
            **_of(share),
            "voucher": share["voucher"],
            "project": share["project"],
            "invoice-number": share["invoice"],
            "base": _amount(str(base)),
            "amount": _amount(str(paid)),
        }
    yield {"voucher": words("total"), "amount": _amount(doc["total"])}


def _credit_note(doc: Document, words: Words) -> Iterator[Row]:
    for part in ("forgiven", "returned"):
        yield {"item": words(part), "amount": _amount(doc[part])}
    yield {"item": words("credited"), "amount": _amount(doc["amount"])}


def _statement(doc: Document, words: Words) -> Iterator[Row]:
    opening = {**doc["opening"], "at": doc["from"], "what": words("opening-balance")}
    closing = {**doc["closing"], "at": doc["to"] - 1, "what": words("closing-balance")}
    for it in (opening, *doc["movements"], closing):
        amounts = {"prepaid": _amount(it["prepaid"]), "owed": _amount(it["due"])}
        yield {"date": _date(it["at"]), "what": it["what"], **amounts}


def _of(charge: Document) -> Row:
    of = {"date": _date(charge["at"]), "job": charge["job"], "attempt": charge["attempt"]}
    return of | {"record": str(charge["n"])}


def _date(at: int) -> str:
    return day_of(at).isoformat()


def _plain(value: Fraction) -> str:
    return f"{rounded(value, 12).normalize():f}"


def _amount(text: str) -> str:
    """Without its currency, which has a column of its own."""
    return text.rpartition(" ")[0]


_CHARGE: Final = ("date", "job", "attempt", "record")
SHEETS: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Document, Words], Iterator[Row]]]]] = {
    "invoice": ((*_CHARGE, "centre", "item", "quantity", "unit", "rate", "amount"), _invoice),
    "settlement": ((*_CHARGE, "project", "item", "amount"), _settlement),
    "claim": ((*_CHARGE, "voucher", "project", "invoice-number", "base", "amount"), _claim),
    "credit-note": (("item", "amount"), _credit_note),
    "statement": (("date", "what", "prepaid", "owed"), _statement),
}
"""Columns and rows of each kind of paper."""
