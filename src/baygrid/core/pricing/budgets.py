"""A project's budget for each month: what it may cost in one, and of which shares of it people are told.

Charged counts when it is posted, in the months of the region's clock. What jobs hold counts for the month
that goes on, as they may still cost that much in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from baygrid.core.pricing.months import Month
from baygrid.core.units import Money

MOST_PERCENT: Final = 1000


@dataclass(frozen=True, slots=True)
class Budget:
    """`alerts`: percentages of it, each told once a month as soon as so much is charged. `hard`: nothing is
    held that would bring charged and held above it. Raises ValueError, whose message says the cure."""

    amount: Money
    hard: bool
    alerts: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.amount.minor <= 0:
            raise ValueError(f"a budget is more than nothing, not {self.amount}: to have none, remove it")
        if any(not 1 <= percent <= MOST_PERCENT for percent in self.alerts):
            raise ValueError(f"alerts are percentages from 1 to {MOST_PERCENT}, such as 50,80,100")
        if list(self.alerts) != sorted(set(self.alerts)):
            raise ValueError("alerts grow, and each is there once, such as 50,80,100")

    def reached(self, minor: int) -> int | None:
        """The largest of the alerts of which `minor` units are so much."""
        passed = [percent for percent in self.alerts if minor * 100 >= percent * self.amount.minor]
        return passed[-1] if passed else None

    def percent(self, minor: int) -> int:
        """Rounded down, so that 100 means all of it."""
        return minor * 100 // self.amount.minor


@dataclass(frozen=True, slots=True)
class Spent:
    """How a project stands in a month, minor units: `charged` in it, `held` now."""

    month: Month
    charged: int
    held: int

    @property
    def counted(self) -> int:
        return self.charged + self.held


def short_of(project: str, budget: Budget, spent: Spent, need: int) -> str:
    """Why a hard budget does not allow to hold `need` minor units more, in a sentence with the cure."""
    left = Money(max(0, budget.amount.minor - spent.counted), budget.amount.currency)
    wanted = Money(need, budget.amount.currency)
    return (
        f"the budget of project {project!r} for {spent.month} is {budget.amount}, of which {left} is left,"
        f" and this needs {wanted}: wait for {spent.month.next} or until jobs end, or raise it with"
        f" `baygrid budgets set {project}`"
    )


def notice(project: str, budget: Budget, spent: Spent) -> str:
    """What people are told as they submit, "" where no alert is reached."""
    if budget.reached(spent.counted) is None:
        return ""
    counted = Money(spent.counted, budget.amount.currency)
    return (
        f"budget of {project} for {spent.month}: {counted} of {budget.amount} is charged or held"
        f" ({budget.percent(spent.counted)}%)"
    )
