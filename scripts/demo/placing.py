"""The placement engine in the demo: a choice with its prices, a job that gives way to a more urgent one, a
gang that waits whole, and a replay."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from scripts.demo.region import ROOT, Failed, Region, expect
from scripts.demo.show import shown_path
from scripts.demo.texts import Texts

EXAMPLES: Final = ROOT / "examples"
TRACE: Final = EXAMPLES / "traces" / "synthetic-80-jobs.swf"
COMPARED: Final = ("fifo", "easy")
LOOK_S: Final = 0.1
LOOKS: Final = 100


@dataclass(frozen=True, slots=True)
class Replayed:
    """Mean waits in seconds, strictly in order and with backfill."""

    fifo_s: float
    easy_s: float


def choice(region: Region, say: Texts, out: Path) -> None:
    """Two kinds of accelerators would do: by declared ratings and prices it is told which is better."""
    region.screen.scene(say("scene_choice"))
    region.show("operator", "policy", "set", os.path.relpath(EXAMPLES / "policy.yaml", out), cwd=out)
    example = EXAMPLES / "train-any.yaml"
    file = os.path.relpath(example, out)
    region.show("university-train", "explain", file, "--project", "university-train", cwd=out)
    faster, cheaper = (_chosen(region, example, prefer) for prefer in ("time", "cost"))
    region.screen.say(say("choice_why", faster=faster, cheaper=cheaper))
    expect(faster != cheaper, f"time and cost prefer the same: {faster}")


def _chosen(region: Region, example: Path, prefer: str) -> str:
    asked = yaml.safe_load(example.read_text(encoding="utf-8"))
    asked |= {"project": "university-train", "prefer": prefer}
    found = region.ask("university-train", "/v1/placements/explain", asked)["chosen"]
    return f"{found['centre']}/{found['partition']}"


def giving_way(region: Region, say: Texts, out: Path) -> None:
    """A long job on one of two nodes; a gang of the same priority waits for both; a more urgent gang takes
    both; the long job goes on from its checkpoint."""
    region.screen.scene(say("scene_way"))
    steps = _submit(region, "institute-data", EXAMPLES / "steps.yaml", out)
    _until_it_says(region, "institute-data", steps, "begins")
    gang = _submit(region, "university-train", _less_urgent(EXAMPLES / "gang.yaml", out), out)
    region.show("university-train", "explain", gang)
    region.screen.say(say("way_gang"))
    file = os.path.relpath(EXAMPLES / "gang.yaml", out)
    region.attach("company-vision", "run", file, "--project", "company-vision", cwd=out)
    region.screen.say(say("way_urgent"))
    region.run("university-train", "wait", gang)
    region.show("university-train", "logs", gang)
    region.run("institute-data", "wait", steps)
    region.show("institute-data", "jobs", steps)
    region.show("institute-data", "logs", steps)
    region.screen.say(say("way_on"))
    states = [attempt["state"] for attempt in _job(region, "institute-data", steps)["attempts"]]
    expect(states == ["PREEMPTED", "SUCCEEDED"], f"the attempts of the long job ended as {states}")
    anew = "begins after step 0" in _log(region, "institute-data", steps)
    expect(not anew, "the long job began anew instead of going on")
    nodes = [len(attempt["nodes"]) for attempt in _job(region, "university-train", gang)["attempts"]]
    expect(nodes == [2], f"the gang ran on {nodes} nodes, not once on two")


def replay(region: Region, say: Texts) -> Replayed:
    """The same jobs in two orders, under a simulated clock."""
    region.screen.scene(say("scene_replay"))
    found = {policy: _replayed(region, policy) for policy in COMPARED}
    heads = ["", say("replay_wait"), say("replay_slowdown"), say("replay_longest")]
    rows = [
        [say(f"replay_{policy}"), f"{it['mean_wait_s']:,.0f} s", f"{it['mean_bounded_slowdown']:.2f}",
         f"{it['p999_wait_s']:,.0f} s"]
        for policy, it in found.items()
    ]  # fmt: skip
    region.screen.table(heads, rows, right=(1, 2, 3))
    region.screen.say(say("replay_synthetic"))
    fifo, easy = (float(found[policy]["mean_wait_s"]) for policy in COMPARED)
    expect(easy < fifo, "backfill did not shorten the mean wait")
    return Replayed(fifo, easy)


def _replayed(region: Region, policy: str) -> Mapping[str, Any]:
    arguments = ["replay", "--format", "swf", shown_path(TRACE), "--policy", policy]
    region.screen.command(["baygrid", *arguments])
    found: Mapping[str, Any] = json.loads(region.run(None, *arguments, "--json"))
    return found


def _less_urgent(file: Path, folder: Path) -> Path:
    """The example with priority low."""
    document = yaml.safe_load(file.read_text(encoding="utf-8")) | {"priority": "low"}
    copy = folder / f"low-{file.name}"
    copy.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return copy


def _submit(region: Region, project: str, file: Path, out: Path) -> str:
    region.show(project, "submit", os.path.relpath(file, out), "--project", project, cwd=out)
    return str(region.ask(project, "/v1/jobs")[0]["id"])


def _job(region: Region, project: str, job: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = region.ask(project, f"/v1/jobs/{job}")
    return found


def _log(region: Region, project: str, job: str) -> str:
    return region.run(project, "logs", job)


def _until_it_says(region: Region, project: str, job: str, word: str) -> None:
    """What a job writes comes a moment later: by then it has done a few steps."""
    for _ in range(LOOKS):
        if _job(region, project, job)["attempts"] and word in _log(region, project, job):
            return
        time.sleep(LOOK_S)
    raise Failed(f"{job} never said {word!r}")
