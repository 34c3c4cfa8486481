"""Reference application: classify pictures, and measure how many an hour this machine does.

`run(ImagesJob(...), report)` is the whole of it; the packages it needs come with `baygrid[images]`."""

from __future__ import annotations

from collections.abc import Callable

from baygrid.workloads.images.job import ImagesError, ImagesJob, Progress, Throughput

__all__ = ["ImagesError", "ImagesJob", "Progress", "Throughput", "run"]


def run(job: ImagesJob, report: Callable[[Progress], None]) -> Throughput:
    """Classifies `job.count` pictures into `job.out` (labels.parquet, contact-sheet.png, throughput.json).

    `report` is called after every batch. Raises ImagesError where the job cannot start at all; a picture that
    cannot be read is a row with an error instead."""
    try:
        from baygrid.workloads.images.pipeline import run as run_here

        return run_here(job, report)
    except ModuleNotFoundError as missing:
        raise ImagesError(f"the package {missing.name} is missing: install baygrid[images]") from missing
