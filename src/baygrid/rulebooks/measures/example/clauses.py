"""What is code of the example."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from baygrid.core.law.case import Case, Condition
from baygrid.core.law.clauses import Formula, RateOf


def _share(case: Case) -> Decimal:
    """Of AI in the revenue; 0 where there is none."""
    revenue = case.amount("revenue")
    return case.amount("ai_revenue") / revenue if revenue else Decimal(0)


def _award(case: Case) -> Decimal:
    rate = "rate_high" if _share(case) >= case.parameter("share_high") else "rate_low"
    return case.parameter(rate) * case.amount("ai_revenue")


def _compute_rate(case: Case) -> Decimal:
    return case.parameter("compute_rate_start_up" if case.is_true("start_up") else "compute_rate")


FORMULAS: Final[Mapping[str, Formula]] = {
    "ai-revenue-share": Formula(
        (
            Condition("the books were audited", lambda case: case.is_true("books_audited")),
            Condition(
                "the revenue from AI is no more than all revenue",
                lambda case: case.amount("ai_revenue") <= case.amount("revenue"),
            ),
            Condition(
                "the share of AI is at least the least",
                lambda case: _share(case) >= case.parameter("share_low"),
            ),
        ),
        _award,
    ),
    "business-cases": Formula(
        (
            Condition(
                "enough cases are verified",
                lambda case: case.amount("cases_verified") >= case.parameter("least_cases"),
            ),
            Condition(
                "more than the least was earned by completed contracts",
                lambda case: case.amount("cases_contracts") > case.parameter("contracts_above"),
            ),
        ),
        lambda case: case.parameter("cases_award"),
    ),
    "compute-share": Formula((), RateOf(_compute_rate, "compute_contract")),
}
