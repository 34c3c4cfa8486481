"""`baygrid rate` measures here, an agent's key signs, and everybody sees what a centre does: on a real
server, with a real agent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from baygrid.core.rating.value import Rating
from baygrid.ports.wire import to_json
from tests.cli.live import Live
from tests.cli.test_agent_join import Agent
from tests.core.ratings import cpu_rating

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

JOB = """
name: label
project: demo
run: "true"
time: 10h
resources: {cpus: 2, memory: 1}
work: {images: 900000}
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    made = Live(tmp_path_factory.mktemp("live"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def harbour(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A centre with one partition and an offer; the state folder of its agent."""
    folder = tmp_path_factory.mktemp("centre")
    made = json.loads(live.call("centres", "create", "harbour", "-j", "HK", "--with-offers", "--json"))
    agent = Agent(
        live, folder, made["command"], "--yes", "--as-me", "--node", "h1:cpus=4,memory=16", "--cpu-hour",
        "0.15", "--gib-hour", "0.01",
    )  # fmt: skip
    try:
        live.until(lambda: live.client.get("/v1/centres/harbour")["partitions"], "its partition")
        yield folder / "agent"
    finally:
        agent.stop()


def saved(folder: Path, *ratings: Rating) -> str:
    """As `baygrid rate --save` leaves them."""
    (folder / "ratings.json").write_bytes(orjson.dumps([to_json(it) for it in ratings]))
    return str(folder / "ratings.json")


def just_now(live: Live, **fields: Any) -> Rating:
    import time

    return cpu_rating("", measured_at=time.time_ns() // 1_000_000, partition="", **fields)


def test_from_the_measurement_to_the_offer_and_the_explanation(live: Live, harbour: Path, tmp_path: Path):
    done = json.loads(
        live.call(
            "rate", "--seconds", "1", "--workers", "1", "--submit", "--state", str(harbour), "--save",
            str(tmp_path / "curve.json"), "--json",
        )
    )  # fmt: skip
    (rating,) = done["ratings"]
    assert rating["gate"]["passed"]
    assert rating["gate"]["figures"]["top1_agreement"] >= 0.99
    assert done["submitted"]["centre"] == "harbour"
    assert done["submitted"]["status"] == "measured"
    assert "images@1" in live.call("ratings", "harbour")
    (offer,) = json.loads(live.call("offers", "--json"))
    (shown,) = offer["ratings"]
    assert (shown["unit"], shown["status"]) == ("images", "measured")
    assert float(shown["price"]) > 0
    assert "CNY per million images (measured " in live.call("offers")


def test_a_saved_rating_is_signed_and_explains_a_job(live: Live, harbour: Path, tmp_path: Path):
    (tmp_path / "job.yaml").write_text(JOB)
    file = saved(tmp_path, just_now(live))  # 450,000 images an hour for each cpu
    live.call("rate", "--from", file, "--submit", "--state", str(harbour), "--centre", "harbour")
    told = live.call("explain", str(tmp_path / "job.yaml"))
    assert "900,000 images are expected to take 1h15m there" in told
    assert "its work" in told
    (candidate,) = json.loads(live.call("explain", str(tmp_path / "job.yaml"), "--json"))["candidates"]
    assert (candidate["run_s"], candidate["work"]["takes_s"]) == (4500, 4500)
    assert candidate["work"]["cost"]["minor"] < candidate["cost"]["minor"]


def test_another_agents_folder_signs_nothing_here(live: Live, harbour: Path, tmp_path: Path):
    file = saved(tmp_path, just_now(live))
    live.call("rate", "--from", file, "--submit", "--state", str(tmp_path), code=1)
    (tmp_path / "key").write_bytes(b"another key of thirty-two bytes.")
    live.call("rate", "--from", file, "--submit", "--state", str(tmp_path), "--centre", "harbour", code=1)


def test_what_is_planned_is_shown_as_planned(live: Live, harbour: Path):
    live.call(
        "centres", "plan", "harbour", "--images", "1.6e9", "--audio-hours", "1.9e6", "--km", "7000",
        "--pflops", "500", "--note", "on completion",
    )  # fmt: skip
    told = live.call("ratings")
    assert "1,900,000" in told
    assert told.count("planned, on completion") == 3
    assert "7,000 km/h planned, on completion (whole centre)" in live.call("offers")


def test_a_projection_from_a_curve_and_none_without(live: Live, tmp_path: Path):
    points = [just_now(live, cpus=n, units=1000.0 * n) for n in (1, 2, 4)]
    told = live.call("rate", "--from", saved(tmp_path, *points), "--scale", "16")
    assert "projected to 16 workers: 5,760,000 an hour; its curve was measured at 1, 2, 4" in told
    live.call("rate", "--from", saved(tmp_path, *points), "--scale", "17", code=1)
    live.call("rate", "--from", saved(tmp_path, *points[:2]), "--scale", "4", code=1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--profile", "cats"),
        ("--workers", "0"),
        ("--workers", "many"),
        ("--accelerator", "H100"),
        ("--from", "/dev/null"),
    ],
)
def test_a_wrong_call_is_told(live: Live, arguments: tuple[str, ...]):
    live.call("rate", *arguments, code=1)
