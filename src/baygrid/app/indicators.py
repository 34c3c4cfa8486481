"""The observatory's figures of this server's registry: as it was on a day, as known by a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from baygrid.app import bottlenecks, registry_rows
from baygrid.app.access import Action, Actor, permit
from baygrid.app.observatory import observatory
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, Problem
from baygrid.app.registry import today
from baygrid.app.registry_zones import zones_now
from baygrid.core.days import beginning
from baygrid.core.indicators.figure import Figure
from baygrid.core.indicators.formulas import Refused
from baygrid.core.indicators.period import same_days

if TYPE_CHECKING:
    from baygrid.observatory.tables import Registry


class RefusedRatio(Problem):
    status, code, title = 422, "refused-ratio", "This ratio is refused"


def figures(
    platform: Platform, actor: Actor, zone: str | None, day: date | None, known: date | None
) -> list[Figure]:
    """All of a zone. Where none is named, of the outermost one, and the platform's own of the month to that
    day, which are told only as they are known now. Days default to today. Raises Invalid."""
    found: list[Figure] = _asked(platform, actor, "figures", known, zone, day or today(platform))
    if zone is None and known in (None, today(platform)):
        found = found + bottlenecks.show(platform, actor, None, day)
    return found


def history(
    platform: Platform,
    actor: Actor,
    id: str,
    zone: str | None,
    day: date | None,
    years: int,
    known: date | None,
) -> list[Figure]:
    """One figure on the same day of some years, of which `day` is in the last. Raises Invalid."""
    days = same_days(day or today(platform), years)
    found: list[Figure] = _asked(platform, actor, "history", known, zone, id, days)
    return found


def compare(
    platform: Platform,
    actor: Actor,
    top: str,
    bottom: str,
    zone: str | None,
    day: date | None,
    known: date | None,
) -> Figure:
    """One figure (id, or id@zone) on another. Raises Invalid, RefusedRatio."""
    found = _asked(platform, actor, "compare", known, top, bottom, zone, day or today(platform))
    if isinstance(found, Refused):
        raise RefusedRatio(found.reason)
    figure: Figure = found
    return figure


def _asked(platform: Platform, actor: Actor, what: str, known: date | None, *given: Any) -> Any:
    permit(actor, Action.BROWSE)
    counting: Callable[..., Any] = getattr(observatory("indicators"), what)
    if known is not None and known > today(platform):
        raise Invalid.at("known_by", f"{known} is to come: what will be known is not known")
    day = known or today(platform)
    unanswerable = observatory("asked").Unanswerable

    def count() -> Any:
        try:
            return counting(_registry(platform, day), *given, day)
        except unanswerable as error:
            return error

    found = platform.counted.of((what, given, day), count)
    if isinstance(found, unanswerable):
        raise Invalid.at("", str(found))
    return found


def _registry(platform: Platform, known: date) -> Registry:
    """Bodies as the log had them at the end of that day; zones as they are now. Returns have their own
    day."""
    rows = list(registry_rows.known_bodies(platform, beginning(known + timedelta(days=1))))
    records = [row.record for row in rows if row.into is None]
    merged = {row.body: row.into for row in rows if row.into is not None}
    registry: Registry = observatory("tables").of_values(
        [it.body for it in records],
        [spell for it in records for spell in it.spells],
        [label for it in records for label in it.labels],
        registry_rows.returns(platform, merged),
        zones_now(platform).all,
    )
    return registry
