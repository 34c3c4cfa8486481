"""A chain that was touched anywhere is wrong there, and says what was done."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from baygrid.core.data.chain import (
    START,
    End,
    Flaw,
    Hidden,
    Link,
    What,
    canonical,
    check,
    digest,
    hash_of,
    hidden,
    next_link,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
DATA = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), JSON, max_size=4)


def chain(*data: Any) -> list[Link]:
    links: list[Link] = []
    end = START
    for n, each in enumerate(data):
        link = next_link(end, 100 + n, "read", each, contract="con-1", project=None, salt=f"{n:032x}")
        links.append(link)
        end = End(link.n, link.hash)
    return links


FIVE = chain(*({"row": n} for n in range(5)))
END = End(5, FIVE[-1].hash)
CHAINS = st.lists(DATA, min_size=1, max_size=6).map(lambda data: chain(*data))


def flaw(links: list[Any], end: End | None = None) -> Flaw:
    found = check(links, end=end).flaw
    assert found is not None
    return found


@given(CHAINS, st.data())
def test_a_chain_is_right_whoever_may_read_its_links(links: list[Link], data: st.DataObject):
    shown = [link if data.draw(st.booleans()) else hidden(link) for link in links]
    end = End(len(links), links[-1].hash)
    found = check(shown, end=end)
    assert (found.flaw, found.end) == (None, end)
    assert found.shown + found.hidden == len(links)
    assert found.hidden == sum(isinstance(link, Hidden) for link in shown)


@given(CHAINS, st.data())
def test_any_part_of_a_chain_is_right_from_where_it_starts(links: list[Link], data: st.DataObject):
    cut = data.draw(st.integers(1, len(links)))
    start = End(cut, links[cut - 1].hash)
    assert check(links[cut:], start).flaw is None
    assert check(links[cut:], start).end == End(len(links), links[-1].hash)


ANOTHER = {
    "n": st.integers(-9, 99),
    "at": st.integers(0, 2**50),
    "kind": st.text(max_size=9),
    "contract": st.none() | st.text(max_size=9),
    "project": st.none() | st.text(max_size=9),
    "data": DATA,
    "salt": st.text(max_size=9),
    "previous": st.text("0123456789abcdef", min_size=64, max_size=64),
    "hash": st.text("0123456789abcdef", min_size=64, max_size=64),
}


def test_all_of_a_link_is_altered_below():
    assert set(ANOTHER) == {field.name for field in fields(Link)}


@given(CHAINS, st.data())
def test_one_field_that_was_altered_is_placed(links: list[Link], data: st.DataObject):
    place = data.draw(st.integers(0, len(links) - 1))
    name = data.draw(st.sampled_from(sorted(ANOTHER)))
    other: Any = data.draw(ANOTHER[name])
    assume(other != getattr(links[place], name))
    assume(name != "n" or all(link.n != other for link in links))
    altered = [*links[:place], replace(links[place], **{name: other}), *links[place + 1 :]]
    found = flaw(altered, End(len(links), links[-1].hash))
    if name == "n" and other < 1:
        assert (found.n, found.what) == (other, What.REORDERED)  # a page of a store never has it
    else:
        assert (found.n, found.what) == (place + 1, What.ALTERED)


@given(st.integers(0, 4), st.sampled_from(["digest", "hash"]))
def test_a_hidden_link_that_was_altered_is_placed(place: int, name: str):
    links: list[Any] = [hidden(link) for link in FIVE]
    change: dict[str, Any] = {name: "1" * 64}
    links[place] = replace(links[place], **change)
    assert flaw(links) == Flaw(place + 1, What.ALTERED, "its digest, or its hash")


@pytest.mark.parametrize(
    ("name", "differs"),
    [
        ("previous", "the hash that it follows"),
        ("hash", "its hash"),
        ("salt", "its content"),
        ("kind", "its content"),
    ],
)
def test_what_of_a_link_was_altered(name: str, differs: str):
    change: dict[str, Any] = {name: "0" * 64}
    links = [FIVE[0], replace(FIVE[1], **change), *FIVE[2:]]
    assert flaw(links) == Flaw(2, What.ALTERED, differs)
    assert str(flaw(links)) == f"link 2 is altered: {differs}"


@given(st.integers(0, 4), st.integers(1, 5))
def test_links_that_are_missing(first: int, count: int):
    left = [*FIVE[:first], *FIVE[first + count :]]
    found = flaw(left, END)
    assert (found.n, found.what) == (first + 1, What.MISSING)
    assert (check(left).flaw is None) == (first + count >= 5)  # a cut tail shows by the signed end only


@given(st.permutations(FIVE))
def test_links_in_another_order(links: list[Link]):
    assume(links != FIVE)
    first = next(n for n, (one, right) in enumerate(zip(links, FIVE, strict=True)) if one != right)
    assert flaw(links) == Flaw(first + 1, What.REORDERED, f"it comes after link {links[first].n}")


def test_a_link_that_comes_twice():
    assert flaw([*FIVE[:3], FIVE[1]]) == Flaw(2, What.REORDERED, "it comes after link 3")


def rewritten(link: Link, after: str, **change: Any) -> Link:
    """Altered by somebody who knows how hashes are made."""
    link = replace(link, previous=after, **change)
    return replace(link, hash=hash_of(after, digest(link)))


@given(st.integers(1, 4))
def test_a_link_whose_hash_was_made_anew_is_not_what_the_next_follows(place: int):
    other = rewritten(FIVE[place - 1], FIVE[place - 1].previous, data={"row": "another"})
    links = [*FIVE[: place - 1], other, *FIVE[place:]]
    assert (flaw(links).n, flaw(links).what) == (place, What.ALTERED)
    assert "the next link follows another one" in flaw(links).differs


@given(st.integers(0, 4))
def test_a_tail_that_was_written_anew_shows_by_the_signed_end(place: int):
    links = list(FIVE)
    for n in range(place, 5):
        links[n] = rewritten(FIVE[n], links[n - 1].hash if n else START.hash, at=7)
    assert check(links).flaw is None
    assert flaw(links, END) == Flaw(5, What.ALTERED, "it, or one before it: the signed end has another hash")
    assert check(FIVE, end=End(3, FIVE[2].hash)).flaw is None
    early = flaw(links, End(3, FIVE[2].hash)) if place < 3 else None
    assert early is None or early.n == 3


def test_an_empty_chain():
    assert check([]).flaw is None
    assert check([], end=START).flaw is None
    assert flaw([], END).n == 1


def test_hashes_can_be_made_by_anybody():
    """As the page of the audit tells it, with nothing but SHA-256."""
    import hashlib

    link = FIVE[1]
    content = (
        b'{"at":101,"contract":"con-1","data":{"row":1},"kind":"read","n":2,"project":null,'
        b'"salt":"00000000000000000000000000000001"}'
    )
    of_content = hashlib.sha256(content).hexdigest()
    assert link.hash == hashlib.sha256((FIVE[0].hash + of_content).encode()).hexdigest()


@pytest.mark.parametrize("document", [float("nan"), float("inf"), "\ud800"])
def test_what_json_has_not_is_refused(document: object):
    with pytest.raises(ValueError, match=r"not JSON|surrogates|Out of range"):
        canonical({"it": document})
