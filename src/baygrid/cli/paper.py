"""A paper as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from baygrid.cli.output import Output
from baygrid.cli.shapes import money

Document = Mapping[str, Any]
Table = tuple[tuple[str, ...], Sequence[Sequence[object]], tuple[str, ...]]
"""Columns, rows, and which columns are figures."""


def show(out: Output, paper: Document) -> None:
    """As the server told it: its lines, what they come to, what is left to pay."""
    document = paper["document"]
    for columns, rows, figures in _KINDS[paper["kind"]](document):
        if rows:
            out.table(columns, rows, figures)
    for line in _sums(document):
        out.line(line)
    if paper["kind"] != "credit-note":
        out.line(f"left to pay: {money(paper['left'])} of {money(paper['due'])}")
    if paper["credit_notes"]:
        out.line(f"credit notes: {', '.join(paper['credit_notes'])}")


def _invoice(document: Document) -> list[Table]:
    lines = [
        (
            charge["job"],
            charge["job_name"],
            charge["centre"],
            line["item"],
            f"{float(Fraction(line['quantity'])):.6g}",
            line["unit"],
            line["rate"],
            line["amount"],
        )
        for charge in document["charges"]
        for line in charge["lines"]
    ]
    columns = ("job", "name", "centre", "item", "quantity", "unit", "rate", "amount")
    return [(columns, lines, ("quantity", "rate", "amount")), *_others(document)]


def _others(document: Document) -> list[Table]:
    rows = [(it.get("project", ""), it["what"], it["amount"]) for it in document["others"]]
    return [(("project", "besides", "amount"), rows, ("amount",))]


def _settlement(document: Document) -> list[Table]:
    parts = ("project", "job", "attempt", "amount", "overrun", "supported", "total")
    rows = [[charge[part] for part in parts] for charge in document["charges"]]
    return [(parts, rows, parts[3:]), *_others(document)]


def _claim(document: Document) -> list[Table]:
    parts = ("voucher", "project", "job", "attempt", "invoice", "base", "paid")
    rows = [[share[part] for part in parts] for share in document["shares"]]
    return [((*parts[:5], "base, minor units", "paid, minor units"), rows, parts[5:])]


def _credit_note(document: Document) -> list[Table]:
    return []


_KINDS: Final = {
    "invoice": _invoice,
    "settlement": _settlement,
    "claim": _claim,
    "credit-note": _credit_note,
}


def _sums(document: Document) -> list[str]:
    """What it comes to."""
    if document["kind"] == "settlement":
        fee = document["fee"]
        said = f"{_percent(fee['rate'])} by {fee['source']}" if fee["source"] else "none is configured"
        return [
            f"gross: {document['gross']}",
            f"fee of the platform: {fee['amount']} ({said})",
            f"payable: {document['payable']}",
        ]
    if document["kind"] == "claim":
        return [f"{document['payer']}, {document['clause']}: {document['total']}"]
    if document["kind"] == "credit-note":
        return [
            f"{document['amount']} of invoice {document['invoice']}: {document['reason']}",
            f"no longer due: {document['forgiven']}",
            f"the project's again: {document['returned']}",
        ]
    return _of_invoice(document)


def _of_invoice(document: Document) -> list[str]:
    tax, also = document["tax"], document["also_in"]
    settled = ", ".join(f"{of} {document['settled'][of]}" for of in ("grant", "payment", "credit"))
    taxed = "no tax is configured"
    if tax is not None:
        taxed = f"{tax['name']} {_percent(tax['rate'])}: {tax['amount']} ({tax['source']})"
    told = [
        f"paid by vouchers: {document['supported']}; borne by the platform: {document['overrun']}",
        f"subtotal: {document['subtotal']}, out of {settled}",
        taxed,
        f"total: {document['total']}",
    ]
    if also is not None:
        told.append(f"that is {also['total']} at {also['rate']} of {also['on']} ({also['source']})")
    return told


def _percent(rate: str) -> str:
    return f"{float(Fraction(rate) * 100):.6g}%"
