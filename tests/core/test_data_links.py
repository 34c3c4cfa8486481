"""Nobody makes an address of a file but the holder of the key."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from baygrid.core.data.links import LIFE_MS, Link, query, signature, valid

KEY = b"k" * 32
NOW = 1_800_000_000_000
LINK = Link("fil-1", "grn-1", "rcp-1", NOW + LIFE_MS)


def test_an_address_says_all_that_its_signature_covers() -> None:
    said = query([KEY], LINK)
    given = Link("fil-1", said["grant"], said["recipient"], int(said["until"]))
    assert given == LINK
    assert valid([KEY], given, said["sig"], NOW)


@given(
    st.sampled_from(["file", "grant", "recipient", "until"]),
    st.text(st.characters(blacklist_characters="\n"), max_size=8),
    st.integers(1, LIFE_MS - 1),
)
def test_no_part_of_it_can_be_changed(part: str, text: str, less: int) -> None:
    new: Any = LINK.until - less if part == "until" else text
    changed = replace(LINK, **{part: new})
    assume(changed != LINK)
    assert not valid([KEY], changed, signature(KEY, LINK), NOW)


@given(st.text(max_size=80))
def test_no_other_text_is_its_signature(text: str) -> None:
    assume(text != signature(KEY, LINK))
    assert not valid([KEY], LINK, text, NOW)


def test_it_ends_and_lives_an_hour_at_most() -> None:
    sig = signature(KEY, LINK)
    assert valid([KEY], LINK, sig, LINK.until - 1)
    assert not valid([KEY], LINK, sig, LINK.until)
    assert not valid([KEY], LINK, sig, NOW - 1)
    assert not valid([b"another key"], LINK, sig, NOW)
    assert not valid([], LINK, sig, NOW)
    assert not valid([KEY], LINK, sig.upper(), NOW)


def test_addresses_of_before_a_new_key_are_good_until_they_end() -> None:
    old = query([KEY], LINK)["sig"]
    new = query([b"another key", KEY], LINK)["sig"]
    assert new != old
    assert valid([b"another key", KEY], LINK, old, NOW)
    assert valid([b"another key", KEY], LINK, new, NOW)
