"""Parts of an accelerator on a real server with its embedded centre."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_end_to_end import BAYGRID, Home

pytestmark = pytest.mark.slow


class OneDevice(Home):
    def start(self) -> None:
        with (self.folder / "server.log").open("a") as log:
            self.server = subprocess.Popen(
                [BAYGRID, "serve", "--port", str(self.port), "--node", "n1:cpus=8,memory=16,H100=1"],
                env=self.environ, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self.server.stdout is not None
        assert f":{self.port}" in self.server.stdout.readline()


def test_two_halves_run_at_once_on_one_device_and_a_third_waits(tmp_path: Path):
    home = OneDevice(tmp_path)
    home.start()
    try:
        home.call(
            "offers", "create", "--centre", "local", "--partition", "main", "--accelerator", "H100",
            "--currency", "CNY", "--accelerator-hour", "20", "--cpu-hour", "0.1", "--gib-hour", "0.01",
        )  # fmt: skip
        gates = []
        for name in ("one", "two"):
            for end in ("in", "out"):
                os.mkfifo(tmp_path / f"{name}.{end}")
            gates.append((tmp_path / f"{name}.out", tmp_path / f"{name}.in"))
        told = 'echo "$CUDA_VISIBLE_DEVICES $BAYGRID_ACCELERATOR_SHARE"'
        half = {"cpus": 1, "memory": 1, "accelerators": "H100:0.5"}
        jobs = [
            home.ask("submit", home.job(name, f"{told} > {out}; read x < {into}", resources=half))[0]
            for name, (out, into) in zip(("one", "two"), gates, strict=True)
        ]
        # Each pipe answers only while its job runs, and neither ends before it is told to.
        assert [out.read_text().strip() for out, _ in gates] == ["0 0.5", "0 0.5"]
        more = home.ask("submit", home.job("more", told, resources={**half, "accelerators": "H100:0.6"}))[0]
        waiting = home.ask("explain", more["id"])
        assert waiting["outcome"] == "waiting"
        codes = {reason["code"] for row in waiting["candidates"] for reason in row["reasons"]}
        assert "busy" in codes
        for _, into in gates:
            into.write_text("go\n")
        home.call("wait", more["id"])
        assert home.call("logs", more["id"]).stdout.strip() == "0 0.6"
        shown = home.ask("jobs", jobs[0]["id"])
        assert shown["attempts"][0]["accelerators"] == "H100:0.5"
    finally:
        home.stop()
