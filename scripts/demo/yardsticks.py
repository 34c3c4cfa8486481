"""The three reference applications as jobs, and what this machine does in an hour beside the centre."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from baygrid.core.rating.yardsticks import CENTRE
from scripts.demo.region import ROOT, Region, expect
from scripts.demo.show import shown_path
from scripts.demo.texts import Texts

EXAMPLES: Final = ROOT / "examples"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a job measured, and a picture of what it found."""

    unit: str
    per_hour: float
    picture: Path

    @property
    def share(self) -> float:
        """Of the centre's planned rate."""
        return self.per_hour / CENTRE[self.unit]


def images(region: Region, say: Texts, out: Path, count: int) -> Measured:
    """The company's job: it fits both centres and goes to the cheaper one."""
    region.screen.scene(say("scene_images", count=f"{count:,}"))
    measured = _run(
        region, out, _with(EXAMPLES / "images.yaml", {"COUNT": str(count)}, out), "contact-sheet.png"
    )
    job = region.ask("company-vision", "/v1/jobs")[0]
    region.screen.say(say("images_why", centre=job["centre"]))
    expect(job["centre"] == "qianhai", f"the images job went to {job['centre']}, not to the cheaper qianhai")
    return measured


def speech(region: Region, say: Texts, out: Path) -> Measured:
    """Two short clips; a page with what was said and its translation."""
    region.screen.scene(say("scene_speech"))
    return _run(region, out, EXAMPLES / "speech.yaml", "page.html")


def driving(region: Region, say: Texts, out: Path) -> Measured:
    """A synthetic drive; its map, and the evidence of a road test."""
    region.screen.scene(say("scene_driving"))
    return _run(region, out, EXAMPLES / "driving.yaml", "map.html")


def rating(region: Region, say: Texts, measured: Mapping[str, Measured]) -> None:
    """The measured rates beside the centre's own figures, which are planned."""
    region.screen.scene(say("scene_rating"))
    rows = [
        _row(say("rating_images"), measured["images"], say("rating_images_planned")),
        _row(say("rating_speech"), measured["audio_hours"], say("rating_speech_planned")),
        _row(say("rating_driving"), measured["km"], say("rating_driving_planned")),
    ]
    heads = [say("rating_unit"), say("rating_here"), say("rating_planned"), say("rating_share")]
    region.screen.table(heads, rows, right=(1, 2, 3))
    for each in measured.values():
        region.screen.say(say("rating_picture", path=shown_path(each.picture)))


def _row(unit: str, here: Measured, planned: str) -> list[str]:
    amount = f"{here.per_hour:,.0f}" if here.per_hour >= 1000 else f"{here.per_hour:,.1f}"
    return [unit, amount, planned, f"{here.share:.4%}"]


def _run(region: Region, out: Path, file: Path, picture: str) -> Measured:
    """Runs the company's job, whose results come back into NAME-out beside it."""
    region.screen.command(["cd", shown_path(out)])
    region.attach("company-vision", "run", os.path.relpath(file, out), "--project", "company-vision", cwd=out)
    folder = out / f"{file.stem}-out"
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    expect((folder / picture).is_file(), f"there is no {picture} in {folder}")
    return Measured(result["unit"], result["units_per_hour"], folder / picture)


def _with(file: Path, environment: Mapping[str, str], folder: Path) -> Path:
    """The example itself, or a copy of it with other variables."""
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    if document["envs"] == environment:
        return file
    document["envs"] = dict(environment)
    copy = folder / file.name
    copy.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return copy
