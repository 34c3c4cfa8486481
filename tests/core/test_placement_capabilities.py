"""A job goes only where the centre can do what it needs."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.jobs.spec import parse
from baygrid.core.placement.demand import Bar, Demand
from baygrid.core.placement.image import CentreView, Image
from baygrid.core.placement.judging.candidates import candidates
from baygrid.core.placement.judging.filters import never
from baygrid.core.placement.judging.offers import OfferTable
from baygrid.core.placement.plan import impossible
from baygrid.core.placement.policy import UNDECLARED
from baygrid.core.placement.room.parts import WHOLE
from baygrid.core.placement.search import STANDARD, judged
from tests.core.region import DEMANDS, IMAGES, centre, explained, job, nodes, offer, planned

WORDS = ("gang", "accelerators", "parts", "image", "checkpoint")
ALL = frozenset(WORDS)


def able(view: CentreView, *words: str) -> CentreView:
    return replace(view, capabilities=frozenset(words))


def image(*words: str) -> Image:
    """One centre that can do only this."""
    view = able(centre("east", gpu=nodes(4, H100=4), cpu=nodes(4)), *words)
    return Image([view], [offer("east/gpu", "H100"), offer("east/cpu")])


def half(model: str = "H100") -> Demand:
    return replace(job("a", f"{model}:1"), shares=(WHOLE // 2,), shape=None)


@pytest.mark.parametrize(
    ("asked", "lacks", "ask"),
    [
        (job(count=3), "gang", {"nodes": "1"}),
        (half(), "parts", {"accelerators": "H100:1"}),
        (replace(job(), needs=frozenset({"image"}), shape=None), "image", {"image": "null"}),
        (replace(job(), needs=frozenset({"checkpoint"}), shape=None), "checkpoint", {"checkpoint": "null"}),
    ],
)
def test_what_the_centre_cannot_do_is_named_with_a_cure_that_cures(asked, lacks, ask):
    without, found = image(*(ALL - {lacks})), image(*ALL)
    assert planned(found, [asked]).assignments
    assert not planned(without, [asked]).assignments
    verdict = impossible(without, asked)
    assert verdict is not None
    assert verdict.outcome.data["ask"] == ask
    obstacles = [
        reason for row in verdict.verdicts for reason in row.obstacles if reason.code == "capability"
    ]
    assert obstacles
    assert all(reason.data["lacks"] == [lacks] for reason in obstacles)
    assert all(never(reason) for reason in obstacles)


def test_accelerators_that_a_centre_cannot_keep_apart_have_no_cure_but_another_place():
    asked = job("a", "H100:2")
    verdict = impossible(image(*(ALL - {"accelerators"})), asked)
    assert verdict is not None
    assert verdict.outcome.data["ask"] == {"accelerators": "none"}
    assert planned(image("accelerators"), [asked]).assignments


def test_a_job_goes_to_the_dearer_centre_that_can_run_it():
    cheap = able(centre("cheap", p=nodes(4)), "image")
    dear = able(centre("dear", p=nodes(4)), "gang")
    region = Image([cheap, dear], [offer("cheap/p", price=1), offer("dear/p", price=9)])
    placed = planned(region, [job("alone"), job("gang", count=2)]).assignments
    assert {it.job: it.centre for it in placed} == {"alone": "cheap", "gang": "dear"}
    said = explained(region, job(count=2))
    told = [reason.text for verdict in said.verdicts for reason in verdict.obstacles]
    assert "cheap cannot run several nodes at once" in told


def test_an_elastic_job_has_one_node_where_several_cannot_be():
    asked = replace(job(count=4), min_nodes=1, shape=None)
    assert planned(image("gang"), [asked]).assignments[0].count == 4
    assert planned(image("image"), [asked]).assignments[0].count == 1
    assert planned(image("image"), [replace(asked, min_nodes=2, shape=None)]).assignments == ()


def test_a_centre_that_has_not_said_is_taken_to_do_everything():
    silent = Image([centre("east", p=nodes(4))], [offer("east/p")])
    assert planned(silent, [replace(job(count=2), needs=ALL, shape=None)]).assignments


def test_another_capability_is_another_layout():
    region = image("gang")
    before = region.layout
    region.set_centre(able(region.centres["east"], "gang"))
    assert region.layout == before
    region.set_centre(able(region.centres["east"], "gang", "image"))
    assert region.layout > before


@given(IMAGES, DEMANDS, st.integers(0, 2**32))
def test_the_quick_answer_is_that_of_the_filters(region: Image, demand: Demand, seed: int):
    rng = Random(seed)
    demand = replace(demand, needs=frozenset(rng.sample(WORDS, rng.choice((0, 0, 1)))), shape=None)
    if rng.random() < 0.3:
        demand = replace(demand, min_nodes=1, shape=None)
    places = sorted({view.jurisdiction for view in region.centres.values()})
    barred = [place for place in places if rng.random() < 0.2]
    demand = replace(
        demand, bars=tuple(Bar(place, "dataset:a/b@1", "PROHIBITED") for place in barred), shape=None
    )
    for view in list(region.centres.values()):
        said = frozenset(word for word in WORDS if rng.random() < 0.7) if rng.random() < 0.7 else None
        region.set_centre(replace(view, capabilities=said, open=True, silent_s=None))
    table = OfferTable(region, region.nodes(), UNDECLARED, -1)
    found = table.judge(demand)
    quick = {
        (table.offers[found.offer[n]].id, int(found.place[n]), int(found.most[n]), int(found.cost[n]))
        for n in found.ranked.tolist()
    }
    slow = {
        (it.offer.id, it.preference, it.nodes, it.cost_minor)
        for it in candidates(region, demand)
        if it.offer and it.preference is not None and not judged(STANDARD, demand, it)
    }
    assert quick == slow


def test_the_job_file_says_what_is_needed():
    from baygrid.app.demand import demand_of

    small = {"name": "a", "project": "demo", "time": "1h", "run": "true"}
    assert demand_of("j", "CNY", parse(small)).needs == frozenset()
    assert demand_of("j", "CNY", parse(small | {"image": "docker:python:3.11"})).needs == {"image"}
    for checkpoint in ({"path": "ckpt"}, {"signal": "USR1"}):
        assert demand_of("j", "CNY", parse(small | {"checkpoint": checkpoint})).needs == {"checkpoint"}
    assert demand_of("j", "CNY", parse(small | {"checkpoint": {"grace": "1m"}})).needs == frozenset()
