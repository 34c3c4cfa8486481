"""What tests on a real server do again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx2

from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.records import AttemptRecord
from tests.api.world import World, job


def submit(client: httpx2.Client, **more: Any) -> str:
    answer = client.post("/v1/jobs", json=job(infra="far", **more))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def running(world: World, client: httpx2.Client) -> AttemptRecord:
    id = submit(client)
    world.place()
    (attempt,) = world.attempts(id)
    world.report("far", attempt, AttemptState.RUNNING)
    return attempt


def parse_events(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in lines:
        if not line:
            if event:
                yield event
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value


def later(work: Callable[[], Any], seconds: float = 0.2) -> threading.Timer:
    timer = threading.Timer(seconds, work)
    timer.start()
    return timer
