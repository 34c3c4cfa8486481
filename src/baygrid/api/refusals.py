"""What was refused of centres: counted always, logged once, and never so often that the log is flooded."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import structlog

from baygrid.api.metrics import Metrics

AGAIN_S = 600.0
"""An agent repeats what is not taken: the same is logged again only after so long."""
LINES, LINES_S = 20, 60.0
"""So many lines for one centre in so long; the next line then says how many were left out."""
LENGTH = 300

log = structlog.get_logger("baygrid.api")


@dataclass(slots=True)
class _Centre:
    began: float
    lines: int = 0
    left_out: int = 0
    told: dict[tuple[str, str, str], float] = field(default_factory=dict)


class Refusals:
    """Of one server. Safe for several threads."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lock = threading.Lock()
        self._centres: dict[str, _Centre] = {}

    def note(self, centre: str, kind: str, subject: str, why: str) -> None:
        """`centre`: whose token it was, "" where that is not known. `kind`: "attempt" or a problem's code.
        `subject`: the attempt or the address. All but `kind` may be anything that a stranger sent."""
        self._metrics.refusals.labels(centre, kind).inc()
        now, subject, why = time.perf_counter(), subject[:LENGTH], why[:LENGTH]
        with self._lock:
            of = self._centres.setdefault(centre, _Centre(now))
            if now - of.began >= LINES_S:
                of.began, of.lines = now, 0
                of.told = {what: at for what, at in of.told.items() if now - at < AGAIN_S}
            if now - of.told.get((kind, subject, why), -AGAIN_S) < AGAIN_S:
                return
            if of.lines >= LINES:
                of.left_out += 1
                return
            of.lines += 1
            of.told[kind, subject, why] = now
            left_out, of.left_out = of.left_out, 0
        log.warning("refused", centre=centre, kind=kind, subject=subject, why=why, left_out=left_out)
