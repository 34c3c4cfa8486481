"""The command: classify pictures and say how many an hour. Run as python -m baygrid.workloads.images."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from baygrid.workloads.images import ImagesError, ImagesJob, Progress, Throughput, run
from baygrid.workloads.images.job import CENTRE_IMAGES_PER_HOUR, CENTRE_STATUS, allotted_cpus


def main(argv: Sequence[str] | None = None) -> int:
    """0: at least one picture was classified; 1: none could be read; 2: the run could not start."""
    asked = _parser().parse_args(argv)
    try:
        job = ImagesJob(out=asked.out, count=asked.count, folder=asked.input, workers=asked.workers)
        throughput = run(job, OnceASecond(sys.stdout, time.perf_counter))
    except ImagesError as error:
        sys.stderr.write(f"images: {error}\n")
        return 2
    from baygrid.workloads.images.output import summary

    sys.stdout.write(f"BAYGRID_RESULT {json.dumps(summary(throughput), ensure_ascii=False)}\n")
    sys.stdout.write(f"{sentence(throughput)}\n")
    return 0 if throughput.classified else 1


class OnceASecond:
    """Writes the first progress report and then no more than one a second, a line for programs each."""

    def __init__(self, out: TextIO, clock: Callable[[], float]) -> None:
        self._out = out
        self._clock = clock
        self._next = float("-inf")

    def __call__(self, progress: Progress) -> None:
        now = self._clock()
        if now < self._next:
            return
        self._next = now + 1
        told = {
            "done": progress.done,
            "total": progress.total,
            "rate_per_hour": round(progress.rate_per_hour, 1),
        }
        self._out.write(f"BAYGRID_PROGRESS {json.dumps(told)}\n")
        self._out.flush()


def sentence(throughput: Throughput) -> str:
    """The throughput for people, in one line."""
    workers = "1 worker" if throughput.workers == 1 else f"{throughput.workers} workers"
    unreadable = f", {throughput.failed:,} could not be read" if throughput.failed else ""
    return (
        f"{throughput.rate_per_hour:,.0f} images an hour ({throughput.classified:,} in "
        f"{throughput.seconds:,.1f} s, {workers} on {throughput.provider}{unreadable}): "
        f"{throughput.share_of_centre:.4%} of the "
        f"{CENTRE_IMAGES_PER_HOUR / 1e9:g} billion images an hour of the 500 PFLOP/s centre ({CENTRE_STATUS})"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="images", description="Classify pictures; measure how many an hour."
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for labels, sheet, throughput"
    )
    parser.add_argument(
        "--input", type=Path, metavar="FOLDER", help="pictures (default: those scikit-image ships)"
    )
    parser.add_argument(
        "--count", type=int, metavar="N", help="pictures in all, in turn (default: each one once)"
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", default=allotted_cpus(), help="threads (default: CPUs)"
    )
    return parser
