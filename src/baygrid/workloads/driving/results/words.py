"""The words of maps and reports, by language: a file `words.CODE.json` for each; all have the same keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Final

from baygrid.workloads.application import ApplicationError

LANGUAGES: Final = ("en",)


def words(language: str) -> Mapping[str, str]:
    """ApplicationError where there is no such language."""
    if language not in LANGUAGES:
        raise ApplicationError(f"no language {language!r:.20}: there are {', '.join(LANGUAGES)}")
    text = resources.files(__package__).joinpath(f"words.{language}.json").read_text(encoding="utf-8")
    found: dict[str, str] = json.loads(text)
    return found
