"""What never fits is refused with the nearest that would fit."""

from dataclasses import replace

import pytest
from hypothesis import given

from baygrid.core.placement.demand import Bar, Demand, Infra, Target
from baygrid.core.placement.explaining.nearest import approach
from baygrid.core.placement.image import Image
from baygrid.core.placement.judging.candidates import candidates
from baygrid.core.placement.plan import impossible
from baygrid.core.placement.search import STANDARD
from tests.core.region import DEMANDS, IMAGES, bay, centre, job, nodes, offer, planned


@pytest.mark.parametrize(
    ("asked", "nearest", "ask"),
    [
        (job("a", "H100:8"), "qianhai/gpu", {"accelerators": "H100:4"}),
        (job("a", "H200:8"), "hetao/gpu", {"accelerators": "A100:8"}),
        (job("a", "H200:4"), "qianhai/gpu", {"accelerators": "H100:4"}),
        (job("a", "H100:4", count=5), "qianhai/gpu", {"nodes": "2"}),
        (job(cpus=64), "qianhai/cpu", {"cpus": "32"}),
        (job(cpus=64, gib=1024), "qianhai/cpu", {"cpus": "32", "memory": "256GiB"}),
        (job(max_cost=100), "qianhai/cpu", {"max_cost": "14.40 CNY"}),
        (job(infra=Infra((Target("nowhere"),))), "qianhai/cpu", {"infra": "qianhai/cpu"}),
        (
            job(infra=Infra((Target("qianhai", "gpu"),)), residency=["HK"]),
            "hetao/gpu",
            {"infra": "hetao/gpu"},
        ),
        (job(residency=["MO"]), "qianhai/cpu", {"residency": "[CN-QH, MO]"}),
        (job("a", "A100:8", residency=["CN-QH"]), "qianhai/gpu", {"accelerators": "H100:4"}),
    ],
)
def test_the_nearest_that_would_fit(asked: Demand, nearest: str, ask: dict[str, str]):
    verdict = impossible(bay(), asked)
    assert verdict is not None
    assert verdict.outcome.code == "never-fits"
    assert (verdict.outcome.data["nearest"], verdict.outcome.data["ask"]) == (nearest, ask)
    assert all(found.obstacles for found in verdict.verdicts)


def test_the_sentence():
    verdict = impossible(bay(), job("a", "H100:8", count=2))
    assert verdict is not None
    assert verdict.outcome.text == (
        "nothing in the region can run it as it is; nearest is qianhai/gpu "
        "(largest node: 4 x H100, 32 cpus, 256GiB): ask for accelerators: H100:4"
    )


def test_a_shorter_time():
    image = Image([centre("east", p=nodes(1), limit_s=5400)], [offer("east/p")])
    verdict = impossible(image, job(hours=4))
    assert verdict is not None
    assert verdict.outcome.data["ask"] == {"time": "1h30m"}


def test_no_change_of_the_job_helps():
    verdict = impossible(bay(), job(currency="HKD"))
    assert verdict is not None
    assert verdict.outcome.text == "nothing in the region can run it, and no change of the job helps"
    nothing = impossible(Image(), job())
    assert nothing is not None
    assert nothing.outcome.text == "the region offers nothing yet"


def test_what_only_has_to_wait_is_not_impossible():
    drained = Image([centre("east", is_open=False, silent_s=99, p=nodes(1))], [offer("east/p")])
    assert impossible(drained, job()) is None
    assert (
        impossible(Image(offers=[offer("east/p")]), job()) is None
    )  # not reported yet: it may be large enough
    full = bay(plain=1, a100=0)
    assert impossible(full, job(cpus=32)) is None


@given(IMAGES, DEMANDS)
def test_advice_followed_fits(image: Image, demand: Demand):
    idle = Image([replace(v, open=True, silent_s=None) for v in image.centres.values()], image.offers)
    for it in candidates(idle, demand):
        found = approach(idle, demand, STANDARD, it)
        if found is not None and it.pool is not None:
            only = [o for o in idle.offers if o is it.offer]
            assert planned(Image(idle.centres.values(), only), [found.demand]).assignments
            assert bool(found.changes) == (demand != found.demand)


def test_where_only_the_law_is_in_the_way_it_is_named():
    bar = Bar("CN-QH", "dataset:a/b@1", "SECURITY_ASSESSMENT", ("Provisions 7(2)",))
    found = impossible(bay(), replace(job(), bars=(bar, replace(bar, jurisdiction="HK")), shape=None))
    assert found is not None
    assert "only the law is in the way" in found.outcome.text
    assert "SECURITY_ASSESSMENT by Provisions 7(2)" in found.outcome.text
    assert found.outcome.data["basis"] == ["Provisions 7(2)"]
