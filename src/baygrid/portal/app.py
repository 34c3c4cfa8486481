"""The portal as routes of the server's application."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from baygrid.app.platform import Platform
from baygrid.portal import (
    assets,
    frame,
    home,
    identity,
    invoices,
    jobs,
    letter,
    measures,
    observatory,
    offers,
    oidc,
    projects,
    queue,
    submit,
)
from baygrid.portal.centre import looking, prices, settled
from baygrid.portal.data import agreeing, catalogue, reading
from baygrid.portal.headers import SecurityHeaders
from baygrid.portal.platform import health, imagined, policy, sites, teams, trail
from baygrid.portal.routing import AT_ONCE, Page, no_page
from baygrid.portal.visit import PREFIX

PAGES: tuple[Page, ...] = (
    *home.PAGES,
    *offers.PAGES,
    *submit.PAGES,
    *jobs.PAGES,
    *queue.PAGES,
    *projects.PAGES,
    *invoices.PAGES,
    *catalogue.PAGES,
    *agreeing.PAGES,
    *reading.PAGES,
    *looking.PAGES,
    *prices.PAGES,
    *settled.PAGES,
    *measures.PAGES,
    *observatory.PAGES,
    *letter.PAGES,
    *health.PAGES,
    *sites.PAGES,
    *teams.PAGES,
    *policy.PAGES,
    *imagined.PAGES,
    *trail.PAGES,
    *identity.PAGES,
    *oidc.PAGES,
    *frame.PAGES,
)


def routes(platform: Platform) -> list[BaseRoute]:
    """Everything under /portal, and `/`, which leads there."""
    turns = asyncio.Semaphore(AT_ONCE)
    app = Starlette(
        routes=[
            Route("/static/{name:path}", assets.serve),
            *(page.route(platform, turns) for page in PAGES),
        ],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={HTTPException: no_page(platform)},  # type: ignore[dict-item]
    )
    app.router.redirect_slashes = False
    return [Route("/", _to_portal), Route(PREFIX, _to_portal), Mount(PREFIX, app)]


async def _to_portal(request: Request) -> Response:
    return RedirectResponse(f"{PREFIX}/", 307)
