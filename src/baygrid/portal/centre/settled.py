"""What a centre is paid, month by month: each settlement, and what of it came from which project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from baygrid.app import papers
from baygrid.core.units import Money
from baygrid.portal.invoices import NAMES
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit
from baygrid.ports.papers import DueRow, PaperKind, PaperRow

AT_ONCE: Final = 500
"""Of one centre there is one for each month and currency: this is many years."""


@dataclass(slots=True)
class Earned:
    """Of one project in a month: `total` is the sum of its charges, `jobs` which they are of."""

    project: str
    jobs: set[str]
    total: Money


def newest(visit: Visit, centre: str) -> list[tuple[PaperRow, DueRow]]:
    """The settlements of a centre, newest first."""
    found = papers.listed(
        visit.platform, visit.actor, PaperKind.SETTLEMENT, subject=centre, month=None, after="", limit=AT_ONCE
    )
    return found[::-1]


def list_(visit: Visit) -> Response:
    name = visit.param("centre")
    return page(visit, "centre/settlements.html", name=name, rows=newest(visit, name))


def show(visit: Visit) -> Response:
    found = papers.shown(visit.platform, visit.actor, PaperKind.SETTLEMENT, visit.param("number"))
    return page(
        visit, "centre/settlement.html", it=found, earned=_earned(found.document), names=NAMES,
        wanted=visit.language.tag,
    )  # fmt: skip


def _earned(document: Mapping[str, object]) -> list[Earned]:
    """The most first."""
    found: dict[str, Earned] = {}
    charges = document.get("charges", ())
    assert isinstance(charges, list | tuple)
    for charge in charges:
        total = Money.parse(charge["total"])
        it = found.setdefault(charge["project"], Earned(charge["project"], set(), Money.zero(total.currency)))
        it.jobs.add(charge["job"])
        it.total = it.total + total
    return sorted(found.values(), key=lambda it: (-it.total.minor, it.project))


PAGES = (
    Page("centres/{centre}/settlements", list_, here="settlements"),
    Page("settlements/{number}", show, here="settlements"),
)
