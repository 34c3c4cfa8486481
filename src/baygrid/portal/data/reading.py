"""Who read what, and of how many persons: the audit of one's own data, and the counters of the law."""

from __future__ import annotations

from starlette.responses import Response

from baygrid.app import audit, persons, projects
from baygrid.portal.data.words import LINKS, STEPS
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit
from baygrid.ports.records import Role

AT_ONCE = 100


def reads(visit: Visit) -> Response:
    asked = visit.asked("before")[:18]
    before = int(asked) if asked.isdecimal() else None
    found = audit.links(visit.platform, visit.actor, before=before, limit=AT_ONCE + 1)
    next = found[AT_ONCE - 1].n if len(found) > AT_ONCE else ""
    return page(visit, "data/reads.html", links=found[:AT_ONCE], next=next, kinds=LINKS, taken=STEPS)


def counters(visit: Visit) -> Response:
    """Of the reader's organisation; an operator names one."""
    names: list[str] = []
    organisation = visit.asked("organisation") or None
    if visit.actor.role is Role.OPERATOR:
        names = sorted(it.name for it in projects.organisations(visit.platform, visit.actor))
        organisation = organisation or (names[0] if names else None)
    found = persons.counted(visit.platform, visit.actor, organisation)
    return page(visit, "data/persons.html", it=found, names=names)


PAGES = (
    Page("data/reads", reads, here="reads"),
    Page("data/persons", counters, here="persons"),
)
