"""The options of `baygrid app speech`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final, TextIO

from baygrid.workloads.application import Application

name: Final = "speech"
description: Final = "Write down what is said in recordings, with times, and translate it."


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, metavar="DIR", help="a Whisper model in CTranslate2's layout")
    parser.add_argument("--language", metavar="CODE", help="the language spoken, such as ja (it is detected)")
    parser.add_argument("--to", metavar="CODE", default="en", help="translate into this; none: do not (en)")
    parser.add_argument(
        "--translate-with",
        action="append",
        default=[],
        metavar="[FROM-TO=]DIR",
        help="a CTranslate2 model of texts, such as NLLB-200, or ja-zh=DIR for one of a pair; repeatable",
    )
    parser.add_argument("--pairs", action="store_true", help="say what the models can translate, and end")


def asked(options: argparse.Namespace) -> Application:
    """Raises ApplicationError where the options cannot be."""
    from baygrid.workloads.speech.application import Speech

    return Speech(
        input=options.input,
        model=options.model,
        language=options.language,
        to=None if options.to == "none" else options.to,
        translate_with=tuple(options.translate_with),
    )


def instead(options: argparse.Namespace, out: TextIO) -> int | None:
    """Says what the models can do; None where a run is asked for."""
    if not options.pairs:
        return None
    from baygrid.workloads.speech import ability, model
    from baygrid.workloads.speech.translation import TranslationModel

    models = [TranslationModel.parse(each) for each in options.translate_with]
    out.write(ability.listed(model.directory(options.model), models))
    return 0
