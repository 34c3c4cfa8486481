"""What is code of the draft."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from baygrid.core.law.case import AnyOf, Case, Condition
from baygrid.core.law.clauses import Formula
from baygrid.rulebooks.measures import rent


def _growth(case: Case) -> Decimal:
    return case.parameter("growth_rate") * (case.amount("revenue_last") - case.amount("revenue_before_last"))


FORMULAS: Final[Mapping[str, Formula]] = {
    "office-rent": Formula(
        (
            Condition("the applicant has newly settled", lambda case: case.is_true("newly_settled")),
            rent.OF_ONE_YEAR,
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
        rent.rent,
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
