"""How far labels are those that they should be."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from importlib import resources
from typing import Final

GOLDEN: Final = "golden.json"
"""The class of each of the photographs, made by scripts/golden.py with fp32 on a CPU."""


def agreement(found: Mapping[str, int], golden: Mapping[str, int]) -> float | None:
    """The part (0 to 1) of the golden pictures, by name, that have their golden class. A picture that is
    missing does not agree; None where there is no golden one."""
    if not golden:
        return None
    return sum(found.get(name) == number for name, number in golden.items()) / len(golden)


def golden(asked: Container[str]) -> dict[str, int]:
    """The golden classes of those photographs, by name, that were looked at."""
    text = (resources.files("baygrid.workloads.images") / GOLDEN).read_text(encoding="utf-8")
    classes: dict[str, int] = json.loads(text)
    return {name: number for name, number in classes.items() if name in asked}
