"""A log of many sites (SWF, field 16) as a federation: its jobs, their homes, what each site carries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from baygrid.replay.outcome import BadTrace
from baygrid.replay.sites import peak
from baygrid.replay.swf_file import Field, read
from baygrid.replay.swf_learned import Jobs


@dataclass(frozen=True, slots=True, eq=False)
class Federation:
    """Jobs by submission, and sites in order of their number in the log. `home`: index of each job's site,
    shape (jobs,). `capacity`: processors, shape (sites,). `begin`: seconds since 1970 of the first
    submission, None where the log does not say."""

    jobs: Jobs
    home: NDArray[np.int64]
    capacity: NDArray[np.int64]
    begin: int | None


def federation(trace: Path, share: float) -> Federation:
    """The log in `trace`, where every site has `share` of its recorded peak, rounded up.

    Left out are jobs that never ran, of no known site, or too wide for every site. Raises `BadTrace`."""
    log = read(trace)
    kept = log.by_submission(log[Field.PARTITION] >= 0)
    sites, home = np.unique(log[Field.PARTITION][kept], return_inverse=True)
    if len(sites) < 2:
        raise BadTrace(
            f"{trace}: field 16 names {len(sites)} sites: a federation needs two, in field 16 of each job"
        )
    runtime, width = log[Field.RUNTIME][kept], log.width[kept]
    began = log[Field.SUBMIT][kept] + np.maximum(log[Field.WAIT][kept], 0)
    peaks = [
        peak(*(each[home == site].tolist() for each in (began, runtime, width))) for site in range(len(sites))
    ]
    capacity = np.array([math.ceil(share * most) for most in peaks], dtype=np.int64)
    fits = width <= capacity.max()
    if not fits.any():
        raise BadTrace(f"{trace}: no job fits a site of {capacity.max()} processors: give more --capacity")
    rows = kept[fits]
    start = log.header.get("UnixStartTime", "")
    begin = int(start) + int(log[Field.SUBMIT][rows[0]]) if start.isdecimal() and int(start) > 0 else None
    return Federation(Jobs.of(log, rows), home[fits], capacity, begin)
