"""What is code of Document No. 1 of 2024."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from baygrid.core.law.case import Case, Condition
from baygrid.core.law.clauses import Formula

MONTHS: Final = 12


def _rent(case: Case) -> Decimal:
    left = max(Decimal(0), case.parameter("rent_months") - case.amount("office_months_before"))
    months = min(case.amount("office_months"), left)
    return case.parameter("rent_for_square_metre") * case.amount("office_area") * months


FORMULAS: Final[Mapping[str, Formula]] = {
    "office-rent": Formula(
        (
            Condition(
                "the applicant operates in Qianhai after the day that the clause names",
                lambda case: case.parameter_day("operating_after") < case.day("operating_since"),
            ),
            Condition(
                "the applicant operates there by the day of application",
                lambda case: case.day("operating_since") <= case.as_of,
            ),
            Condition(
                "the rent is of no more than the twelve months of a year",
                lambda case: case.amount("office_months") <= MONTHS,
            ),
            Condition(
                "the registered capital is above the least",
                lambda case: case.amount("registered_capital") > case.parameter("capital_above"),
            ),
            Condition(
                "the office is in one of the five zones", lambda case: case.text("office_zone") != "other"
            ),
            Condition(
                "the office is leased for the applicant itself", lambda case: case.is_true("office_self_used")
            ),
        ),
        _rent,
    ),
}
