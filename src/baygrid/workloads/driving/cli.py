"""The options of `baygrid app driving`."""

from __future__ import annotations

import argparse
import csv
import json
import time
from pathlib import Path
from typing import Final, TextIO

from baygrid.workloads.application import Application, ApplicationError
from baygrid.workloads.driving.recording.defaults import LIDAR_HEIGHT
from baygrid.workloads.storage.reading import is_remote

name: Final = "driving"
description: Final = "Label recorded drives, find scenarios in them, and give the evidence of a road test."


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--report", action="store_true", help="road-test evidence as a document (report.html)"
    )
    parser.add_argument(
        "--detector", type=Path, metavar="FILE", help="an ONNX detector for the pictures (NanoDet)"
    )
    parser.add_argument("--no-cameras", action="store_true", help="leave the pictures out")
    parser.add_argument(
        "--lidar-height", type=float, default=LIDAR_HEIGHT, metavar="M",
        help=f"metres above the road, where the recording does not tell ({LIDAR_HEIGHT})",
    )  # fmt: skip
    parser.add_argument(
        "--find", metavar="SELECT", help="ask the index of a finished run in --output, by SQL"
    )
    parser.add_argument(
        "--synthetic", type=float, metavar="KM",
        help="first write a drive of about so many km, of which all is known, into --input",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the synthetic drive (1)")


def instead(options: argparse.Namespace, out: TextIO) -> int | None:
    """Answers a question to a finished run; None where a run is asked for."""
    if options.find is None:
        return None
    if options.output is None:
        raise ApplicationError("--output is missing: the folder of a finished run")
    from baygrid.workloads.driving.results.index import find

    columns, rows = find(options.output, options.find)
    if options.json:
        out.write(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], default=str) + "\n")
        return 0
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return 0


def asked(options: argparse.Namespace) -> Application:
    """Raises ApplicationError where the options cannot be."""
    from baygrid.workloads.driving.application import Driving

    application = Driving(
        input=options.input,
        detector=options.detector,
        cameras=not options.no_cameras,
        lidar_height=options.lidar_height,
        report=time.strftime("%Y-%m-%d", time.gmtime()) if options.report else None,
    )
    if options.synthetic is not None:
        if is_remote(options.input):
            raise ApplicationError("a synthetic drive is written into a folder of this machine")
        _write(options.synthetic, options.seed, Path(options.input))
    return application


def _write(km: float, seed: int, place: Path) -> None:
    """Where it is there already, it is left as it is: the same seed makes the same drive."""
    from baygrid.workloads.driving.synthetic.drive import drive, seconds_for
    from baygrid.workloads.driving.synthetic.writing import write

    if not 0 < km <= 1000:
        raise ApplicationError(f"a synthetic drive of {km} km")
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"synthetic-{seed}-{km:g}km.mcap"
    if not path.exists():
        write(drive(seed, seconds_for(km)), path)
