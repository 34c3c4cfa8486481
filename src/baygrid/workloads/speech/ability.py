"""Which languages the models at hand can write down, and which they can translate into which."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from baygrid.workloads.application import ApplicationError
from baygrid.workloads.models import ModelRefused
from baygrid.workloads.speech.languages import name
from baygrid.workloads.speech.translation import TranslationModel

ENGLISH: Final = "en"


def spoken(whisper: Path) -> list[str]:
    """The languages that this model of Whisper can write down, by code. One that knows English alone does not
    translate; the others translate all into English."""
    try:
        ids = set(json.loads((whisper / "config.json").read_text(encoding="utf-8")).get("lang_ids") or ())
        added = json.loads((whisper / "tokenizer.json").read_text(encoding="utf-8"))["added_tokens"]
        found = [each["content"][2:-2] for each in added if each["id"] in ids]
    except (KeyError, TypeError, AttributeError, ValueError) as wrong:
        raise ModelRefused(f"{whisper} is no model of Whisper: {wrong}") from wrong
    return sorted(code for code in found if re.fullmatch("[a-z]{2,3}", code)) or [ENGLISH]


def check(whisper: Path, models: Sequence[TranslationModel], language: str | None, to: str | None) -> None:
    """Raises ApplicationError where no model can do what is asked for, with what they can."""
    known = spoken(whisper)
    if language is not None and language not in known:
        raise ApplicationError(f"this model of Whisper knows no language {language!r}: {' '.join(known)}")
    if to is None or language == to:
        return
    by_whisper = to == ENGLISH and (language or len(known) > 1)
    if by_whisper or any(model.can(language, to) if language else to in model.targets() for model in models):
        return
    what = f"{name(language)} -> {name(to)}" if language else f"anything into {name(to)}"
    raise ApplicationError(
        f"no loaded model translates {what}. {' '.join(told(whisper, models))} "
        f"Give one that does: --translate-with {language or 'FROM'}-{to}=DIR; or --to none"
    )


def told(whisper: Path, models: Sequence[TranslationModel]) -> list[str]:
    """A sentence for each model."""
    known = spoken(whisper)
    if known == [ENGLISH]:
        return ["Whisper writes down English, and does not translate."]
    return [
        f"Whisper writes down {len(known)} languages and translates each into English alone.",
        *(_of_model(model) for model in models),
    ]


def listed(whisper: Path, models: Sequence[TranslationModel]) -> str:
    """All of it, for --pairs."""
    return "\n".join([*told(whisper, models), f"Its languages: {' '.join(spoken(whisper))}"]) + "\n"


def _of_model(model: TranslationModel) -> str:
    if model.words:
        return f"{model.folder.name} translates each of these into each: {' '.join(sorted(model.words))}."
    source, target = model.pair
    return f"{model.folder.name} translates {name(source)} into {name(target)}."
