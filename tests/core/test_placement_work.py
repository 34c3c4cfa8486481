"""A job that says how much work it has: where a place is rated, that says how long it is expected to run and
what it costs, and which place is best. What is held, and where it may run at all, rest on its time."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.placement.demand import Demand, Prefer
from baygrid.core.placement.image import Image
from baygrid.core.placement.judging.offers import Judged, OfferTable
from baygrid.core.placement.policy import UNDECLARED
from baygrid.core.placement.work import MARGIN, MOST_S, Pace, Work, takes_s
from baygrid.core.reasons import Explanation
from tests.core.region import SEEDS, centre, explained, job, nodes, offer, planned, random_image

AT = 1_764_000_000_000


def pace(per_hour: float) -> Pace:
    return Pace(Fraction(per_hour), "images@1", AT)


def rated(where: str, model: str | None, price: int, per_hour: float | None) -> Any:
    """`per_hour`: images of one device; None: not rated."""
    made = offer(where, model, price)
    return made if per_hour is None else replace(made, paces={"images": pace(per_hour)})


def region(gpu: float | None, cpu: float | None) -> Image:
    """An accelerator-hour costs 20 and its 8 cpus as many; 8 cpus of `cpu` cost 8."""
    return Image(
        [centre("qianhai", gpu=nodes(2, H100=4)), centre("hetao", "HK", cpu=nodes(2))],
        [rated("qianhai/gpu", "H100", 20, gpu), rated("hetao/cpu", None, 10, cpu)],
    )


def images(count: float, **fields: Any) -> Demand:
    """A job of 10 hours at most."""
    return replace(job(hours=10), **({"work": Work("images", round(count * 1000))} | fields), shape=None)


def only_row(found: Explanation) -> Any:
    costs: Any = found.outcome.data["costs"]
    (row,) = costs
    return row


def judged(image: Image, demand: Demand) -> Judged:
    return OfferTable(image, image.nodes(), UNDECLARED, -1).judge(demand)


def test_time_is_work_over_what_its_devices_do_with_a_quarter_to_spare():
    assert Fraction(5, 4) == MARGIN
    assert takes_s(Work("images", 1_000_000_000), pace(1_000_000), Fraction(1)) == 4500
    assert takes_s(Work("images", 1_000_000_000), pace(1_000_000), Fraction(8)) == 563
    assert takes_s(Work("images", 1), pace(1e9), Fraction(1)) == 1
    assert takes_s(Work("images", 10**18), pace(1e-9), Fraction(1)) == MOST_S


@given(
    thousandths=st.integers(1, 10**18),
    more=st.integers(0, 10**18),
    per_hour=st.floats(1e-6, 1e12),
    devices=st.integers(1, 10**6),
)
def test_more_work_never_takes_less_and_more_devices_never_more(
    thousandths: int, more: int, per_hour: float, devices: int
):
    one = takes_s(Work("km", thousandths), pace(per_hour), Fraction(devices))
    assert takes_s(Work("km", thousandths + more), pace(per_hour), Fraction(devices)) >= one
    assert takes_s(Work("km", thousandths), pace(per_hour), Fraction(devices + 1)) <= one
    assert takes_s(Work("km", thousandths), pace(per_hour * 2), Fraction(devices)) <= one


@pytest.mark.parametrize(
    ("cpu", "best"),
    [
        (100_000.0, "hetao/cpu"),  # 8 of them: 800,000 an hour for 13.12
        (1_000.0, "qianhai/gpu"),  # 8,000 an hour for 13.12; 1,000,000 an hour cost 48.80 there
    ],
)
def test_by_its_work_a_dearer_place_may_be_the_cheaper_one(cpu: float, best: str):
    image = Image(
        [centre("qianhai", gpu=nodes(2)), centre("hetao", "HK", cpu=nodes(2))],
        [rated("qianhai/gpu", None, 40, 125_000.0), rated("hetao/cpu", None, 10, cpu)],
    )
    (assignment,) = planned(image, [images(50_000)]).assignments
    assert f"{assignment.centre}/{assignment.partition}" == best
    (by_time,) = planned(image, [images(50_000, work=None)]).assignments
    assert by_time.centre == "hetao"


def test_who_prefers_time_goes_where_the_work_is_done_first():
    image = region(None, 10.0)
    fast = replace(image.offers[1], accelerator=None, paces={"images": pace(1_000_000)})
    image.set_offers([image.offers[0], replace(fast, rate=offer("qianhai/gpu", None, 90).rate)])
    (assignment,) = planned(image, [images(30, prefer=Prefer.TIME)]).assignments
    assert assignment.centre == "qianhai"


def test_a_part_of_an_accelerator_does_a_part_of_the_work():
    image = region(1_000_000.0, None)
    whole = judged(image, replace(images(1_000_000), accelerators=(("H100", 4),), shape=None))
    half = judged(image, replace(images(1_000_000), accelerators=(("H100", 1),), shares=(500,), shape=None))
    pair = judged(image, replace(images(1_000_000), accelerators=(("H100", 4),), nodes=2, shape=None))
    assert [int(it.figures.work_s[0]) for it in (whole, half, pair)] == [1125, 9000, 563]


def test_what_is_not_rated_counts_with_its_full_time_and_says_so():
    found = explained(region(None, None), images(1_000_000))
    assert "nothing measured says how long 1,000,000 images take there" in found.outcome.text
    row = only_row(found)
    assert (row["run_s"], row["work"]["takes_s"], row["work"]["price"]) == (36_000, None, None)
    assert row["work"]["cost_minor"] == row["cost_minor"]


def test_what_is_rated_says_time_cost_and_the_price_of_a_unit():
    found = explained(region(None, 10_000.0), images(128_000))
    assert found.outcome.text == (
        "can start now on hetao/cpu for 144.00 CNY at its full time; 128,000 images are expected to take 2h"
        " there and to cost 28.80 CNY, by images@1 of 2025-11-24 with 25% to spare"
    )
    row = only_row(found)
    assert row["run_s"] == 7200
    assert row["cost_minor"] == 14_400
    assert row["work"] == {
        "unit": "images", "per": 1_000_000, "takes_s": 7200, "cost_minor": 2880, "price": 225.0,
        "late": False, "profile": "images@1", "measured_ms": AT,
    }  # fmt: skip


def test_another_unit_of_work_is_not_that_one():
    found = explained(region(None, 10_000.0), images(1, work=Work("km", 1000)))
    assert "nothing measured says how long 1 km take there" in found.outcome.text


def test_where_it_would_not_be_done_in_time_comes_last_and_says_so():
    image = Image(
        [centre("slow", cpu=nodes(1)), centre("unrated", cpu=nodes(1))],
        [rated("slow/cpu", None, 1, 1.0), rated("unrated/cpu", None, 90, None)],
    )
    demand = images(1_000)
    (assignment,) = planned(image, [demand]).assignments
    assert assignment.centre == "unrated"
    alone = Image([centre("slow", cpu=nodes(1))], [rated("slow/cpu", None, 1, 1.0)])
    found = explained(alone, demand)
    assert "more than its time of 10h: it would be stopped before they are done" in found.outcome.text
    row = only_row(found)
    assert (row["run_s"], row["work"]["late"], row["work"]["price"]) == (36_000, True, None)


def test_why_a_place_was_not_chosen_is_told_by_the_work():
    image = Image(
        [centre("fast", gpu=nodes(2)), centre("slow", cpu=nodes(2))],
        [rated("fast/gpu", None, 40, 125_000.0), rated("slow/cpu", None, 10, 1_000.0)],
    )
    (assignment,) = planned(image, [images(50_000)]).assignments
    verdicts = {it.subject: it.obstacles for it in assignment.why().verdicts}
    (reason,) = verdicts["slow/cpu"]
    assert reason.code == "ranked-lower"
    assert reason.text.startswith(
        "is expected to cost 112.50 CNY for 50,000 images, 108.90 CNY more than fast/gpu"
    )


@given(rng=SEEDS, thousandths=st.integers(1, 10**12), more=st.integers(0, 10**12))
def test_work_changes_the_order_and_no_more(rng: Random, thousandths: int, more: int):
    """Nothing becomes possible or impossible by it, what is held stays, and more of it is never cheaper."""
    image = random_image(rng)
    image.set_offers(
        replace(it, paces={"images": pace(rng.choice((0.001, 1.0, 1e6)))}) if rng.random() < 0.6 else it
        for it in image.offers
    )
    prefer = rng.choice(list(Prefer))
    plain = replace(job(accelerators=rng.choice(("", "H100:1", "H100:2 A100:1"))), prefer=prefer, shape=None)
    less = replace(plain, work=Work("images", thousandths), shape=None)
    most = replace(plain, work=Work("images", thousandths + more), shape=None)
    without, small, large = (judged(image, it) for it in (plain, less, most))
    assert sorted(without.ranked) == sorted(small.ranked) == sorted(large.ranked)
    assert (without.cost == small.cost).all()
    assert (small.figures.run_cost <= large.figures.run_cost).all()
    assert (large.figures.run_cost <= large.cost).all()
    assert (small.figures.run_s <= large.figures.run_s).all()
    assert (large.figures.run_s <= plain.time_s).all()
    assert np.array_equal(small.figures.work_s < 0, large.figures.work_s < 0)
