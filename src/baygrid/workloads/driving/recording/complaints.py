"""What could not be read of a drive: each reason once for each topic, however many messages it is true of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from baygrid.workloads.application import Failed
from baygrid.workloads.storage.names import clean

LONGEST: Final = 200


@dataclass
class Complaints:
    """Of the drive of that name."""

    drive: str
    _times: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def __call__(self, topic: str, t: float, reason: str) -> None:
        """`t` in seconds from the drive's begin."""
        self._times.setdefault((clean(topic)[:LONGEST], clean(reason)[:LONGEST]), []).append(t)

    @property
    def failed(self) -> list[Failed]:
        found = []
        for (topic, reason), times in self._times.items():
            more = f" ({len(times):,} messages until {max(times):,.2f} s)" if len(times) > 1 else ""
            place = f"{self.drive} {topic}".strip()
            found.append(Failed(f"{place} at {min(times):,.2f} s", f"{reason}{more}"))
        return found
