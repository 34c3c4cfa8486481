"""What was bought ahead counts in every plan: the same for one candidate as for all at once."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.cost import Footprint, cost_at
from baygrid.core.placement.deals import Deal
from baygrid.core.placement.demand import Demand
from baygrid.core.placement.image import Image, OfferView, Rate
from baygrid.core.placement.judging.candidates import candidates
from baygrid.core.placement.judging.filters import spot
from baygrid.core.placement.judging.offers import OfferTable
from baygrid.core.placement.policy import UNDECLARED
from tests.core.region import DEMANDS, IMAGES, centre, explained, nodes, planned
from tests.core.test_placement_properties import RATES, passed

TERMS = st.tuples(
    st.integers(0, 40_000),
    st.integers(0, 10_000),
    st.fractions(0, 50, max_denominator=100),
    st.integers(0, 16),
    st.integers(0, 1 << 16),
)


def with_deals(demand: Demand, offers: list[str], data: st.DataObject, spot: bool) -> Demand:
    named = data.draw(st.lists(st.sampled_from(offers), max_size=4)) if offers else []
    deals = tuple(Deal(f"trade-{n}", offer, *data.draw(TERMS)) for n, offer in enumerate(named))
    return replace(demand, deals=deals, spot=spot, shape=None)


@given(IMAGES, DEMANDS, st.booleans(), st.data())
def test_a_table_agrees_with_the_plan(image: Image, demand: Demand, spot: bool, data: st.DataObject):
    demand = with_deals(demand, [offer.id for offer in image.offers], data, spot)
    table, made = explained(image, demand), planned(image, [demand])
    assert bool(passed(table)) == bool(made.assignments)
    if made.assignments:
        assert [table.outcome.data["best"]] == passed(made.assignments[0].explanation)


@given(IMAGES, DEMANDS, st.data())
def test_a_spot_job_lacks_what_its_deals_do_not_cover(image: Image, demand: Demand, data: st.DataObject):
    demand = with_deals(demand, [offer.id for offer in image.offers], data, spot=True)
    for it in candidates(image, demand):
        reason = spot(demand, it)
        if it.offer is None or it.preference is None:
            assert reason is None
            continue
        each = it.accelerators * it.share if it.accelerator else demand.cpus * 1000
        free = sum(deal.units for deal in demand.deals if deal.offer == it.offer.id)
        assert (reason is None) == (free >= it.nodes * each)


@given(st.lists(RATES, min_size=1, max_size=4), DEMANDS, st.data())
def test_the_costs_of_many_offers_are_those_of_each(rates: list[Rate], demand: Demand, data: st.DataObject):
    offers = [OfferView(str(n), "east", "a", "H100", "CNY", rate) for n, rate in enumerate(rates)]
    image = Image([centre("east", a=nodes(1))], offers)
    table = OfferTable(image, image.nodes(frozenset()), UNDECLARED, -1)
    demand = replace(demand, accelerators=(("H100", 1),), shape=None)
    demand = with_deals(demand, [offer.id for offer in offers], data, spot=False)
    amounts = st.tuples(st.integers(0, 8), st.just(1000), st.integers(1, 9), st.integers(0, 10**7))
    found = [data.draw(amounts) for _ in table.offers]
    columns = np.array(found, dtype=np.int64).T
    costs = table.costs(np.arange(len(found)), demand, *columns)
    assert costs.tolist() == [
        cost_at(
            offer.rate,
            offer.currency,
            Footprint(count, demand.cpus, demand.memory_mib, has, part, demand.input_bytes),
            time_s,
            [deal.bought for deal in demand.deals if deal.offer == offer.id],
        )
        for offer, (has, part, count, time_s) in zip(table.offers, found, strict=True)
    ]


def test_the_offer_at_which_the_project_pays_least_is_chosen():
    image = Image(
        [centre("east", a=nodes(1)), centre("west", a=nodes(1))],
        [OfferView(name, name, "a", None, "CNY", _rate(price)) for name, price in (("east", 1), ("west", 2))],
    )
    demand = Demand("job", "p", "CNY", 1, 4, 1, 3600)
    bought = replace(demand, deals=(Deal("t", "west", 4000, 3600, Fraction(0), 0, 1),), shape=None)
    (plain,), (dealt,) = (planned(image, [it]).assignments for it in (demand, bought))
    assert (plain.offer, plain.cost_minor) == ("east", 400)
    assert (dealt.offer, dealt.cost_minor) == ("west", 0)


def _rate(price: int) -> Rate:
    return Rate(Fraction(0), Fraction(price), Fraction(0))
