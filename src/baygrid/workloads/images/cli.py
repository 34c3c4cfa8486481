"""The options of `baygrid app images`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from baygrid.workloads.application import Application

name: Final = "images"
description: Final = "Classify pictures, find objects, read text in them, and measure how many an hour."


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--task", default="classify", metavar="TASK,...", help="classify, detect, read, embed: one or several"
    )
    parser.add_argument("--count", type=int, metavar="N", help="pictures in all, in turn (each one once)")
    parser.add_argument("--model", type=Path, metavar="FILE", help="an ONNX classifier (EfficientNet-Lite0)")
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="names of the model's classes, one a line"
    )
    parser.add_argument(
        "--precision", choices=("fp32", "bf16"), default="fp32",
        help="bf16: faster on a CPU that has it, if its labels are those of fp32 for 99 %% of pictures there",
    )  # fmt: skip
    parser.add_argument("--detector", type=Path, metavar="FILE", help="an ONNX detector (NanoDet)")


def asked(options: argparse.Namespace) -> Application:
    """Raises ApplicationError where the options cannot be."""
    from baygrid.workloads.images.application import Images

    return Images(
        input=options.input,
        tasks=tuple(word.strip() for word in options.task.split(",")),
        count=options.count,
        model=options.model,
        labels=options.labels,
        detector=options.detector,
        precision=options.precision,
    )
