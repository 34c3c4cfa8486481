"""Two centres on links of their own, shaped: a real server, real agents, jobs with much data."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.live import BAYGRID, PATIENCE_S, Live
from tests.netns import Star, needs_namespaces, star

pytestmark = [pytest.mark.slow, needs_namespaces]

BYTES = 15 << 20
JOB = """
name: {name}
project: demo
run: test "$(wc -c <data)" -eq {bytes}
time: 10m
workdir: data
prefer: {prefer}
resources: {{cpus: 1, memory: 1}}
"""


class Region:
    def __init__(self, live: Live, net: Star, folder: Path) -> None:
        self.live, self.net, self._folder = live, net, folder
        (folder / "data").mkdir()
        (folder / "data" / "data").write_bytes(os.urandom(BYTES))

    @contextmanager
    def centre(self, name: str) -> Iterator[None]:
        """Its agent is in a namespace of its own, and measures all the time."""
        made = json.loads(self.live.call("centres", "create", name, "-j", "HK", "--with-offers", "--json"))
        token, *_ = shlex.split(made["command"])
        server = f"{self.net.address(name)}:{self.live.address.rpartition(':')[2]}"
        environ = {
            key: value for key, value in os.environ.items() if not key.startswith(("BAYGRID_", "XDG_"))
        }
        with (self._folder / f"{name}.log").open("w") as log:
            agent = subprocess.Popen(
                [
                    *self.net.ends[name].enter, BAYGRID, "agent", "join", "--centre", name, "--yes",
                    "--as-me", "--server", f"http://{server}", "--state", str(self._folder / name),
                    "--node", "n1:cpus=4,memory=4", "--cpu-hour", "1", "--gib-hour", "0",
                    "--measure-every", "1",
                ],
                env={**environ, "HOME": str(self._folder), **dict([token.split("=", 1)])},
                stdout=log, stderr=log,
            )  # fmt: skip
        try:
            yield
        finally:
            agent.terminate()
            agent.wait(PATIENCE_S)

    def link(self, name: str) -> dict[str, Any]:
        found = self.live.client.get("/v1/exchange")["links"]
        return next(one for one in found if one["to"] == name)

    def until_measured(self, name: str, least: float, most: float) -> None:
        self.live.until(
            lambda: least <= (self.link(name)["mbit_s"] or 0) <= most, f"{least} to {most} Mbit/s"
        )

    def runs(self, name: str, prefer: str) -> tuple[dict[str, Any], dict[str, str]]:
        """The explanation of a job that ran, and what it says of each centre that it did not take."""
        file = self._folder / f"{name}.yaml"
        file.write_text(JOB.format(name=name, bytes=BYTES, prefer=prefer))
        job = self.live.call("submit", str(file)).split()[0]
        self.live.until(lambda: self.live.state(job) == "SUCCEEDED", f"the end of {name}")
        told = json.loads(self.live.call("explain", job, "--json"))
        others = [row for row in told["candidates"] if row["verdict"] != "chosen"]
        return told, {row["centre"]: row["reasons"][0]["text"] for row in others}


@pytest.fixture
def region(tmp_path: Path) -> Iterator[Region]:
    with star("north", "south") as net, net.middle.entered():
        net.shape("north", 60)
        net.shape("south", 16)
        live = Live(tmp_path, "--host", "0.0.0.0")
        try:
            region = Region(live, net, tmp_path)
            with region.centre("north"), region.centre("south"):
                yield region
        finally:
            live.close()


def test_a_shaped_or_dear_link_moves_a_job_with_much_data(region: Region):
    region.until_measured("north", 45, 66)
    region.until_measured("south", 12, 18)
    told, others = region.runs("first", "time")
    assert told["chosen"]["centre"] == "north"
    assert "over north's link to the exchange (" in told["text"]
    assert "over south's link to the exchange (" in others["south"]

    region.net.shape("north", 4)
    region.until_measured("north", 3, 5)
    told, others = region.runs("second", "time")
    assert told["chosen"]["centre"] == "south"
    assert "over north's link to the exchange (" in others["north"]
    assert " Mbit/s, measured at " in others["north"]
    (row,) = [one for one in told["candidates"] if one["centre"] == "north"]
    assert row["link"]["origin"] == "measured"
    assert row["transfer_s"] >= 8 * BYTES / 5e6

    region.net.shape("north", 60)  # the next job's data goes there
    region.live.declare(centres={"south": {"link": {"gib_price": "100"}}})
    told, others = region.runs("third", "cost")
    assert told["chosen"]["centre"] == "north"
    assert "south's link to the exchange" in others["south"]
    assert "at CNY 100 per GiB" in others["south"]
    header, north, south = region.live.call("exchange").splitlines()[-3:]
    assert header.split()[:4] == ["from", "to", "Mbit/s", "by"]
    assert north.split()[:2] == ["exchange", "north"]
    assert south.split()[3] == "measured"
