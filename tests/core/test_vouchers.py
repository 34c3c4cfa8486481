"""Vouchers never pay above any limit, pay the same however a cost is split, and pay no cost twice."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.pricing.vouchers import Drawn, Purse, Terms, Voucher, draw
from baygrid.core.units import Money

DAY = 86_400_000
FEN = st.one_of(st.integers(0, 300), st.integers(16_777_215, 16_777_220), st.integers(0, 10**15))


def terms(rate="0.5", cap=1_000, contract=None, start=0, end=100 * DAY) -> Terms:
    worth = None if contract is None else Money(contract, "CNY")
    return Terms(Fraction(rate), Money(cap, "CNY"), worth, start, end)


@st.composite
def purses(draw_) -> Purse:
    pools = {"a": draw_(FEN), "b": draw_(FEN)}
    found = []
    for number in range(draw_(st.integers(0, 4))):
        whole = draw_(st.integers(1, 100))
        rate = Fraction(draw_(st.integers(1, whole)), whole)
        it = Terms(
            rate, Money(draw_(FEN), "CNY"),
            draw_(st.none() | FEN.map(lambda minor: Money(minor, "CNY"))), 0, draw_(st.integers(1, 3)),
        )  # fmt: skip
        found.append(Voucher(f"v{number}", draw_(st.sampled_from("ab")), it, Drawn()))
    return Purse(tuple(found), pools)


def paid(purse: Purse) -> int:
    return sum(it.drawn.paid for it in purse.vouchers)


@given(purses(), st.lists(FEN, max_size=8))
def test_no_limit_is_passed_and_shares_are_parts_of_their_cost(purse: Purse, costs: list[int]):
    after = purse
    for cost in costs:
        shares, after = after.pay(cost, 0, 1)
        assert sum(it.base for it in shares) <= cost, "no fen of a cost is supported twice"
        assert all(0 <= it.paid <= it.base for it in shares)
    for it in after.vouchers:
        assert it.drawn.paid <= it.terms.cap.minor
        assert it.terms.contract is None or it.drawn.base <= it.terms.contract.minor
        assert it.drawn.paid <= it.terms.rate * it.drawn.base
        assert 0 <= it.drawn.carry < it.terms.rate.denominator
    for pool, whole in purse.left.items():
        assert whole - sum(it.drawn.paid for it in after.vouchers if it.pool == pool) == after.left[pool] >= 0


@given(purses(), FEN, st.data())
def test_splitting_a_cost_changes_nothing(purse: Purse, cost: int, data: st.DataObject):
    first = data.draw(st.integers(0, cost))
    whole = purse.pay(cost, 0, 1)[1]
    parts = purse.pay(first, 0, 1)[1].pay(cost - first, 0, 1)[1]
    assert parts == whole


@given(purses(), FEN)
def test_all_that_the_limits_allow_is_paid(purse: Purse, cost: int):
    shares, after = purse.pay(cost, 0, 1)
    if sum(it.base for it in shares) < cost:
        for it in after.vouchers:
            used_up = it.terms.contract is not None and it.drawn.base == it.terms.contract.minor
            assert used_up or it.drawn.paid == it.terms.cap.minor or after.left[it.pool] == 0


def test_a_share_is_a_floor_over_everything_so_far():
    drawn, given_ = Drawn(), []
    for _ in range(4):
        after = draw(terms("0.6", 10**9), drawn, 1, 10**9)
        given_.append(after.paid - drawn.paid)
        drawn = after
    assert given_ == [0, 1, 0, 1]  # 0.6, 1.2, 1.8, 2.4
    assert drawn == Drawn(4, 2, 2)  # 2/5 of a fen is carried on


def test_what_lapses_first_is_used_first_and_the_next_takes_the_rest():
    soon = Voucher("soon", "a", terms("0.5", cap=10, end=DAY), Drawn())
    late = Voucher("late", "a", terms("0.6", end=2 * DAY), Drawn())
    shares, after = Purse((late, soon), {"a": 1_000}).pay(100, 0, 1)
    assert [(it.voucher, it.base, it.paid) for it in shares] == [("soon", 20, 10), ("late", 80, 48)]
    assert after.left == {"a": 942}
    shares, _ = Purse((late, soon), {"a": 1_000}).pay(100, 0, 1, {"late"})
    assert [(it.voucher, it.paid) for it in shares] == [("late", 60)]


@pytest.mark.parametrize(("start", "end", "pays"), [(5, 10, True), (4, 10, False), (5, 11, False)])
def test_usage_must_lie_within_the_validity(start: int, end: int, pays: bool):
    it = Voucher("v", "a", terms(start=5, end=10), Drawn())
    assert bool(Purse((it,), {"a": 100}).pay(100, start, end)[0]) is pays


def test_above_what_a_float_of_32_bits_can_count():
    shares, _ = Purse((Voucher("v", "a", terms("1", cap=2_000_000_101), Drawn()),), {"a": 10**12}).pay(
        2_000_000_101, 0, 1
    )
    assert [it.paid for it in shares] == [2_000_000_101]


@pytest.mark.parametrize("rate", ["0", "-0.5", "1.01"])
def test_a_rate_is_a_share(rate: str):
    with pytest.raises(ValueError, match="a share of a cost"):
        terms(rate)
