"""How the whole stands: who leads, what waits and why, which agents are late."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Final

from starlette.responses import Response

from baygrid.app.health import standing
from baygrid.portal.language import N_
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit
from baygrid.ports.records import Held

CAUSES: Final[Mapping[str, str]] = {
    Held.ARRAY: N_("their turn in their array"),
    Held.AFTER: N_("jobs that must succeed first"),
    Held.MONEY: N_("free money of their project"),
    Held.BACK_OFF: N_("a while after an attempt that failed"),
}


def health(visit: Visit) -> Response:
    began = perf_counter()
    found = standing(visit.platform, visit.actor)
    answered_ms = round(1000 * (perf_counter() - began))
    return page(visit, "platform/health.html", it=found, answered_ms=answered_ms, causes=CAUSES)


PAGES = (Page("region/health", health, here="health"),)
