"""What gaps are worth, against a plain second opinion, and what policy baygrid makes of it."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from baygrid.core.placement.packing.cluster import Cluster, Host, Request
from baygrid.core.placement.packing.kernel import WHOLE
from baygrid.core.placement.packing.packer import Packer
from baygrid.core.placement.packing.worth import worth

COARSE = st.sampled_from([180, 250, 320, 410, 470, 500, 650, 810, 1000])


def fewest(demand: dict[int, float]) -> float:
    """Devices that the demand needs at least, all sets of shares that fit in one written out."""
    shares = sorted(demand)
    counts = product(*(range(WHOLE // share + 1) for share in shares))
    sets = [few for few in counts if 0 < sum(n * s for n, s in zip(few, shares, strict=True)) <= WHOLE]
    said = linprog(np.ones(len(sets)), A_ub=-np.array(sets).T, b_ub=[-demand[share] for share in shares])
    return float(said.fun)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(COARSE, st.integers(1, 100), min_size=1, max_size=4))
def test_the_worth_of_all_that_is_asked_is_the_fewest_devices_that_hold_it(demand: dict[int, float]) -> None:
    value = worth(demand)
    held = sum(number * value[share] for share, number in demand.items()) / WHOLE
    assert held == pytest.approx(fewest(demand), rel=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.integers(1, WHOLE), st.integers(0, 100), max_size=80))
def test_worth_grows_with_the_gap_and_parts_are_not_worth_more_than_the_whole(
    demand: dict[int, float],
) -> None:
    value = worth(demand)
    assert value[0] == 0
    assert value[WHOLE] == pytest.approx(WHOLE)
    assert (np.diff(value) >= -1e-6).all()
    halves = value + value[::-1]
    assert (halves <= WHOLE + 1e-3).all()


def test_a_gap_that_nobody_fills_is_worth_nothing() -> None:
    value = worth({810: 10, 650: 5, 320: 5})
    assert value[190] == 0
    assert value[320] == value[350] > 0
    assert value[650] + value[320] == pytest.approx(WHOLE)


def nodes(policy: str, hosts: list[Host], usual: dict[Request, float], asked: list[Request]) -> list[int]:
    """The node of each request; -1: none."""
    packer = Packer(Cluster(hosts), policy, usual)
    placed = [packer.place(packer.shape(request)) for request in asked]
    return [one.node if one else -1 for one in placed]


PLAIN = Request(cpu=8_000, memory=1)
ONE = Request(cpu=8_000, memory=1, count=1, share=WHOLE)


def test_cpu_is_left_where_devices_will_need_it() -> None:
    # Both nodes have cpu for each of their devices; only the second has more. fgd sees no difference yet.
    hosts = [Host(64_000, 99, ("A",) * 8), Host(24_000, 99, ("A", "A"))]
    asked = [PLAIN, *[ONE] * 10]
    assert nodes("baygrid", hosts, {ONE: 1}, asked) == [1, *[0] * 8, 1, 1]
    assert nodes("fgd", hosts, {ONE: 1}, asked)[0] == 0


def test_a_plain_request_goes_where_all_devices_are_taken() -> None:
    hosts = [Host(16_000, 99, ("A", "A")), Host(16_000, 99, ("A", "A"))]
    light = Request(cpu=1_000, memory=1, count=2, share=WHOLE)
    assert nodes("baygrid", hosts, {ONE: 1}, [light, PLAIN]) == [0, 0]


def test_memory_counts_as_cpu_does() -> None:
    hosts = [Host(99_000, 40, ("A",) * 4), Host(99_000, 90, ("A",) * 4)]
    one = Request(cpu=1, memory=10, count=1, share=WHOLE)
    assert nodes("baygrid", hosts, {one: 1}, [Request(cpu=1, memory=10), *[one] * 8]) == [
        1,
        *[0] * 4,
        *[1] * 4,
    ]


def test_a_wanted_model_is_kept_for_those_who_name_it() -> None:
    hosts = [Host(99_000, 99, ("rare", "rare")), Host(99_000, 99, ("plenty",) * 8)]
    anyone = Request(1, 1, 1, WHOLE)
    named = Request(1, 1, 1, WHOLE, ("rare",))
    asked = [anyone] * 8 + [named] * 2
    assert nodes("baygrid", hosts, {anyone: 1, named: 3}, asked) == [1] * 8 + [0] * 2
    assert nodes("baygrid", hosts, {anyone: 1}, asked)[-1] == -1


def test_what_fits_is_placed_at_any_price() -> None:
    hosts = [Host(99_000, 99, ("rare", "rare"))]
    anyone, named = Request(1, 1, 1, WHOLE), Request(1, 1, 1, WHOLE, ("rare",))
    assert nodes("baygrid", hosts, {named: 1}, [anyone, anyone]) == [0, 0]


def test_a_share_goes_where_the_rest_is_of_use() -> None:
    usual = {Request(1, 1, 1, share): 1.0 for share in (650, 320)}
    hosts = [Host(99, 99, ("A",)), Host(99, 99, ("A",))]
    small, large = Request(1, 1, 1, 320), Request(1, 1, 1, 650)
    assert nodes("baygrid", hosts, usual, [large, small, large, small]) == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("cpu", "count", "share", "says"),
    [
        (-1, 0, 0, "less than nothing"),
        (0, 1, 0, "0 thousandths"),
        (0, 1, 1001, "1001 thousandths"),
        (0, 0, 5, "a share of no device"),
    ],
)
def test_a_request_that_means_nothing_is_refused(cpu: int, count: int, share: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Request(cpu, 0, count, share)


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="use one of random, dotprod"):
        Packer(Cluster([]), "best", {})


def test_a_cluster_without_nodes_places_nothing() -> None:
    assert nodes("baygrid", [], {ONE: 1}, [ONE, PLAIN]) == [-1, -1]
