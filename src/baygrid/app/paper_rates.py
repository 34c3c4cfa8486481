"""What papers are made with: taxes, the platform's fee, exchange rates, each as an operator set it, with its
source."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from typing import Final

from baygrid.app.access import Action, Actor, permit
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, WrongState
from baygrid.core.pricing.months import Month
from baygrid.core.pricing.rates import ExchangeRate, Rate, RateKind
from baygrid.core.units import DECIMALS, exact
from baygrid.ports.papers import ExchangeRateRow, RateRow
from baygrid.ports.records import Event
from baygrid.ports.store import Tx

_NUMBER: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(%?)")


def rates(platform: Platform, actor: Actor, kind: RateKind) -> list[RateRow]:
    """In the order in which they were set."""
    permit(actor, Action.BROWSE)
    rows = platform.store.read(lambda tx: tx.papers.rates())
    return [row for row in rows if row.rate.kind is kind]


def set_rate(
    platform: Platform, actor: Actor, kind: RateKind, name: str, rate: str, since: str, source: str
) -> RateRow:
    """`rate`: "6%" or "0.06"; `since`: the first day of a month, or the month. One of the same month is
    corrected. Raises Invalid; WrongState for a month that is closed."""
    permit(actor, Action.OPERATE)
    month = _month(since)
    told = Rate(kind, _said("name", name), _rate(rate), month, _said("source", source))
    row = RateRow(told, platform.clock(), actor.token_id)

    def apply(tx: Tx) -> None:
        _check_open(tx, month)
        tx.papers.insert_rate(row)
        data = {"kind": kind.value, "name": told.name, "rate": exact(told.rate), "since": str(month)}
        tx.events.append([Event(row.set_at, "rate-set", data={**data, "source": told.source})])

    platform.store.write(apply)
    return row


def exchange_rates(platform: Platform, actor: Actor) -> list[ExchangeRateRow]:
    """In the order in which they were set."""
    permit(actor, Action.BROWSE)
    return platform.store.read(lambda tx: tx.papers.exchange_rates())


def add_exchange_rate(
    platform: Platform, actor: Actor, base: str, quote: str, rate: str, on: str, source: str
) -> ExchangeRateRow:
    """One `base` is `rate` `quote` on that day ("2026-11-30"). Raises Invalid; WrongState for a day of a
    month that is closed."""
    permit(actor, Action.OPERATE)
    for path, currency in (("base", base), ("quote", quote)):
        if currency not in DECIMALS:
            raise Invalid.at(path, f"unknown currency {currency[:40]!r}: use one of {', '.join(DECIMALS)}")
    if base == quote:
        raise Invalid.at("quote", "must be another currency than the first")
    match = _NUMBER.fullmatch(rate)
    if match is None or match[2] or not Fraction(match[1]):
        raise Invalid.at("rate", f"must be a number above nothing such as 1.0870, not {rate[:40]!r}")
    told = ExchangeRate(base, quote, Fraction(match[1]), _day("on", on), _said("source", source))
    row = ExchangeRateRow(told, platform.clock(), actor.token_id)

    def apply(tx: Tx) -> None:
        _check_open(tx, Month(told.on.year, told.on.month))
        tx.papers.insert_exchange_rate(row)
        data = {"base": base, "quote": quote, "rate": exact(told.rate), "on": on, "source": told.source}
        tx.events.append([Event(row.set_at, "exchange-rate-added", data=data)])

    platform.store.write(apply)
    return row


def _check_open(tx: Tx, month: Month) -> None:
    """Its papers are issued otherwise. The month is not closed before this transaction ends."""
    if tx.money.opened([month.start])[month.start] != month.start:
        raise WrongState(f"{month} is closed, and its papers stay as they are: say a later month")


def _rate(text: str) -> Fraction:
    match = _NUMBER.fullmatch(text)
    rate = None if match is None else Fraction(match[1]) / (100 if match[2] else 1)
    if rate is None or rate > 1:
        raise Invalid.at("rate", f"must be a share such as 6% or 0.06, at most 100%, not {text[:40]!r}")
    return rate


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError:
        day = _day("since", text)
    if day.day != 1:
        raise Invalid.at("since", f"must be the first day of a month, so that no paper has two rates: {day}")
    return Month(day.year, day.month)


def _day(path: str, text: str) -> date:
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        day = None
    if day is None or not 1970 < day.year < 9999:
        raise Invalid.at(path, f"must be a day such as 2026-11-30, not {text[:40]!r}")
    return day


def _said(path: str, text: str) -> str:
    if not text.strip():
        raise Invalid.at(path, "is empty: papers show it")
    return text.strip()
