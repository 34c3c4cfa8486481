"""A bundle from its document, read strictly: what is unknown, missing or written otherwise is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from baygrid.core import terms
from baygrid.core.pricing import vouchers
from baygrid.core.pricing.charge import Consumption, Line
from baygrid.core.pricing.contracts import Cover, Kind
from baygrid.core.pricing.recompute.shapes import (
    Into,
    Maybe,
    Unused,
    count,
    each,
    fraction,
    free,
    instant,
    kinds,
    money,
    money_from_zero,
    nullable,
    public_key,
    read,
    shape,
    signature,
    table,
    text,
    word,
)
from baygrid.core.pricing.recompute.values import (
    AlsoIn,
    Bill,
    Bundle,
    Claim,
    ClaimedShare,
    ClaimedVoucher,
    CreditNote,
    Earned,
    Fee,
    Key,
    OfferTerms,
    Other,
    PostedCharge,
    PostedShare,
    Record,
    Settlement,
    Signed,
    Sold,
    Tax,
    TradeTerms,
    VoucherTerms,
)
from baygrid.core.pricing.tariff import Tariff
from baygrid.core.pricing.vouchers import Drawn
from baygrid.core.reading import Leaf, Wrong, shown, whole
from baygrid.core.terms import Energy
from baygrid.core.units import DECIMALS, Money

VERSION: Final = 1


def read_bundle(document: object, data: bytes) -> Bundle:
    """`data`: the canonical JSON of the document without `signed`. Raises DocumentError."""
    return replace(read(_BUNDLE, document), data=data)


def _currency(value: object) -> str:
    if not isinstance(value, str) or value not in DECIMALS:
        raise Wrong(f"must be one of the currencies {', '.join(DECIMALS)}, not {shown(value)}")
    return value


_LINE: Final = shape(
    Line,
    item=text,
    quantity=fraction,
    unit=text,
    rate=fraction,
    amount=money_from_zero,
    trade=Maybe(text, ""),
    **{"from": Into("start_ms", instant), "to": Into("end_ms", instant)},
)
_DRAWN: Final = shape(Drawn, base=count, paid=count, carry=count)
_CHARGE: Final = shape(
    PostedCharge,
    job=text,
    job_name=text,
    attempt=text,
    n=count,
    centre=text,
    offer=text,
    at=instant,
    lines=each(_LINE),
    amount=money_from_zero,
    overrun=money_from_zero,
    supported=money_from_zero,
    shares=each(
        shape(PostedShare, voucher=text, pool=text, base=count, paid=count, had=_DRAWN, pool_left=count)
    ),
)
_PERIOD: Final = {"from": Into("start", instant), "to": Into("end", instant)}
_CHARGED: Final[Mapping[str, Leaf[Any]]] = {
    "kind": text,
    "project": text,
    **_PERIOD,
    "issued_at": Unused(instant),
    "currency": _currency,
    "charges": each(_CHARGE),
    "others": each(shape(Other, what=text, at=instant, amount=money, key=text)),
    "subtotal": money,
    "supported": money,
    "overrun": money,
    "total": money,
}
_ORGANISATION: Final = Unused(shape(dict, name=text, title=text, kind=text))
_TAX: Final = shape(Tax, name=text, rate=fraction, source=text, amount=money)
_INVOICED: Final[Mapping[str, Leaf[Any]]] = {
    "number": text,
    "organisation": _ORGANISATION,
    "month": text,
    "tax": nullable(_TAX),
    "settled": shape(dict[str, Money], grant=money, payment=money, credit=money),
    "drawn": Unused(table(money_from_zero)),
    "due": money,
    "also_in": nullable(shape(AlsoIn, currency=_currency, rate=fraction, on=text, source=text, total=money)),
}
_EARNED: Final = shape(
    Earned,
    project=text,
    job=text,
    attempt=text,
    n=count,
    at=instant,
    amount=money_from_zero,
    overrun=money_from_zero,
    supported=money_from_zero,
    total=money_from_zero,
)
_SETTLEMENT: Final = shape(
    Settlement,
    kind=Unused(text),
    number=text,
    centre=text,
    month=text,
    **_PERIOD,
    issued_at=Unused(instant),
    currency=_currency,
    charges=each(_EARNED),
    others=each(shape(Sold, project=text, what=text, at=instant, amount=money, key=text)),
    gross=money,
    fee=shape(Fee, rate=fraction, source=Unused(nullable(text)), amount=money),
    payable=money,
)
_CLAIMED: Final = shape(
    ClaimedShare,
    voucher=text,
    project=text,
    job=text,
    attempt=text,
    n=count,
    at=instant,
    base=count,
    paid=count,
    had=_DRAWN,
    pool_left=count,
    invoice=text,
)
_CREDIT_NOTE: Final = shape(
    CreditNote,
    kind=Unused(text),
    number=text,
    invoice=text,
    project=text,
    organisation=_ORGANISATION,
    month=text,
    issued_at=instant,
    currency=_currency,
    reason=Unused(text),
    amount=money,
    tax=nullable(_TAX),
    forgiven=money_from_zero,
    returned=money_from_zero,
)
_CLAIM: Final = shape(
    Claim,
    kind=Unused(text),
    number=text,
    pool=text,
    payer=Unused(text),
    rulebook=Unused(text),
    clause=Unused(text),
    reference=Unused(nullable(text)),
    month=text,
    **_PERIOD,
    issued_at=Unused(instant),
    currency=_currency,
    vouchers=each(
        shape(
            ClaimedVoucher,
            id=text,
            organisation=text,
            rate=fraction,
            cap=money_from_zero,
            contract=nullable(money_from_zero),
            finding=free,
        )
    ),
    shares=each(_CLAIMED),
    total=money,
)


def _used(attempt: str, n: int, start: int, end: int, **rest: Any) -> tuple[Key, Consumption]:
    return (attempt, n), Consumption(start, end, **rest)


_USED: Final = shape(
    _used,
    type=Unused(word("baygrid-usage-1")),
    attempt=text,
    n=count,
    start=instant,
    end=instant,
    nodes=count,
    cpus=count,
    memory_mib=count,
    accelerator=nullable(text),
    accelerators=count,
    accelerator_share=Maybe(whole(0, 1000), 1000),
    egress_bytes=Maybe(count, 0),
    cpu_seconds=Unused(text),
    peak_memory_mib=Unused(count),
)


def _record(value: object) -> tuple[Key, Consumption, bytes]:
    """As it was signed: its canonical JSON is what the agent's signature is over."""
    said, used = _USED(value)
    return said, used, json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _usage(record: tuple[Key, Consumption, bytes], **rest: Any) -> Record:
    said, used, data = record
    return Record(said=said, used=used, data=data, **rest)


def _kind(value: object) -> Kind:
    if not isinstance(value, str) or value not in set(Kind):
        raise Wrong(f"must be one of {', '.join(Kind)}, not {shown(value)}")
    return Kind(value)


_COVER: Final = shape(
    Cover, of=text, kind=_kind, units=count, ms=count, rate=fraction, cpus=count, memory_mib=count
)
_TRADE: Final = shape(
    TradeTerms,
    project=nullable(text),
    offer=text,
    kind=_kind,
    rate=fraction,
    cpus=count,
    memory_mib=count,
)
_NO_COVERS: Final[tuple[Cover, ...]] = ()
_NO_TRADES: Final[Mapping[str, TradeTerms]] = {}
_RECORD: Final = shape(
    _usage,
    attempt=text,
    n=count,
    centre=text,
    project=text,
    job=text,
    offer=text,
    public_key=public_key,
    record=_record,
    signature=signature,
    covers=Maybe(each(_COVER), _NO_COVERS),
)


def _offer(currency: str, tariffs: Sequence[Mapping[str, Any]], **rest: Any) -> OfferTerms:
    return OfferTerms(
        currency=currency, tariffs=tuple(Tariff(currency=currency, **it) for it in tariffs), **rest
    )


_ENERGY: Final = shape(
    Energy,
    price_kwh=each(fraction),
    watts_cpu=count,
    watts_accelerator=count,
    utc_offset_min=whole(-1440, 1440),
)
_TERMS: Final = shape(
    terms.Terms, minimum_s=count, round_up_s=count, egress_gib=fraction, energy=nullable(_ENERGY)
)
_OFFER: Final = shape(
    _offer,
    centre=text,
    partition=text,
    accelerator=nullable(text),
    currency=_currency,
    tariffs=each(
        shape(
            dict[str, Any],
            valid_from=instant,
            accelerator_hour=fraction,
            cpu_hour=fraction,
            gib_hour=fraction,
            terms=nullable(_TERMS),
        )
    ),
)


def _voucher(organisation: str, project: str | None, pool: str, **terms: Any) -> VoucherTerms:
    return VoucherTerms(organisation, project, pool, vouchers.Terms(**terms))


_VOUCHER: Final = shape(
    _voucher,
    organisation=text,
    project=nullable(text),
    pool=text,
    rate=fraction,
    cap=money_from_zero,
    contract=nullable(money_from_zero),
    valid_from=instant,
    valid_until=instant,
)


def _bundle(baygrid: int, **rest: Any) -> Bundle:
    if baygrid != VERSION:
        raise Wrong(f"is of version {baygrid}, and this Baygrid reads {VERSION}")
    return Bundle(data=b"", **rest)


_BUNDLE: Final = shape(
    _bundle,
    baygrid=count,
    papers=each(
        kinds(
            bill=shape(Bill, **_CHARGED),
            invoice=shape(Bill, **_CHARGED, **_INVOICED),
            settlement=_SETTLEMENT,
            claim=_CLAIM,
            credit_note=_CREDIT_NOTE,
        )
    ),
    usage=each(_RECORD),
    offers=table(_OFFER),
    vouchers=table(_VOUCHER),
    trades=Maybe(table(_TRADE), _NO_TRADES),
    keys=table(each(public_key)),
    signed=shape(Signed, public_key=public_key, signature=signature),
)
