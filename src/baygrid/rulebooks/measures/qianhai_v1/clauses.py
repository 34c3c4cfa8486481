"""What is code of Document No. 1 of 2024."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from baygrid.core.law.case import Case, Condition
from baygrid.core.law.clauses import Formula


def _rent(case: Case) -> Decimal:
    months = min(case.amount("office_months"), case.parameter("rent_months"))
    return case.parameter("rent_for_square_metre") * case.amount("office_area") * months


def _lump(fact: str, says: str, parameter: str) -> Formula:
    """Up to one sum where one thing is so."""
    condition = Condition(says, lambda case: case.is_true(fact))
    return Formula((condition,), lambda case: case.parameter(parameter))


FORMULAS: Final[Mapping[str, Formula]] = {
    "office-rent": Formula(
        (
            Condition(
                "the applicant operates in Qianhai after the day that the clause names",
                lambda case: case.day("operating_since") > case.parameter_day("operating_after"),
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
    "compute-platform": _lump(
        "compute_platform", "a compute centre or scheduling platform was built", "compute_platform_cap"
    ),
    "algorithm": _lump("algorithm_project", "the project was won by open bid", "algorithm_cap"),
    "industry-model": _lump(
        "industry_model_released", "the model is self-developed and released", "industry_model_award"
    ),
    "demonstration": _lump("demonstration_project", "it is a demonstration project", "demonstration_cap"),
    "vehicle-pilot": _lump("vehicle_pilot", "it is a commercial pilot of vehicles", "vehicle_pilot_cap"),
}
