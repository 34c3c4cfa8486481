"""So many pages are made at a time, and the others wait for their turn."""

from __future__ import annotations

import asyncio
from threading import Barrier, Lock

import httpx2
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response

from baygrid.portal.routing import AT_ONCE, Page
from baygrid.portal.visit import Visit
from tests.api.world import World


def test_all_are_answered_and_never_more_than_so_many_are_made_at_once(world: World):
    full, lock, inside = Barrier(AT_ONCE, timeout=20), Lock(), [0]
    seen: list[int] = []

    def handle(visit: Visit) -> Response:
        with lock:
            inside[0] += 1
            seen.append(inside[0])
        full.wait()  # until so many are in here together
        with lock:
            inside[0] -= 1
        full.wait()
        return PlainTextResponse("made")

    async def ask() -> list[str]:
        page = Page("slow", handle, public=True)
        app = Starlette(routes=[page.route(world.platform, asyncio.Semaphore(AT_ONCE))])
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url="http://localhost"
        ) as client:
            return [
                it.text for it in await asyncio.gather(*(client.get("/slow") for _ in range(3 * AT_ONCE)))
            ]

    assert asyncio.run(ask()) == ["made"] * 3 * AT_ONCE
    assert max(seen) == AT_ONCE
