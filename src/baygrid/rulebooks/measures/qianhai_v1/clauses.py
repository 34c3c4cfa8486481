"""What is code of Document No. 1 of 2024."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from baygrid.core.law.case import Condition
from baygrid.core.law.clauses import Formula
from baygrid.rulebooks.measures import rent

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
            rent.OF_ONE_YEAR,
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
        rent.rent,
    ),
}
