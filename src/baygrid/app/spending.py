"""How a project's money went through a month, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import takewhile

from baygrid.app.access import Action, Actor, permit
from baygrid.app.platform import Platform
from baygrid.app.projects import find_project
from baygrid.core.days import beginning, day_of
from baygrid.core.pricing.months import Month
from baygrid.ports.store import Tx


@dataclass(frozen=True, slots=True)
class Day:
    """`charged` on that day, in minor units; less than nothing where more was paid back."""

    day: date
    charged: int


def daily(platform: Platform, actor: Actor, project: str) -> list[Day]:
    """Of this month, by the region's clock, until today. Raises NotFound."""
    permit(actor, Action.READ, project=project)
    today = day_of(platform.clock())
    first = Month.of(platform.clock()).first_day
    days = list(takewhile(lambda day: day <= today, (first + timedelta(days=n) for n in range(31))))

    def load(tx: Tx) -> list[Day]:
        find_project(tx, project)
        spent = tx.accounts.spending(project, [beginning(day) for day in days])
        return [Day(day, charged) for day, (_, charged) in zip(days, spent, strict=True)]

    return platform.store.read(load)
