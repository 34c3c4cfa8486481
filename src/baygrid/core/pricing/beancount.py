"""The ledger as Beancount text, so that a program that is not ours can check it (`bean-check`)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from baygrid.core.days import day_of
from baygrid.core.pricing.postings import Transaction

_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}


def render(transactions: Iterable[Transaction], title: str = "Baygrid") -> str:
    """The whole ledger, oldest first. Accounts open on the day of their first posting; days are those of the
    region, as months of invoices are."""
    ordered = sorted(transactions, key=lambda transaction: (transaction.at, transaction.id))
    opened: dict[str, str] = {}
    for transaction in ordered:
        for posting in transaction.postings:
            opened.setdefault(posting.account, _day(transaction.at))
    lines = [f"option {_text('title')} {_text(title)}", ""]
    lines += [f"{day} open {account}" for account, day in sorted(opened.items())]
    return "\n".join(lines) + "\n" + "".join(map(_transaction, ordered))


def _transaction(transaction: Transaction) -> str:
    lines = [
        "",
        f"{_day(transaction.at)} * {_text(transaction.narration)}",
        f"  id: {_text(transaction.id)}",
        f"  key: {_text(transaction.key)}",
    ]
    for number, source in enumerate(transaction.sources, 1):
        lines.append(f"  source{'' if number == 1 else f'-{number}'}: {_text(source)}")
    lines += [f"  {posting.account}  {posting.money}" for posting in transaction.postings]
    return "\n".join(lines) + "\n"


def _day(at: int) -> str:
    return day_of(at).isoformat()


def _text(words: str) -> str:
    """A quoted text. What no text file should hold (control characters, lone surrogates) becomes a space."""
    return '"' + "".join(_ESCAPES.get(character) or _visible(character) for character in words) + '"'


def _visible(character: str) -> str:
    return " " if unicodedata.category(character) in ("Cc", "Cs") else character
