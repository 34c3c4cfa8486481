"""What is code of the draft."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from baygrid.core.law.case import AnyOf, Case, Condition
from baygrid.core.law.clauses import Formula

MONTHS: Final = 12


def _rent(case: Case) -> Decimal:
    left = max(Decimal(0), case.parameter("rent_months") - case.amount("office_months_before"))
    months = min(case.amount("office_months"), left)
    return case.parameter("rent_for_square_metre") * case.amount("office_area") * months


def _growth(case: Case) -> Decimal:
    return case.parameter("growth_rate") * (case.amount("revenue_last") - case.amount("revenue_before_last"))


FORMULAS: Final[Mapping[str, Formula]] = {
    "office-rent": Formula(
        (
            Condition("the applicant has newly settled", lambda case: case.is_true("newly_settled")),
            Condition(
                "the rent is of no more than the twelve months of a year",
                lambda case: case.amount("office_months") <= MONTHS,
            ),
            AnyOf(
                (
                    Condition(
                        "enough capital in CNY is paid in",
                        lambda case: case.amount("paid_in_capital") >= case.parameter("least_paid_in"),
                    ),
                    Condition(
                        "enough capital in US dollars is paid in",
                        lambda case: (
                            case.amount("paid_in_capital_usd") >= case.parameter("least_paid_in_usd")
                        ),
                    ),
                )
            ),
        ),
        _rent,
    ),
    "growth": Formula(
        (
            Condition(
                "the revenue of the previous year is above the least",
                lambda case: case.amount("revenue_last") > case.parameter("growth_least_revenue"),
            ),
            Condition(
                "the revenue has grown",
                lambda case: case.amount("revenue_last") > case.amount("revenue_before_last"),
            ),
        ),
        _growth,
    ),
}
