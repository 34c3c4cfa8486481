"""An agent with its loop in a thread, as long as a block lasts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from baygrid.centres.agent import Agent
from baygrid.centres.journal import FileJournal
from baygrid.centres.keys import Key
from baygrid.centres.loop import Loop
from tests.centres.fakes import FakeServer


def clock() -> int:
    return time.time_ns() // 1_000_000


@contextmanager
def looping(
    folder: Path,
    centre: Any,
    server: FakeServer,
    ended: Callable[[str], None] = lambda _: None,
    **options: Any,
) -> Iterator[tuple[Loop, threading.Thread]]:
    """`folder` keeps the journal and the key for the next one. `ended` is told why the loop left."""
    journal = FileJournal(folder / "journal")
    agent = Agent("hq", centre, journal, Key.load(folder / "key"), clock(), epoch=centre.epoch)
    loop = Loop(agent, centre, server, clock=clock, jitter=lambda: 0.0, wait_s=2.0, **options)
    thread = threading.Thread(target=lambda: ended(loop.run()))
    thread.start()
    try:
        yield loop, thread
    finally:
        loop.stop()
        thread.join(20)
        assert not thread.is_alive()
        journal.close()
        centre.close()
