"""Clips that come with the package, by which to see anywhere what the models can."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

CLIPS: Final = Path(str(resources.files("baygrid.workloads.speech"))) / "clips"


@dataclass(frozen=True, slots=True)
class Clip:
    """A short recording that comes with the package, what is said in it, and a translation to score by."""

    file: Path
    language: str
    synthetic: bool
    text: str
    english: str


def clips() -> list[Clip]:
    described = json.loads((CLIPS / "clips.json").read_text(encoding="utf-8"))
    return [Clip(CLIPS / each.pop("file"), **each) for each in described]
