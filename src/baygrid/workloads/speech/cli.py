"""`baygrid app speech`: its options."""

from __future__ import annotations

import argparse
from pathlib import Path

from baygrid.workloads.application import ApplicationError
from baygrid.workloads.speech.application import Speech

name = "speech"
description = "Write down what is said in recordings, in their language and in English, with times."


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, metavar="DIR", help="a Whisper model in CTranslate2's layout")
    parser.add_argument(
        "--language", metavar="CODE", help="the language spoken, such as ja (default: detected)"
    )
    parser.add_argument(
        "--to", metavar="CODE", default="en", help="translate into this language; none: do not"
    )


def asked(options: argparse.Namespace) -> Speech:
    """Raises ApplicationError where the options cannot be."""
    if options.input is None:
        raise ApplicationError("--input is missing: a file, a folder or a URL of recordings")
    to = None if options.to == "none" else options.to
    return Speech(options.input, options.model, options.language, to)
