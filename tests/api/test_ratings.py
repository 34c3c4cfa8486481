"""Ratings come signed by the centre's agent, whoever of those who may brings them; what cannot be true is
refused with one clear error; offers show what they do in an hour, and what that costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from baygrid.centres.keys import Key
from baygrid.core.rating.judging import DAY_MS, FRESH_MS
from baygrid.core.rating.value import Gate, Rating
from baygrid.ports.messages import SignedRating
from baygrid.ports.wire import rating_bytes, to_json
from tests.api.world import CPU, GPU, World
from tests.core.ratings import cpu_rating, rating

HOUR_MS = 3_600_000


@pytest.fixture
def keys(world: World) -> dict[str, Key]:
    """The agents' keys, as their reports told them."""
    made = {"hub": Key.new(), "far": Key.new()}
    for name, partition in (("hub", GPU), ("far", CPU)):
        world.store.write(
            lambda tx: tx.region.set_inventory(name, (partition,), f"d-{name}", made[name].public_key)  # noqa: B023
        )
    return made


class Bringing:
    def __init__(self, world: World, api: TestClient, keys: dict[str, Key]) -> None:
        self.world, self.api, self.keys = world, api, keys

    def __call__(self, it: Rating, who: str = "hub", to: str = "hub", key: str = "hub") -> Any:
        signed = SignedRating(it, self.keys[key].sign(rating_bytes(it)))
        return self.send(to_json(signed), who, to)

    def send(self, document: object, who: str = "hub", to: str = "hub") -> Any:
        headers = self.world.headers(who)
        return self.api.post(f"/v1/centres/{to}/ratings", json=document, headers=headers)

    def get(self, path: str, who: str = "team") -> list[dict[str, Any]]:
        answer = self.api.get(path, headers=self.world.headers(who))
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found


@pytest.fixture
def bring(world: World, api: TestClient, keys: dict[str, Key]) -> Bringing:
    return Bringing(world, api, keys)


def now(bring: Bringing) -> int:
    return bring.world.clock()


def test_a_signed_rating_is_taken_and_shown_to_everybody(bring: Bringing):
    it = rating(measured_at=now(bring))
    answer = bring(it)
    assert answer.status_code == 201, answer.text
    (shown,) = bring.get("/v1/ratings")
    assert shown == answer.json()
    assert (shown["status"], shown["units_per_hour"], shown["per_device_hour"]) == ("measured", 7.2e6, 3.6e6)
    assert shown["public_key"] == bring.keys["hub"].public_key
    assert bring.get("/v1/ratings?centre=far") == []
    assert bring.get("/v1/ratings?centre=hub") == bring.get("/v1/centres/hub/ratings") == [shown]


def test_a_rating_may_be_brought_again_and_by_an_operator(bring: Bringing):
    it = rating(measured_at=now(bring))
    first = bring(it, who="operator")
    again = bring(it)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert len(bring.get("/v1/centres/hub/ratings")) == 1


def test_another_rating_of_the_same_time_is_refused(bring: Bringing):
    it = rating(measured_at=now(bring))
    bring(it)
    answer = bring(replace(it, units=1.0))
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_the_newest_counts_and_all_are_kept(bring: Bringing):
    for minutes, units in ((0, 3.0), (2, 2.0), (1, 1.0)):
        at = now(bring) - HOUR_MS + minutes * 60_000
        assert bring(rating(measured_at=at, units=units)).status_code == 201
    (shown,) = bring.get("/v1/ratings")
    assert shown["units"] == 2.0
    assert [it["units"] for it in bring.get("/v1/centres/hub/ratings")] == [2.0, 1.0, 3.0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"measured_at": DAY_MS}, "rating.measured_at: lies in the future"),
        ({"measured_at": -401 * DAY_MS}, "rating.measured_at: is more than 400 days ago"),
        ({"centre": "far"}, "rating.centre: is 'far': this is no rating of hub"),
        ({"partition": "cpu"}, "rating.partition: 'cpu' is not there: hub has gpu"),
        ({"accelerators": 17}, "rating.accelerators: are more 'H100' than partition gpu has"),
        ({"nodes": 3}, "rating.nodes: are more than the 2"),
        ({"cpus": 1000}, "rating.cpus: are more"),
        ({"memory_mib": 1 << 30}, "rating.memory_mib: is more"),
        ({"gate": Gate(passed=False, why="CER is 0.4")}, "rating.gate: its quality gate failed"),
        ({"unit": "miles"}, "rating.unit: must be one of"),
    ],
)
def test_what_cannot_be_true_is_refused(bring: Bringing, change: dict[str, Any], says: str):
    it = replace(rating(), **({"measured_at": 0} | change))
    before = bring.world.dump()
    answer = bring(replace(it, measured_at=now(bring) + it.measured_at))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["detail"].startswith(says)
    assert bring.world.dump() == before


@pytest.mark.parametrize("forged", ["another key", "changed", "no signature", "not hex"])
def test_a_forged_rating_is_refused(bring: Bringing, forged: str):
    it = rating(measured_at=now(bring))
    good = bring.keys["hub"].sign(rating_bytes(it))
    document = to_json(
        {
            "another key": SignedRating(it, bring.keys["far"].sign(rating_bytes(it))),
            "changed": SignedRating(replace(it, units=it.units * 1.0001), good),
            "no signature": SignedRating(it, ""),
            "not hex": SignedRating(it, "\N{SNOWMAN}"),
        }[forged]
    )
    answer = bring.send(document)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("signature: is not by the key of the agent of hub")
    assert bring.get("/v1/ratings") == []


def test_nobody_rates_anothers_centre(bring: Bringing):
    it = rating(measured_at=now(bring))
    for who in ("far", "team"):
        assert bring(it, who=who).status_code == 403
    theirs = cpu_rating(measured_at=now(bring))
    assert bring(theirs, who="far", to="far", key="hub").status_code == 422
    assert bring(theirs, who="far", to="far", key="far").status_code == 201


@pytest.mark.parametrize(
    "document",
    [
        [], "rating", {}, {"rating": {}, "signature": ""}, {"rating": None, "signature": ""},
        {"rating": to_json(rating()) | {"units": "many"}, "signature": ""},
        {"rating": to_json(rating()) | {"gate": []}, "signature": ""},
        {"rating": to_json(rating()) | {"stages": {"infer": None}}, "signature": ""},
        {"rating": to_json(rating()) | {"nodes": 1.5}, "signature": ""},
        {"rating": to_json(rating()), "signature": 7},
    ],
)  # fmt: skip
def test_what_is_no_rating_is_refused(bring: Bringing, document: object):
    answer = bring.send(document)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["detail"].startswith("this is no rating: ")


def test_an_old_rating_is_shown_as_stale(bring: Bringing):
    bring(rating(measured_at=now(bring)))
    bring.world.clock.ahead_ms += FRESH_MS
    (shown,) = bring.get("/v1/ratings")
    assert shown["status"] == "stale"
    offer = next(it for it in bring.get("/v1/offers") if it["id"] == "hub-gpu")
    assert [(it["status"], it["price"]) for it in offer["ratings"]] == [("stale", None)]


def test_offers_show_what_they_do_and_what_a_unit_costs(bring: Bringing):
    bring(rating(measured_at=now(bring)))
    bring(rating(measured_at=now(bring), profile="images@9", units=1.0))
    by_id = {it["id"]: it["ratings"] for it in bring.get("/v1/offers")}
    assert by_id["far-cpu"] == []
    (shown,) = by_id["hub-gpu"]
    assert (shown["status"], shown["profile"], shown["units_per_hour"]) == ("measured", "images@1", 7.2e6)
    assert (shown["price"], shown["per"]) == ("6.2", 1_000_000)


def test_what_is_planned_is_marked_so_and_has_no_price(bring: Bringing):
    published = {"images": 1.6e9, "audio_hours": 1.9e6, "km": 7000.0}
    body = {"units_per_hour": published, "flops": 5e17, "note": "on completion"}
    headers = bring.world.headers("operator")
    answer = bring.api.put("/v1/centres/hub/plan", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    shown = bring.get("/v1/ratings")
    assert {it["unit"]: it["units_per_hour"] for it in shown} == published
    assert {(it["status"], it["note"]) for it in shown} == {("planned", "on completion")}
    assert [it["units_per_declared_pflops"] for it in shown] == [3.2e6, 3800, 14]
    bring(rating(measured_at=now(bring)))
    offer = next(it for it in bring.get("/v1/offers") if it["id"] == "hub-gpu")
    assert [(it["unit"], it["status"]) for it in offer["ratings"]] == [
        ("images", "measured"),
        ("audio_hours", "planned"),
        ("km", "planned"),
    ]
    assert {it["price"] for it in offer["ratings"] if it["status"] == "planned"} == {None}
    bring.world.clock.ahead_ms += 1
    assert bring.api.put("/v1/centres/hub/plan", json={}, headers=headers).json()["items"] == []
    assert [it["status"] for it in bring.get("/v1/ratings")] == ["measured"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"units_per_hour": {"miles": 1}}, "units_per_hour"),
        ({"units_per_hour": {"km": -1}}, "units_per_hour.km"),
        ({"units_per_hour": {"km": "many"}}, "units_per_hour.km"),
        ({"flops": 0}, "flops"),
        ({"note": "x" * 201}, "note"),
        ({"planned": True}, "planned"),
    ],
)
def test_a_plan_that_says_nothing_is_refused(bring: Bringing, body: dict[str, Any], path: str):
    answer = bring.api.put("/v1/centres/hub/plan", json=body, headers=bring.world.headers("operator"))
    assert answer.status_code == 422, answer.text
    assert answer.json()["problems"][0]["path"] == path
