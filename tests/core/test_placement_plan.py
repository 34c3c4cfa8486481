"""Who is placed where, in a small region."""

import json
from dataclasses import replace

import pytest

from baygrid.core.placement.demand import Infra, Target
from baygrid.core.placement.explaining.estimate import GUESSED
from baygrid.core.placement.image import Image
from baygrid.core.placement.plan import Plan, impossible
from tests.core.region import bay, centre, explained, job, nodes, offer, planned

LARGEST = "the largest node has 4 x H100, 32 cpus, 256GiB"


def where(made: Plan) -> dict[str, str]:
    return {a.job: f"{a.centre}/{a.partition} {'+'.join(a.nodes)}" for a in made.assignments}


def codes(explanation) -> dict[str, list[str]]:
    return {
        verdict.subject: [reason.code for reason in verdict.obstacles] for verdict in explanation.verdicts
    }


def test_the_cheapest_offer_wins():
    made = planned(bay(), [job("a", "H100:4 A100:8")])
    assert where(made) == {"a": "qianhai/gpu n0"}
    (placed,) = made.assignments
    assert (placed.offer, placed.accelerator, placed.accelerators) == ("qianhai/gpu/H100", "H100", 4)
    # 4 x 20 + 8 x 2 + 64 x 0.20 CNY
    assert placed.cost_minor == 10_880
    outcome = placed.explanation.outcome
    assert outcome.code == "placed"
    assert outcome.text == (
        "placed on qianhai/gpu H100:4 for 108.80 CNY at its full time: "
        "the cheapest with room, of 2 that could run it"
    )
    assert codes(placed.explanation) == {
        "hetao/gpu": ["accelerator"],
        "hetao/gpu A100:8": ["ranked-lower"],
        "qianhai/cpu": ["accelerator"],
        "qianhai/gpu H100:4": [],
    }
    lower = placed.explanation.verdicts[1].obstacles[0]
    assert lower.text == "costs 283.20 CNY, 174.40 CNY more than qianhai/gpu H100:4"


def test_the_first_accelerator_of_an_ordered_list_wins_at_any_price():
    made = planned(bay(), [job("a", "A100:8 H100:4", ordered=True)])
    assert where(made) == {"a": "hetao/gpu n0"}
    lower = made.assignments[0].explanation.verdicts[-1].obstacles[0]
    assert (
        lower.text == "costs 108.80 CNY, 174.40 CNY less than hetao/gpu A100:8, which the job asks for first"
    )
    assert "the first in the job's order with room" in made.assignments[0].explanation.outcome.text


def test_the_second_of_an_ordered_list_is_taken_where_the_first_is_busy():
    made = planned(bay(a100=1), [job(name, "A100:8 H100:4", ordered=True) for name in "ab"])
    assert where(made) == {"a": "hetao/gpu n0", "b": "qianhai/gpu n0"}
    assert codes(made.assignments[1].explanation)["hetao/gpu A100:8"] == ["busy"]


def test_ordered_infra_wins_before_price():
    asked = Infra((Target("hetao"), Target("qianhai", "cpu")), ordered=True)
    assert where(planned(bay(), [job("a", infra=asked)])) == {"a": "hetao/gpu n0"}
    assert where(planned(bay(), [job("a", infra=replace(asked, ordered=False))])) == {"a": "qianhai/cpu n0"}


def test_equal_prices_go_by_name():
    image = Image(
        [centre(name, p=nodes(1)) for name in ("west", "east")],
        [offer("west/p"), offer("east/p", identifier="z")],
    )
    assert where(planned(image, [job("a", cpus=32), job("b", cpus=32)])) == {
        "a": "east/p n0",
        "b": "west/p n0",
    }


def test_jobs_fill_the_tightest_node():
    made = planned(bay(), [job("a", cpus=8), job("b", cpus=30), job("c", cpus=2), job("d", cpus=24)])
    assert where(made) == {
        "a": "qianhai/cpu n0",
        "b": "qianhai/cpu n1",
        "c": "qianhai/cpu n1",
        "d": "qianhai/cpu n0",
    }


def test_plain_jobs_keep_off_idle_accelerators():
    image = Image(
        [centre("east", p=nodes(1, H100=8) + nodes(1, first=1, cpus=64))],
        [offer("east/p"), offer("east/p", "H100")],
    )
    assert where(planned(image, [job("a")])) == {"a": "east/p n1"}


def test_a_gang_is_placed_whole_or_not_at_all():
    queue = [job("small", "H100:4"), job("gang", "H100:4", count=3), job("pair", "H100:4", count=2)]
    made = planned(bay(h100=3), queue)
    assert where(made) == {"small": "qianhai/gpu n0", "pair": "qianhai/gpu n1+n2"}
    assert [(kept.job, kept.nodes) for kept in made.kept] == [("gang", ("n1", "n2", "n0"))]
    waits = explained(bay(h100=3), queue[1], queue=queue)
    turn = f"it is number 2 of 3 in queue default and may start in 6 min to 60 min ({GUESSED})"
    assert waits.outcome.text == f"waits for room on qianhai/gpu H100:4; {turn}"
    text = "fits but busy: 2 of the 3 nodes needed are free (3 are large enough)"
    assert [r.text for v in waits.verdicts for r in v.obstacles if r.code == "busy"] == [text]


@pytest.mark.parametrize(
    ("second", "fits"),
    [
        (job("b", "H100:3", cpus=24, gib=192), True),
        (job("b", "H100:4", cpus=24, gib=192), False),
        (job("b", "H100:3", cpus=25, gib=192), False),
        (job("b", "H100:3", cpus=24, gib=193), False),
    ],
)
def test_a_node_holds_exactly_what_it_has(second, fits):
    made = planned(bay(h100=1), [job("a", "H100:1", cpus=8, gib=64), second])
    assert ("b" in where(made)) == fits


def test_a_job_that_never_fits_blocks_no_other():
    queue = [job("big", "H100:4", count=2)] + [job(f"q{n}", "H100:4") for n in range(5)] + [job("plain")]
    made = planned(bay(h100=1), queue)
    assert list(where(made)) == ["q0", "plain"]
    assert [kept.job for kept in made.kept] == ["q1", "q2", "q3", "q4"]


def test_those_placed_alike_share_one_explanation_too():
    made = planned(bay(), [job(f"q{n}") for n in range(4)])
    assert len({id(assignment.explanation) for assignment in made.assignments}) == 1


def test_an_assignment_occupies_what_it_says():
    image, asked = bay(h100=1), job("a", "H100:4")
    (placed,) = planned(image, [asked]).assignments
    image.occupy(placed.placement("att-1", asked, 0))
    assert explained(image, asked).outcome.code == "waits-for-room"
    image.release("att-1")
    assert planned(image, [asked]).assignments == (placed,)


@pytest.mark.parametrize(
    ("asked", "subject", "code", "text"),
    [
        (job(infra=Infra((Target("hetao"),))), "qianhai/cpu", "not-asked-for", "the job asks for hetao"),
        (
            job(infra=Infra(avoid=(Target("qianhai", "cpu"),))),
            "qianhai/cpu",
            "avoided",
            "the job avoids qianhai/cpu",
        ),
        (
            job(residency=["HK", "MO"]),
            "qianhai/cpu",
            "residency",
            "qianhai lies in CN-QH, and the job's data may be in HK or MO only",
        ),
        (
            job(currency="HKD"),
            "qianhai/cpu",
            "currency",
            "priced in CNY, the project pays in HKD, and no exchange rate is loaded",
        ),
        (job("a", "H200:8"), "hetao/gpu A100", "accelerator", "offers A100, the job asks for H200:8"),
        (job(), "qianhai/gpu H100", "accelerator", "offers H100, the job asks for none"),
        (
            job("a", "H100:8", gib=512),
            "qianhai/gpu H100:8",
            "node-too-small",
            f"the job asks for 8 x H100, 8 cpus, 512GiB on a node, and {LARGEST}",
        ),
        (
            job("a", "H100:4", count=3),
            "qianhai/gpu H100:4",
            "too-few-nodes",
            "the job asks for 3 nodes, and only 2 are large enough",
        ),
        (
            job(max_cost=1_400),
            "qianhai/cpu",
            "over-budget",
            "running 1h costs 14.40 CNY, more than the 14.00 CNY that it may cost",
        ),
    ],
)
def test_reasons_have_their_figures(asked, subject, code, text):
    table = explained(bay(), asked)
    (reason,) = (r for v in table.verdicts if v.subject == subject for r in v.obstacles if r.code == code)
    assert reason.text == text


def test_a_drained_and_a_silent_centre_take_nothing_and_keep_what_they_run():
    image = Image(
        [
            centre("east", is_open=False, p=nodes(1)),
            centre("north", p=nodes(1), limit_s=60),
            centre("west", silent_s=95, p=nodes(1)),
        ],
        [offer("east/p"), offer("west/p"), offer("north/p"), offer("south/p")],
    )
    waits = explained(image, job("a"))
    turn = "it is number 1 of 1 in queue default"
    assert waits.outcome.text == f"waits until east/p, south/p, west/p can be used again; {turn}"
    texts = {verdict.subject: [reason.text for reason in verdict.obstacles] for verdict in waits.verdicts}
    assert texts == {
        "east/p": ["east is drained: it takes no new jobs"],
        "north/p": ["the job asks for 1h, and the limit is 1m"],
        "south/p": ["south has not reported a partition p"],
        "west/p": ["west has not reported for 1m35s"],
    }


def test_what_has_no_price_or_has_reported_nothing_is_still_in_the_table():
    image = Image([centre("east", p=nodes(1)), centre("west")])
    table = explained(image, job())
    assert codes(table) == {"east/p": ["no-offer"], "west": ["no-inventory", "no-offer"]}
    assert explained(Image(), job()).outcome.text == "the region offers nothing yet"


def test_a_centre_that_never_joined_has_one_reason_with_its_cure():
    image = Image([centre("east", p=nodes(1)), centre("badu", silent_s=0), centre("new", silent_s=0)],
                  [offer("east/p"), offer("badu/p")])  # fmt: skip
    table = explained(image, job())
    cure = "has never joined: start its agent with what `baygrid centres invite {0}` prints"
    texts = {verdict.subject: [reason.text for reason in verdict.obstacles] for verdict in table.verdicts}
    assert texts["badu/p"] == [f"badu {cure.format('badu')}"]
    assert texts["new"] == [f"new {cure.format('new')}"]
    assert codes(table) == {"east/p": [], "badu/p": ["centre-unreachable"], "new": ["no-offer"]}
    assert impossible(Image([centre("new", silent_s=0)], []), job()) is not None, "no price: waiting is vain"


def test_what_was_held_is_not_called_a_budget():
    asked = replace(job(), max_cost_minor=1_400, held=True, shape=None)
    table = explained(bay(), asked)
    (reason,) = (r for v in table.verdicts if v.subject == "qianhai/cpu" for r in v.obstacles)
    assert reason.code == "over-budget"
    assert reason.text == (
        "running 1h costs 14.40 CNY, more than the 14.00 CNY that was held for it when prices or centres were"
        " others: cancel it and submit it again"
    )


def test_two_offers_for_the_same_partition_are_told_apart():
    image = Image(
        [centre("east", p=nodes(1))],
        [offer("east/p", identifier="o1"), offer("east/p", None, 9, "CNY", "o2")],
    )
    made = planned(image, [job("a")])
    assert made.assignments[0].offer == "o2"
    assert [v.subject for v in made.assignments[0].explanation.verdicts] == ["east/p", "east/p (o2)"]


def test_a_full_table_tells_every_cost_and_can_be_stored():
    table = explained(bay(), job("a", "H100:4 A100:8"))
    assert table.outcome.text == "can start now on qianhai/gpu H100:4 for 108.80 CNY at its full time"
    rest = {
        "wait_s": 0,
        "centre_wait_s": None,
        "start_ms": None,
        "transfer_s": 0,
        "run_s": 3600,
        "gco2": None,
        "voucher": "none",
    }
    assert json.loads(json.dumps(table.to_json()))["outcome"]["data"] == {
        "best": "qianhai/gpu H100:4",
        "costs": [
            {
                "subject": "hetao/gpu A100:8",
                "offer": "hetao/gpu/A100",
                "cost_minor": 28320,
                "currency": "CNY",
                **rest,
            },
            {
                "subject": "qianhai/gpu H100:4",
                "offer": "qianhai/gpu/H100",
                "cost_minor": 10880,
                "currency": "CNY",
                **rest,
            },
        ],
    }
