"""On a live server: `baygrid explain` names what really holds a waiting job back. Each time the obstacle is
taken away, and nothing else, and the job gets its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from baygrid.core.jobs.lifecycle import AttemptState
from tests.cli.live import Centre, Live, nodes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

Build = Callable[..., Centre]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    made = Live(tmp_path_factory.mktemp("live"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def full(live: Live) -> Iterator[Centre]:
    """A centre that is busy for long: who may run there too waits, whatever stands in the way elsewhere."""
    made = Centre(live, "full")
    made.report()
    live.placed(live.submit(infra="full", time="300h"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def silent(live: Live) -> Iterator[Centre]:
    """It reports once, and never again."""
    made = Centre(live, "silent")
    made.report()
    yield made
    made.close()


@pytest.fixture
def build(live: Live, full: Centre, silent: Centre) -> Iterator[Build]:
    """Makes a centre that has just reported, of a region without a policy."""
    live.declare()
    full.report()
    made: list[Centre] = []

    def centre(name: str, **fields: Any) -> Centre:
        made.append(Centre(live, name, **fields))
        made[-1].report()
        return made[-1]

    yield centre
    live.declare()
    for each in made:
        live.client.post(f"/v1/centres/{each.name}/drain")
        each.close()


def ended(centre: Centre, live: Live, job: str) -> None:
    at = live.placed(job)
    centre.says(job, AttemptState.RUNNING, started_at=_ms(at))
    centre.says(job, AttemptState.SUCCEEDED, started_at=_ms(at), ended_at=_ms(at) + 1, exit_code=0)


def _ms(attempt: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(attempt["placed_at"]).timestamp() * 1000)


def test_busy(live: Live, build: Build):
    centre = build("busy")
    first = live.submit(infra="busy")
    live.placed(first)
    job = live.submit(infra="busy")
    text, found = live.explained(job, "busy")
    assert set(found) == {"busy"}
    assert "room" in text
    ended(centre, live, first)
    assert live.placed(job)["centre"] == "busy"


def test_a_gang_waits_rather_than_starts_half(live: Live, build: Build):
    centre = build("gang", has=nodes(2))
    first = live.submit(infra="gang")
    live.placed(first)
    job = live.submit(infra="gang", nodes=2)
    _, found = live.explained(job, "gang")
    assert set(found) == {"busy"}
    assert found["busy"]["data"]["free"] == 1
    assert live.client.job(job)["attempts"] == []
    ended(centre, live, first)
    assert len(live.placed(job)["nodes"]) == 2


def test_a_place_that_is_kept(live: Live, build: Build):
    centre = build("kept", has=nodes(2))
    first = live.submit(infra="kept")
    live.placed(first)
    gang = live.submit(infra="kept", nodes=2)
    job = live.submit(infra="kept", time="3h")
    _, found = live.explained(job, "kept")
    assert set(found) == {"kept"}
    assert found["kept"]["data"]["jobs"] == 1
    short = live.submit(infra="kept", time="30m")
    live.placed(short)  # it ends before the gang could begin
    live.client.post(f"/v1/jobs/{gang}/cancel")
    ended(centre, live, short)
    assert live.placed(job)["centre"] == "kept"


def test_quota(live: Live, build: Build):
    build("quota", has=nodes(2))
    live.declare(queues={"small": {"quotas": {"cpu": 4}}})
    live.placed(live.submit(infra="quota", queue="small"))
    job = live.submit(infra="quota", queue="small")
    text, found = live.explained(job, "quota")
    assert set(found) == {"quota"}
    assert "small" in text
    live.declare(queues={"small": {"quotas": {"cpu": 8}}})
    assert live.placed(job)["centre"] == "quota"


def test_an_advance_reservation(live: Live, build: Build):
    build("reserved")
    window = {"name": "exam", "centre": "reserved", "partition": "main", "nodes": ["n0"]}
    span = {"from": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    live.declare(reservations=[window | span])
    job = live.submit(infra="reserved")
    text, found = live.explained(job, "reserved")
    assert set(found) == {"reserved"}
    assert "exam" in found["reserved"]["text"]
    assert "exam" in text
    live.declare(reservations=[window | span | {"projects": ["demo"]}])
    assert live.placed(job)["centre"] == "reserved"


def test_a_drained_centre(live: Live, build: Build):
    build("drained")
    live.client.post("/v1/centres/drained/drain")
    job = live.submit(infra="drained")
    text, found = live.explained(job, "drained")
    assert set(found) == {"centre-closed"}
    assert "drained" in text
    live.client.post("/v1/centres/drained/open")
    assert live.placed(job)["centre"] == "drained"


@pytest.mark.parametrize(
    ("code", "queues", "says"),
    [
        ("queue-closed", {"train": {"projects": []}}, "demo"),
        ("queue-unknown", {}, "train"),
        ("priority-too-high", {"train": {"up_to": "low"}}, "train"),
    ],
)
def test_a_queue_that_no_longer_takes_the_job(
    live: Live, build: Build, code: str, queues: dict[str, Any], says: str
):
    centre = build(code)
    live.declare(queues={"train": {}})
    first = live.submit(infra=code, queue="train")
    live.placed(first)
    job = live.submit(infra=code, queue="train", resources={"cpus": 1})
    live.declare(queues=queues)
    _, found = live.explained(job, code)
    assert set(found) == {"busy", code}
    assert says in found[code]["text"]
    ended(centre, live, first)
    assert set(live.explained(job, code)[1]) == {code}
    live.declare(queues={"train": {}})
    assert live.placed(job)["centre"] == code


HOME, BOTH = {"data": {"residency": ["CN-QH"]}}, {"data": {"residency": ["CN-QH", "HK"]}}
H100 = {"accelerator": "H100", "has": nodes(H100=8)}
NEVER: list[Any] = [
    ("residency", {"jurisdiction": "HK"}, HOME, BOTH),
    ("node-too-small", {"has": nodes(4, cpus=2)}, {}, {"resources": {"cpus": 2}}),
    ("time-limit", {"time_limit_s": 7200}, {"time": "3h"}, {"time": "2h"}),
    ("over-budget", {"hour": "9"}, {"budget": {"max_cost": "20 CNY"}}, {"budget": {"max_cost": "36 CNY"}}),
    ("avoided", {}, {"infra": {"avoid": ["{centre}"]}}, {}),
    ("not-asked-for", {}, {"infra": "full"}, {}),
    ("accelerator", H100, {}, {"resources": {"accelerators": "H100:1"}}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "fields", "asks", "would_do"), NEVER, ids=[row[0] for row in NEVER])
def test_what_the_job_itself_must_change(
    live: Live,
    build: Build,
    code: str,
    fields: dict[str, Any],
    asks: dict[str, Any],
    would_do: dict[str, Any],
):
    """It waits for `full`, and the row of the other centre says why not there; a job that differs in nothing
    but that goes there."""
    build(code, **fields)
    here = {"infra": {"any_of": ["full", code]}}
    if asks.get("infra") == {"avoid": ["{centre}"]}:
        asks = {"infra": {"avoid": [code, "silent"]}}
    job = live.submit(**{**here, **asks})
    _, found = live.explained(job, code)
    assert set(found) == {code}
    _, at_full = live.explained(job, "full")
    assert set(at_full) <= {"busy", "accelerator"}
    other = live.submit(**{**here, **asks, **({} if "infra" not in asks else here), **would_do})
    assert live.placed(other)["centre"] == code
    live.client.post(f"/v1/jobs/{job}/cancel")


def test_the_currency(live: Live, build: Build):
    build("hk", currency="HKD")
    job = live.submit(infra={"any_of": ["full", "hk"]})
    _, found = live.explained(job, "hk")
    assert set(found) == {"currency"}
    live.client.post(
        "/v1/offers",
        {"id": "hk-cny", "centre": "hk", "partition": "main", "currency": "CNY", "cpu_hour": "1"},
    )
    assert live.placed(job)["offer"] == "hk-cny"


def test_too_few_nodes(live: Live, build: Build):
    build("few", has=nodes(2))
    build("many", has=nodes(3))
    live.placed(live.submit(infra="many"))
    job = live.submit(infra={"any_of": ["few", "many"]}, nodes=3)
    _, found = live.explained(job, "few")
    assert set(found) == {"too-few-nodes"}


def test_a_partition_without_a_price(live: Live, build: Build):
    build("unpriced")
    job = live.submit(infra={"any_of": ["full", "unpriced/bare"]})
    _, found = live.explained(job, "unpriced", "bare")
    assert set(found) == {"no-offer"}
    live.client.post("/v1/offers", {"centre": "unpriced", "partition": "bare", "currency": "CNY"})
    assert live.placed(job)["partition"] == "bare"


def test_a_centre_that_has_never_reported(live: Live, build: Build):
    centre = Centre(live, "new")
    job = live.submit(infra={"any_of": ["full", "new"]})
    _, found = live.explained(job, "new")
    assert set(found) == {"centre-unreachable"}
    centre.report()
    assert live.placed(job)["centre"] == "new"
    live.client.post("/v1/centres/new/drain")
    centre.close()


def test_a_more_urgent_job_stops_the_right_one(live: Live, build: Build):
    """The one that would lose least makes room, and only that."""
    centre = build("urgent", has=nodes(2))
    live.declare(queues={"fast": {"up_to": "urgent"}})
    older = live.submit(infra="urgent")
    at = live.placed(older)
    centre.says(older, AttemptState.RUNNING, started_at=_ms(at) - 540_000)  # less than clocks may differ
    younger = live.submit(infra="urgent")
    at = live.placed(younger)
    centre.says(younger, AttemptState.RUNNING, started_at=_ms(at))
    job = live.submit(infra="urgent", queue="fast", priority="urgent")
    stopped = live.until(centre.stops, "a stop")
    assert stopped == [live.placed(younger)["id"]]
    _, found = live.explained(job, "urgent")
    assert set(found) == {"busy"}
    centre.says(younger, AttemptState.PREEMPTED, started_at=_ms(at), ended_at=_ms(at) + 1000)
    assert live.placed(job)["centre"] == "urgent"
    assert live.state(younger) == "QUEUED"
    assert live.state(older) == "ACTIVE"


def test_a_silent_centre(live: Live, silent: Centre, build: Build):
    """Last, so that it has been silent for a while already."""
    live.until(lambda: not live.client.get("/v1/centres/silent")["reachable"], "silence")
    blocked = live.submit(infra="silent")
    text, found = live.explained(blocked, "silent")
    assert set(found) == {"centre-unreachable"}
    assert "silent" in text
    silent.report()
    assert live.placed(blocked)["centre"] == "silent"
