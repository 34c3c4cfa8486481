"""The REST API as one ASGI application."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from baygrid import __version__
from baygrid.api import (
    accounts,
    agent,
    arrays,
    audit,
    bill,
    blobs,
    bottlenecks,
    centres,
    contracts,
    datasets,
    events,
    exchange,
    files,
    health,
    identity,
    indicators,
    jobs,
    law,
    logs,
    notices,
    offers,
    openapi,
    paper_rates,
    papers,
    parties,
    policies,
    problems,
    ratings,
    recipients,
    region,
    registry,
    rendered,
    secrets,
    sql,
    tables,
    tokens,
    trading,
    tunnels,
    vouchers,
)
from baygrid.api.delta import edge as delta
from baygrid.api.delta import lists as delta_lists
from baygrid.api.delta import tables as delta_tables
from baygrid.api.edge import Server, tell_refusal
from baygrid.api.hardening import RateLimit, SecurityHeaders
from baygrid.api.limits import BodyLimit
from baygrid.api.metrics import Metrics
from baygrid.api.pipes import Tunnels
from baygrid.api.refusals import Refusals
from baygrid.api.sessions import Sessions
from baygrid.api.tails import Tails
from baygrid.api.waiters import Hub
from baygrid.app.logs import MAX_APPEND_BYTES
from baygrid.app.platform import Platform

# What is asked most comes first: addresses are tried in this order.
SUBJECTS = (
    jobs, arrays, agent, events, logs, blobs, bill, rendered, centres, offers, ratings, policies, datasets,
    secrets, notices, region, accounts, papers, paper_rates, tokens, identity, exchange, vouchers, trading,
    tunnels, parties, tables, sql, bottlenecks, indicators, contracts, recipients, audit, law, registry,
    delta_lists, delta_tables, files, health,
)  # fmt: skip
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
# A report also carries what a centre of tens of thousands of nodes declares.
LIMITS = {
    "/v1/agent/logs/": MAX_APPEND_BYTES,
    "/v1/agent/report": 8 * 1024 * 1024,
    **dict.fromkeys(("/v1/registry/imports", "/v1/registry/zones"), 8 * 1024 * 1024),
    **dict.fromkeys(("/v1/blobs/", "/v1/tunnels/", "/v1/agent/tunnels/")),
}


def create_app(
    platform: Platform, *, role: Callable[[], str], metrics: Metrics | None = None, rate: float = 0
) -> FastAPI:
    """`role`: "leader" or "follower". `rate`: requests a second for each token or address; 0: any number.
    `metrics`: handed in by who also lets the scheduler count in it.

    Call `app.state.server.hub.close()` when the server begins to stop: it ends parked requests and streams.
    """
    metrics = metrics or Metrics()
    hub = Hub()
    server = Server(
        platform,
        hub,
        Sessions(platform),
        metrics,
        role,
        Refusals(metrics),
        Tunnels(hub),
        Tails(platform, hub),
    )
    platform.store.subscribe(server.sessions.hear)  # first: whom the hub wakes asks who it is anew
    platform.store.subscribe(server.hub.hear)
    app = FastAPI(
        title="Baygrid",
        version=__version__,
        routes=[route for subject in SUBJECTS for route in subject.router.routes],
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _http_problem},
    )
    app.state.server = server
    app.add_middleware(BodyLimit, other=LIMITS, refused=tell_refusal)
    if rate:
        app.add_middleware(RateLimit, rate=rate, clock=time.perf_counter)
    app.add_middleware(SecurityHeaders)
    app.openapi = _remembered(app)  # type: ignore[method-assign]
    return app


def _remembered(app: FastAPI) -> Callable[[], dict[str, Any]]:
    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi.document(app)
        return app.openapi_schema

    return document


async def _http_problem(request: Request, error: Exception) -> Response:
    """No such address, or not with this method: nothing of ours was reached."""
    render = delta.failure if request.url.path.startswith(f"{delta.PREFIX}/") else problems.response_of
    response = render(error, request)
    method = request.method if request.method in METHODS else "other"
    request.app.state.server.metrics.saw(method, "none", response.status_code, 0.0)
    return response
