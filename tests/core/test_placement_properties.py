"""What holds for every plan of every region, against a plain second opinion."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.cost import Footprint, cost_at
from baygrid.core.placement.demand import ANYWHERE, Demand
from baygrid.core.placement.image import Image, Node, OfferView, Rate
from baygrid.core.placement.judging.candidates import Candidate, candidates, cost_minor
from baygrid.core.placement.judging.filters import FILTERS, NOT_NOW, busy, never
from baygrid.core.placement.judging.offers import OfferTable
from baygrid.core.placement.plan import Assignment, impossible
from baygrid.core.placement.policy import UNDECLARED, Policy
from baygrid.core.placement.room.rooms import Rooms
from baygrid.core.reasons import Explanation, Reason
from baygrid.core.terms import Energy, Terms
from tests.core.region import DEMANDS, IMAGES, MODELS, QUEUES, centre, explained, nodes, planned

NOTHING_KEPT = Policy(reserve=0)
"""Every job that fits goes, in its turn."""


def copy(image: Image) -> Image:
    return Image(image.centres.values(), image.offers, image.usage)


def free(image: Image) -> dict[tuple[str, str, str], dict[str, int]]:
    """What is free on every node, counted anew."""
    left: dict[tuple[str, str, str], dict[str, int]] = {}
    for view in image.centres.values():
        for part in view.partitions:
            for node in part.nodes:
                has = {
                    "cpus": node.cpus,
                    "memory": node.memory_mib,
                    **dict.fromkeys(MODELS, 0),
                    **node.accelerators,
                }
                left[view.name, part.name, node.name] = has
    for placement in image.usage:
        for name in placement.nodes:
            room = left.get((placement.centre, placement.partition, name))
            if room is not None:
                room["cpus"] -= placement.cpus
                room["memory"] -= placement.memory_mib
                if placement.accelerator:
                    room[placement.accelerator] -= placement.accelerators
    return left


def choices(image: Image, demand: Demand) -> Iterator[tuple[tuple[int, int, int], OfferView, int, list[str]]]:
    """Every offer that could take the demand now: its rank, accelerators per node, nodes with room."""
    rooms = free(image)
    for offer in image.offers:
        view = image.centres.get(offer.centre)
        part = next((p for p in view.partitions if p.name == offer.partition), None) if view else None
        if view is None or part is None or not view.open or view.silent_s is not None:
            continue
        targets = [t.centre == view.name and t.partition in (None, part.name) for t in demand.infra.targets]
        if targets and not any(targets):
            continue
        if any(t.centre == view.name and t.partition in (None, part.name) for t in demand.infra.avoid):
            continue
        if demand.residency is not None and view.jurisdiction not in demand.residency:
            continue
        if offer.currency != demand.currency or demand.time_s > (part.time_limit_s or math.inf):
            continue
        for place, (model, count) in enumerate(demand.accelerators or ((None, 0),)):
            cost = cost_minor(offer, demand, count)
            if model != offer.accelerator or cost > (
                math.inf if demand.max_cost_minor is None else demand.max_cost_minor
            ):
                continue
            fit = [
                name
                for (centre, partition, name), room in rooms.items()
                if (centre, partition) == (view.name, part.name)
                and room["cpus"] >= demand.cpus
                and room["memory"] >= demand.memory_mib
                and (model is None or room[model] >= count)
            ]
            if len(fit) >= demand.nodes:
                wanted = targets.index(True) if targets and demand.infra.ordered else 0
                yield (wanted, place if demand.ordered else 0, cost), offer, count, fit


@given(IMAGES, QUEUES)
def test_a_plan_is_what_a_plain_second_opinion_would_do(image: Image, queue: list[Demand]):
    made = planned(image, queue, NOTHING_KEPT)
    by_job = {assignment.job: assignment for assignment in made.assignments}
    assert [a.job for a in made.assignments] == [d.job for d in queue if d.job in by_job]
    assert set(by_job) <= {demand.job for demand in queue}
    assert not made.kept
    world = copy(image)
    for demand in queue:
        possible = list(choices(world, demand))
        taken = by_job.get(demand.job)
        if taken is None:
            assert not possible, "it could have been placed"
            continue
        chosen = [c for c in possible if (c[1].id, c[2]) == (taken.offer, taken.accelerators)]
        assert chosen, "no capacity, or a rule is broken"
        rank, _, _, fit = chosen[0]
        assert rank == min(c[0] for c in possible), "a better offer was free"
        assert rank[2] == taken.cost_minor
        assert len(set(taken.nodes)) == demand.nodes, "a gang is whole, on different nodes"
        assert set(taken.nodes) <= set(fit)
        assert_tightest(world, demand, taken, fit)
        world.occupy(taken.placement(f"attempt-{demand.job}", demand, 0))
    assert all(amount >= 0 for room in free(world).values() for amount in room.values())


def assert_tightest(world: Image, demand: Demand, taken: Assignment, fit: list[str]) -> None:
    rooms = free(world)

    def left(name: str) -> tuple[int, int, int, int]:
        room = rooms[taken.centre, taken.partition, name]
        model = taken.accelerator
        every = sum(amount for kind, amount in room.items() if kind in MODELS)
        return room[model] if model else 0, every, room["cpus"], room["memory"]

    assert sorted(map(left, taken.nodes)) == sorted(map(left, fit))[: demand.nodes]


@given(IMAGES, QUEUES)
def test_a_plan_changes_nothing_and_comes_out_the_same_again(image: Image, queue: list[Demand]):
    before, rooms = free(image), as_lists(image)
    first = planned(image, queue)
    assert free(image) == before
    assert as_lists(image) == rooms == as_lists(copy(image))
    again = planned(copy(image), list(queue))
    assert again == first
    assert [a.explanation for a in again.assignments] == [a.explanation for a in first.assignments]


def as_lists(image: Image) -> list[object]:
    nodes = image.nodes()
    return [nodes.cpus.tolist(), nodes.memory.tolist(), nodes.accelerators.tolist()]


def passed(table: Explanation) -> list[str]:
    return [verdict.subject for verdict in table.verdicts if verdict.passed]


@given(IMAGES, DEMANDS)
def test_a_full_table_agrees_with_the_plan_and_leaves_nothing_out(image: Image, demand: Demand):
    table = explained(image, demand)
    made = planned(image, [demand])
    assert bool(passed(table)) == bool(made.assignments)
    seen = " ".join(verdict.subject for verdict in table.verdicts)
    assert all(name in seen for name in image.centres)
    assert all(f"{centre}/{part}" in seen for centre, part in image.pools)
    if made.assignments:
        best = passed(made.assignments[0].explanation)
        assert [table.outcome.data["best"]] == best
    else:
        codes = [{reason.code for reason in verdict.obstacles} for verdict in table.verdicts]
        expected = "never-fits"
        if any(found == {"busy"} for found in codes):
            expected = "waits-for-room"
        elif any(found <= NOT_NOW for found in codes):
            expected = "waits-for-centre"
        assert table.outcome.code == expected


BIG = Node("big", 100, 100, dict.fromkeys(MODELS, 100))


def without(reason: Reason, image: Image, demand: Demand, it: Candidate) -> tuple[Image, Demand]:
    """The world without this one obstacle."""
    views = dict(image.centres)
    view = it.centre
    code = reason.code
    if view is not None:
        parts = view.partitions
        if code == "centre-closed":
            view = replace(view, open=True)
        elif code == "centre-unreachable":
            view = replace(view, silent_s=None)
        elif code == "residency":
            view = replace(view, jurisdiction=reason.data["residency"][0])  # type: ignore[index, arg-type]
        elif code in ("node-too-small", "too-few-nodes", "busy"):
            more = tuple(replace(BIG, name=f"big-{n}") for n in range(demand.nodes))
            parts = tuple(replace(p, nodes=p.nodes + more) if p.name == it.where[1] else p for p in parts)
        elif code == "time-limit":
            parts = tuple(
                replace(p, time_limit_s=demand.time_s) if p.name == it.where[1] else p for p in parts
            )
        views[view.name] = replace(view, partitions=parts)
    if code == "over-budget":
        demand = replace(demand, max_cost_minor=reason.data["cost_minor"], shape=None)  # type: ignore[arg-type]
    elif code in ("not-asked-for", "avoided"):
        demand = replace(demand, infra=ANYWHERE, shape=None)
    elif code == "currency":
        demand = replace(demand, currency=str(reason.data["offer"]), shape=None)
    elif code == "accelerator":
        asked = () if it.accelerator is None else ((it.accelerator, 1),)
        demand = replace(demand, accelerators=asked, shape=None)
    return Image(views.values(), image.offers, image.usage), demand


@given(IMAGES, DEMANDS)
def test_each_reason_is_true_its_filter_passes_once_it_alone_is_gone(image: Image, demand: Demand):
    for number, it in enumerate(candidates(image, demand)):
        for test in FILTERS:
            reason = test(demand, it)
            if reason is None or reason.code in ("no-inventory", "no-offer"):
                continue
            world, asked = without(reason, image, demand, it)
            same = [c for c in candidates(world, asked) if c.offer is it.offer and c.where == it.where]
            assert any(test(asked, c) is None for c in same), (number, reason)


def room_for(image: Image, demand: Demand, it: Candidate) -> int:
    nodes = image.nodes()
    need = nodes.need(demand.cpus, demand.memory_mib, it.accelerator, it.accelerators)
    return int(Rooms(nodes, UNDECLARED, {}, 0).counts(need, 0, demand.project)[nodes.number[it.where]])


@given(IMAGES, DEMANDS)
def test_a_busy_candidate_has_exactly_the_room_it_is_said_to_have(image: Image, demand: Demand):
    for it in candidates(image, demand):
        if it.pool is None or it.preference is None or it.fitting < demand.nodes:
            continue
        count = room_for(image, demand, it)
        rooms = free(image)
        really = sum(
            room["cpus"] >= demand.cpus
            and room["memory"] >= demand.memory_mib
            and (it.accelerator is None or room[it.accelerator] >= it.accelerators)
            for (centre, part, _), room in rooms.items()
            if (centre, part) == it.where
        )
        assert count == really
        reason = busy(demand, it, count)
        assert (reason is None) == (really >= demand.nodes)
        if reason is not None:
            assert reason.data["free"] == really
            world, _ = without(reason, image, demand, it)
            again = next(
                c
                for c in candidates(world, demand)
                if c.offer is it.offer and c.accelerators == it.accelerators
            )
            assert busy(demand, again, room_for(world, demand, again)) is None


@given(IMAGES, DEMANDS)
def test_impossible_looks_at_totals_only(image: Image, demand: Demand):
    verdict = impossible(image, demand)
    idle = Image([replace(v, open=True, silent_s=None) for v in image.centres.values()], image.offers)
    assert impossible(idle, demand) == verdict
    if verdict is not None:
        assert not planned(idle, [demand]).assignments
        assert all(never(reason) for found in verdict.verdicts for reason in found.obstacles)
    elif not any(
        reason.code == "no-inventory"
        for found in explained(idle, demand).verdicts
        for reason in found.obstacles
    ):
        assert planned(idle, [demand]).assignments


PRICES = st.fractions(0, 1000, max_denominator=10**6) | st.fractions(0, 10**12, max_denominator=10**12)
DAYS = st.lists(PRICES, min_size=24, max_size=24).map(tuple)
ENERGIES = st.none() | st.builds(Energy, DAYS, st.integers(0, 99), st.integers(0, 999), st.just(480))
TERMS = st.builds(Terms, st.integers(0, 7200), st.sampled_from((0, 1, 60, 3600)), PRICES, ENERGIES)
RATES = st.builds(Rate, PRICES, PRICES, PRICES, st.none() | TERMS)


@given(
    st.lists(st.tuples(RATES, st.sampled_from(("CNY", "JPY"))), min_size=1, max_size=4), DEMANDS, st.data()
)
def test_the_costs_of_many_offers_are_those_of_each(
    priced: list[tuple[Rate, str]], demand: Demand, data: st.DataObject
):
    offers = [
        OfferView(str(n), "east", "a", "H100", currency, rate) for n, (rate, currency) in enumerate(priced)
    ]
    image = Image([centre("east", a=nodes(1))], offers)
    table = OfferTable(image, image.nodes(frozenset()), UNDECLARED, -1)
    amounts = st.tuples(st.integers(0, 8), st.integers(1, 1000), st.integers(1, 9), st.integers(0, 10**7))
    found = [data.draw(amounts) for _ in table.offers]
    each, share, counts, seconds = np.array(found, dtype=np.int64).T
    parts = replace(demand, accelerators=(("H100", 1),), shares=(500,), input_bytes=1 << 33, shape=None)
    costs = table.costs(np.arange(len(found)), parts, each, share, counts, seconds)
    assert costs.tolist() == [
        cost_at(
            offer.rate,
            offer.currency,
            Footprint(count, demand.cpus, demand.memory_mib, has, part, 1 << 33),
            time_s,
        )
        for offer, (has, part, count, time_s) in zip(table.offers, found, strict=True)
    ]
