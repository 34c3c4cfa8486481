"""The store's part of what centres' own schedulers tell: how long a job would wait, and what others ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from baygrid.ports.basics import Instant
from baygrid.ports.messages import Forecast, Inquiry
from baygrid.ports.usage import OutsideRow


class Estimates(Protocol):
    """What centres with queues of their own were asked last, and what they said last."""

    def ask(self, asked: Mapping[str, Sequence[Inquiry]], now: Instant) -> None:
        """By centre. Raises an error of the database where there is no such centre."""
        ...

    def asked(self, centre: str, since: Instant) -> tuple[Inquiry, ...]:
        """Unless that was before `since`."""
        ...

    def tell(self, centre: str, told: Sequence[Forecast], now: Instant) -> None:
        """Nothing happens where the centre was never asked."""
        ...

    def told(self, since: Instant) -> dict[str, tuple[Forecast, ...]]:
        """By centre: what was said at `since` or later."""
        ...


class OutsideJobs(Protocol):
    """What ran at centres without Baygrid. None is ever changed or removed."""

    def insert(self, rows: Sequence[OutsideRow]) -> None:
        """What is there already (centre, id, end) stays as it is."""
        ...

    def by_account(self, centre: str, start: Instant, end: Instant) -> list[tuple[str, int, float, float]]:
        """(account, jobs, cpu-seconds, accelerator-seconds) of what ended in [start, end), by account."""
        ...
