"""Support of an office's rent, which two of Qianhai's texts have in the same words: so much for a square
metre and month, of no more than twelve months at a time and so many in all."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from baygrid.core.law.case import Case, Condition

_YEAR: Final = 12

OF_ONE_YEAR: Final = Condition(
    "the rent is of no more than the twelve months of a year",
    lambda case: case.amount("office_months") <= _YEAR,
)


def rent(case: Case) -> Decimal:
    """By the facts office_area, office_months and office_months_before, and the parameters rent_months and
    rent_for_square_metre."""
    left = max(Decimal(0), case.parameter("rent_months") - case.amount("office_months_before"))
    months = min(case.amount("office_months"), left)
    return case.parameter("rent_for_square_metre") * case.amount("office_area") * months
