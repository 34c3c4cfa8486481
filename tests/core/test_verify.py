"""A bundle as the platform wrote it is good; one that was altered anywhere is not, and the place is named."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baygrid.app.signatures import signed_by
from baygrid.core.pricing.papers import Document
from baygrid.core.pricing.recompute.difference import Difference
from baygrid.core.pricing.verify import Checked, checked, first_difference
from baygrid.core.reading import DocumentError
from baygrid.core.terms import Energy, Terms
from baygrid.ports.bundles import Unreadable, canonical, load_bundle
from baygrid.ports.wire import usage_bytes
from tests.core.bundles import (
    AGENT,
    FLAT,
    HOUR,
    PLATFORM,
    STRANGER,
    Ran,
    bundle,
    purses,
    signed,
    tariffs,
    usages,
)

Path = tuple[str | int, ...]

TWO = (
    Ran("att-1", 0, 0, HOUR, accelerators=4, within=500),
    Ran("att-1", 1, HOUR, 2 * HOUR + 1, accelerators=4),
    Ran("att-2", 0, 5, HOUR + 77, cpus=3, project="other"),
)


def found(document: Document | bytes, key: str | None = None) -> Difference | None:
    text = document if isinstance(document, bytes) else canonical(document)
    return first_difference(load_bundle(text), signed_by, key)


def refused(document: Document | bytes) -> bool:
    """Whether it is not said to be good, whichever way."""
    try:
        return found(document) is not None
    except (Unreadable, DocumentError):
        return True


def altered(document: Document, path: Path, value: object) -> Document:
    """Signed anew by the platform, as if it lied."""
    document = copy.deepcopy(document)
    at: Any = document
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return signed(document)


def leaves(value: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from leaves(item, (*path, place))
    else:
        yield path, value


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(usages(), tariffs(), purses())
def test_what_the_platform_wrote_is_good(ran, prices, purse):
    document = bundle(ran, prices, purse)
    assert found(document, PLATFORM.public_key) is None
    assert checked(load_bundle(canonical(document))).records == len(ran)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(usages(), tariffs(), purses(), st.data())
def test_no_altered_byte_is_good(ran, prices, purse, data):
    """In whatever of the file it is, so also in a record, a line, a share, a sum, a tariff, a signature."""
    text = canonical(bundle(ran, prices, purse))
    place = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda it: it != text[place]))
    assert refused(text[:place] + bytes([byte]) + text[place + 1 :])


@pytest.mark.slow
def test_every_byte_of_a_small_bundle_counts():
    """Each one changed by its lowest bit: digits, letters and punctuation become others."""
    text = canonical(bundle([Ran("att-1", 0, 0, HOUR)]))
    good = [place for place in range(len(text)) if not refused(_flipped(text, place))]
    assert good == []


def _flipped(text: bytes, place: int) -> bytes:
    return text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]


# Nothing follows from these, so only the platform's signature stands for them. `at`, `from` and `to` of a
# share or charge within its month, too.
SAID_ONLY = {
    "kind", "issued_at", "job_name", "what", "key", "name", "title", "source", "on", "reference", "payer",
    "rulebook", "clause", "reason", "partition", "staff", "organisation", "valid_until", "valid_from",
    "pool_left", "gib_hour", "drawn", "at",
}  # fmt: skip
NUMBERS = {("papers", place, "number") for place in (2, 3, 4)}
"""Of settlement, claim and credit note. That of an invoice is what a claim asks for."""


@pytest.mark.slow
def test_a_platform_that_signs_something_else_is_found_out():
    """Whatever is altered that anything follows from, even with a new signature of the platform's own."""
    document = bundle(TWO)
    assert found(document) is None
    missed = []
    for path, value in leaves({name: part for name, part in document.items() if name != "signed"}):
        if path[-1] in SAID_ONLY or path in NUMBERS:
            continue
        missed += [(path, it) for it in _others(value) if not refused(altered(document, path, it))]
    assert missed == [], "\n".join(map(str, missed))


def _others(value: object) -> list[object]:
    """Others of the same form, and of another."""
    if isinstance(value, int):
        return [value + 1, str(value), -1, 2**62, None]
    if isinstance(value, str) and " " in value and value[0].isdigit():
        whole = value.replace("0.", "1.", 1) if value.startswith("0.") else f"1{value}"
        return [whole, value.replace("CNY", "HKD").replace("HKD", "JPY", 1), f"{value} ", f"-{value}"]
    if isinstance(value, str) and value:
        last = "0" if value[-1] != "0" else "1"
        return [value[:-1] + last, value.upper() + " ", 5]
    return ["x"]


def test_what_a_platform_cannot_make_a_reader_compute_for_hours():
    """Energy by the hour over a record of thirty thousand years."""
    by_hour = Terms(energy=Energy(tuple(Fraction(1, 1 + hour) for hour in range(24)), 1, 1, 0))
    document = bundle(TWO, [replace(FLAT, terms=by_hour)])
    record = {**document["usage"][0]["record"], "end": 10**15}
    usage = {**document["usage"][0], "record": record, "signature": AGENT.sign(canonical(record))}
    assert "longer than ten years" in str(found(altered(document, ("usage", 0), usage)))


def test_a_difference_names_its_line_and_both_values():
    document = bundle(TWO)
    path = ("papers", 0, "charges", 0, "lines", 1, "amount")
    assert str(found(altered(document, path, "2.01 CNY"))) == (
        "invoice 2026-11-0001, job job-att-1, attempt att-1, usage 0, line 2 (cpu), amount:"
        " 2.01 CNY stands there, right is 2.00 CNY"
    )


@pytest.mark.parametrize("field", ["start", "end", "cpus", "accelerators", "nodes", "peak_memory_mib"])
def test_an_altered_record_is_named(field: str):
    document = bundle(TWO)
    was = document["usage"][1]["record"][field]
    difference = found(altered(document, ("usage", 1, "record", field), was + 1))
    assert difference is not None
    assert (difference.place.attempt, difference.place.n) == ("att-1", 1)
    assert difference.place.part == "record, signature"


def test_the_first_difference_in_the_order_of_the_document_is_named():
    document = altered(bundle(TWO), ("papers", 1, "charges", 0, "amount"), "7.00 CNY")
    document = altered(document, ("papers", 0, "total"), "9.00 CNY")
    document = altered(document, ("usage", 1, "record", "cpus"), 9)
    told = []
    for path, right in (
        (("usage", 1, "record", "cpus"), 8),
        (("papers", 0, "total"), bundle(TWO)["papers"][0]["total"]),
        (("papers", 1, "charges", 0, "amount"), bundle(TWO)["papers"][1]["charges"][0]["amount"]),
    ):
        told.append(str(found(document)).partition(":")[0])
        document = altered(document, path, right)
    assert told == [
        "invoice 2026-11-0001, job job-att-1, attempt att-1, usage 1, record, signature",
        "invoice 2026-11-0001, total",
        "invoice 2026-11-0002, job job-att-2, attempt att-2, usage 0, amount",
    ]
    assert found(document) is None


def test_a_record_signed_by_a_key_that_is_not_the_centres():
    document = bundle(TWO)
    usage = TWO[0].usage
    forged = {
        **document["usage"][0],
        "public_key": STRANGER.public_key,
        "signature": STRANGER.sign(usage_bytes(usage)),
    }
    difference = found(altered(document, ("usage", 0), forged))
    assert difference is not None
    assert difference.place.part == "record, public key"
    assert difference.right == "a key of centre hub"


def test_a_record_that_is_not_there_and_one_that_nobody_charges():
    document = bundle(TWO)
    lacking = altered(document, ("usage",), document["usage"][1:])
    assert str(found(lacking)) == (
        "invoice 2026-11-0001, job job-att-1, attempt att-1, usage 0, record: nothing stands there,"
        " right is the signed usage record of this charge"
    )
    more = bundle([*TWO, Ran("att-9", 0, 0, HOUR)])["usage"]
    assert "no paper here charges it" in str(found(altered(document, ("usage",), more)))


def test_a_charge_that_is_billed_twice():
    document = bundle(TWO)
    invoice = document["papers"][0]
    twice = {**invoice, "charges": [*invoice["charges"], invoice["charges"][0]]}
    assert "has this charge" in str(found(altered(document, ("papers", 0), twice)))
    again = [invoice, {**invoice, "number": "2026-11-0009"}, *document["papers"][1:]]
    assert "invoice 2026-11-0001 has this charge" in str(found(altered(document, ("papers",), again)))


def test_a_record_that_is_there_twice_and_a_share_that_is_claimed_twice():
    document = bundle(TWO)
    usage = [*document["usage"], document["usage"][0]]
    assert found(altered(document, ("usage",), usage)) is not None
    claim = next(paper for paper in document["papers"] if paper["kind"] == "claim")
    again = [*document["papers"], {**claim, "number": "2026-11-0002"}]
    assert "since it is claimed before" in str(found(altered(document, ("papers",), again)))


def test_shares_of_a_voucher_follow_from_one_another():
    document = bundle(TWO)
    path = ("papers", 0, "charges", 1, "shares", 0)
    share = document["papers"][0]["charges"][1]["shares"][0]
    assert share["had"]["base"], "the voucher had paid before"
    again = {**share, "had": {"base": 0, "paid": 0, "carry": 0}}
    assert ", had: base 0, paid 0, carry 0 stands there" in str(found(altered(document, path, again)))


def test_another_platform_is_not_the_one_that_was_demanded():
    document = signed(bundle(TWO), STRANGER)
    assert found(document) is None
    assert found(document, STRANGER.public_key) is None
    assert str(found(document, PLATFORM.public_key)).startswith("signed, public key: ")


def test_a_file_that_the_platform_did_not_sign():
    document = bundle(TWO)
    document["papers"][0]["charges"][0]["job_name"] = "other"
    assert str(found(document)).startswith("signed, signature: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "no JSON"),
        (b"\xff", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "must be a mapping, not a list"),
        (b"{}", "baygrid: is missing"),
        (b'{"baygrid": 1, "baygrid": 1}', "'baygrid' twice"),
        (b'{"baygrid": 99999999999999999999999999}', "more than 64 bits"),
        (b'{"baygrid": 1e999}', "a number that is none"),
        (b'{"baygrid": NaN}', "a number that is none"),
        (b'{"baygrid": "\\ud800"}', "surrogates"),
        (b'{"baygrid": 2}', "papers: is missing"),
    ],
)
def test_what_is_no_bundle_is_refused_in_one_sentence(text: bytes, says: str):
    with pytest.raises((Unreadable, DocumentError)) as error:
        load_bundle(text)
    assert says in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("papers", 0, "kind"), "letter", "papers[0].kind: must be one of bill, invoice, settlement,"),
        (("papers", 0, "charges", 0, "lines", 0, "rate"), "20.0", "rate: must be written '20', not '20.0'"),
        (("papers", 0, "charges", 0, "n"), True, "must be a whole number"),
        (("usage", 0, "record", "cpus"), 1.5, "usage[0].record.cpus: must be a whole number"),
        (("usage", 0, "more"), 1, "usage[0]: has a field 'more' that is not known"),
        (("vouchers", "v0", "rate"), "1.5", "a voucher pays a share"),
        (("papers", 0, "total"), "5 CNY", "papers[0].total: must be written '5.00 CNY'"),
        (("usage", 0, "signature"), "AB" * 64, "usage[0].signature: must be 128 digits"),
    ],
)  # fmt: skip
def test_what_is_not_of_its_form_is_refused_with_its_place(path: Path, value: object, says: str):
    with pytest.raises(DocumentError) as error:
        load_bundle(canonical(altered(bundle(TWO), path, value)))
    assert says in str(error.value)


def test_how_much_was_checked():
    assert checked(load_bundle(canonical(bundle(TWO)))) == Checked(papers=5, lines=8, records=3, shares=3)


def test_no_record_is_trusted_that_its_agent_did_not_sign():
    """Signed by the right key, but over other usage."""
    document = bundle(TWO)
    other = replace(TWO[0], cpus=1)
    signature = AGENT.sign(b"something else")
    assert "signature" in str(found(altered(document, ("usage", 0, "signature"), signature)))
    swapped = altered(document, ("usage", 0, "record"), bundle([other])["usage"][0]["record"])
    assert "record, signature" in str(found(swapped))
