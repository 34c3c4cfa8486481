"""What a job says of itself in its log: lines `BAYGRID_PROGRESS {json}`, at last `BAYGRID_RESULT {json}`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

PROGRESS: Final = "BAYGRID_PROGRESS "
RESULT: Final = "BAYGRID_RESULT "
_RATE: Final = re.compile(r"([0-9][0-9,]*(?:\.[0-9]+)?) images (?:an|per) hour")
_LONGEST: Final = 64 * 1024
"""Bytes of a line without an end that are kept: a job may write anything."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job says that it is; what it did not say is None."""

    done: float | None = None
    total: float | None = None
    rate_per_hour: float | None = None

    @property
    def share(self) -> float | None:
        if self.done is None or not self.total or self.total <= 0:
            return None
        return min(1.0, max(0.0, self.done / self.total))


class LogReader:
    """Cuts the bytes of a log into lines and hears the reports among them."""

    def __init__(self) -> None:
        self._rest = b""
        self.progress: Progress | None = None
        self._result: dict[str, Any] = {}
        self._images_per_hour: float | None = None

    def feed(self, data: bytes) -> list[str]:
        """The lines that are whole now, without those that are reports."""
        *whole, rest = (self._rest + data).split(b"\n")
        if len(rest) > _LONGEST:
            whole, rest = [*whole, rest], b""
        self._rest = rest
        return [line for raw in whole if (line := self._hear(raw)) is not None]

    def finish(self) -> list[str]:
        """What came after the last line break."""
        rest, self._rest = self._rest, b""
        line = self._hear(rest) if rest else None
        return [] if line is None else [line]

    @property
    def throughput(self) -> dict[str, Any] | None:
        """What is known of the work done; None if the job never said."""
        if self.progress is None and not self._result and self._images_per_hour is None:
            return None
        known = self.progress or Progress()
        rate = self._result.get("images_per_hour", self._images_per_hour)
        other = self._result.get("unit", "images") != "images"
        images = {} if other else {"images_per_hour": known.rate_per_hour if rate is None else rate}
        return {
            **images,
            "done": known.done,
            "total": known.total,
            "rate_per_hour": known.rate_per_hour,
            **self._result,
        }

    def _hear(self, raw: bytes) -> str | None:
        line = raw.decode("utf-8", "replace").rstrip("\r")
        line = line.rpartition("\r")[2]  # a progress bar that overwrites itself
        if line.startswith(PROGRESS):
            report = _report(line[len(PROGRESS) :])
            if report is not None:
                self.progress = Progress(
                    *(_number(report.get(key)) for key in ("done", "total", "rate_per_hour"))
                )
                return None
        elif line.startswith(RESULT):
            report = _report(line[len(RESULT) :])
            if report is not None:
                self._result = report
                return None
        elif (said := _RATE.search(line)) is not None:
            self._images_per_hour = float(said[1].replace(",", ""))
        return line


def _report(text: str) -> dict[str, Any] | None:
    try:
        report = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return report if isinstance(report, dict) else None


def _no_number(word: str) -> None:
    """NaN and infinity are no JSON, and nothing that we hand on."""


def _number(value: object) -> float | None:
    finite = isinstance(value, int | float) and not isinstance(value, bool) and value - value == 0
    return value if finite and isinstance(value, int | float) else None
