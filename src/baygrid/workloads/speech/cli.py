"""`baygrid app speech`: its options."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from baygrid.workloads.application import Application

name: Final = "speech"
description: Final = "Write down what is said in recordings, in their language and in English, with times."


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, metavar="DIR", help="a Whisper model in CTranslate2's layout")
    parser.add_argument(
        "--language", metavar="CODE", help="the language spoken, such as ja (default: detected)"
    )
    parser.add_argument(
        "--to", metavar="CODE", default="en", help="translate into this language; none: do not"
    )


def asked(options: argparse.Namespace) -> Application:
    """Raises ApplicationError where the options cannot be."""
    from baygrid.workloads.speech.application import Speech

    to = None if options.to == "none" else options.to
    return Speech(options.input, options.model, options.language, to)
