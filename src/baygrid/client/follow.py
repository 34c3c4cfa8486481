"""Follows a job through its event stream and its log, both at once, and hands what arrives to one place.

The two streams are read by threads; only the caller's thread touches the `Watch` and the display.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from baygrid.client.errors import BaygridError, Unreachable
from baygrid.client.watch import Watch
from baygrid.client.wire import Event

if TYPE_CHECKING:
    from baygrid.client.connection import Connection

TICK: Final = 0.25
ASK_WHY: Final = 2.0
"""Seconds in the queue after which the placement is asked, once, what it is waiting for."""
_LOG_END: Final = 20.0
"""Seconds that the log may take to end after the job did."""


class Display(Protocol):
    """Where a watched job is shown. `ticks`: it wants to be refreshed although nothing arrived."""

    ticks: bool

    def stage(self, watch: Watch, stage: str, at: str) -> None: ...
    def log(self, watch: Watch, data: bytes, lines: list[str]) -> None: ...
    def waiting(self, watch: Watch) -> None: ...
    def staging(self, watch: Watch) -> None: ...
    def lost(self, watch: Watch) -> None: ...
    def refresh(self, watch: Watch) -> None: ...


_Item = tuple[str, Event | bytes | bool | Exception | None]


def follow(client: Connection, watch: Watch, display: Display) -> None:
    """Returns when the job is final and its log is read; `watch.job` is then the final job."""
    arrived: queue.Queue[_Item] = queue.Queue(maxsize=1000)
    _start(partial(_read_events, client, watch.job["id"], arrived))
    ended, asked, open_logs = False, False, 0
    logs: set[str] = set()  # of which attempts; a lost one may still be heard of after its successor
    began = looked = time.monotonic()
    deadline: float | None = None
    display.stage(watch, "submitted", watch.job["submitted_at"])
    while not ended or open_logs:
        queued = not asked and "placed" not in watch.stages
        staging = watch.stage == "staging"
        patience = ASK_WHY if queued or staging else 1.0 if deadline else None
        item = _next(arrived, TICK if display.ticks else patience)
        now = time.monotonic()
        if staging and not ended and now - looked > ASK_WHY:
            looked = now
            _refresh(client, watch)
            display.staging(watch)
        match item:
            case ("event", event) if isinstance(event, dict):
                if event["attempt"] and event["attempt"] not in logs:
                    open_logs += 1
                    logs.add(event["attempt"])
                    _start(partial(_read_log, client, watch.job["id"], event["attempt"], arrived))
                stage = watch.hear(event)
                if stage is not None:
                    _refresh(client, watch)
                    display.stage(watch, stage, event["at"])
            case ("lost", bool() as lost):
                watch.lost = lost
                display.lost(watch)
            case ("log", bytes() as data):
                display.log(watch, data, watch.read(data))
            case ("log-ended", failed):
                open_logs -= 1
                if isinstance(failed, BaygridError):
                    display.log(watch, b"", [f"(the log cannot be read: {failed.detail})"])
            case ("ended", Exception() as failed):
                raise failed
            case ("ended", _):
                ended, deadline = True, now + _LOG_END
        if queued and not ended and now - began > ASK_WHY and "placed" not in watch.stages:
            asked = True
            with contextlib.suppress(BaygridError):  # it has ended meanwhile
                watch.why_waiting = client.explain_job(watch.job["id"])
                display.waiting(watch)
        if deadline is not None and now > deadline:
            break
        display.refresh(watch)
    watch.tail.extend(watch.log.finish())
    watch.update(client.job(watch.job["id"]))
    display.refresh(watch)


def _refresh(client: Connection, watch: Watch) -> None:
    # Where the server is just away, the next event brings a new chance.
    with contextlib.suppress(Unreachable):
        watch.update(client.job(watch.job["id"]))


def _next(arrived: queue.Queue[_Item], timeout: float | None) -> _Item:
    try:
        return arrived.get(timeout=timeout)
    except queue.Empty:
        return ("tick", None)


def _start(work: Callable[[], None]) -> None:
    # A daemon: Ctrl-C leaves a thread that waits for the server behind, and the process ends.
    threading.Thread(target=work, daemon=True).start()


def _read_events(client: Connection, job: str, arrived: queue.Queue[_Item]) -> None:
    try:
        for event in client.events(job, lost=lambda lost: arrived.put(("lost", lost))):
            arrived.put(("event", event))
    except Exception as failed:  # noqa: BLE001 - told to the thread that waits, which raises it
        arrived.put(("ended", failed))
    else:
        arrived.put(("ended", None))


def _read_log(client: Connection, job: str, attempt: str, arrived: queue.Queue[_Item]) -> None:
    failed: Exception | None = None
    try:
        for data in client.log(job, attempt=attempt, follow=True):
            arrived.put(("log", data))
    except Exception as error:  # noqa: BLE001 - a log that cannot be read does not end the watching
        failed = error
    arrived.put(("log-ended", failed))
