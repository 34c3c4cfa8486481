"""The words of maps and reports, which stand in `words.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources


def words() -> Mapping[str, str]:
    """By their keys."""
    text = resources.files(__package__).joinpath("words.json").read_text(encoding="utf-8")
    found: dict[str, str] = json.loads(text)
    return found
