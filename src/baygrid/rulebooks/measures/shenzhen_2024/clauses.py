"""What is code of these measures: who is eligible, and how much before all caps."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from baygrid.core.law.case import Case, Condition
from baygrid.core.law.clauses import Formula, RateOf


def _compute_rate(case: Case) -> Decimal:
    return case.parameter("compute_rate_start_up" if case.is_true("start_up") else "compute_rate")


def _demonstration(case: Case) -> Decimal:
    return case.parameter("demonstration_rate") * case.amount("demonstration_investment")


FORMULAS: Final[Mapping[str, Formula]] = {
    "compute-voucher": Formula(
        (
            Condition(
                "the applicant is a company, a university or a research institute",
                lambda case: case.text("applicant_kind") != "other",
            ),
            Condition(
                "the computing is for the training of a large model",
                lambda case: case.is_true("compute_for_training"),
            ),
        ),
        RateOf(_compute_rate, "compute_contract"),
    ),
    "corpus-voucher": Formula(
        (
            Condition(
                "the corpus was bought through a data exchange",
                lambda case: case.is_true("corpus_through_exchange"),
            ),
            Condition(
                "the seller of the corpus is no affiliate",
                lambda case: not case.is_true("corpus_seller_affiliated"),
            ),
            Condition(
                "the corpus is for research, development or application of models",
                lambda case: case.is_true("corpus_for_models"),
            ),
        ),
        lambda case: case.parameter("corpus_rate") * case.amount("corpus_contract"),
    ),
    "corpus-opened": Formula(
        (Condition("a source was opened", lambda case: case.amount("corpus_sources_opened") > 0),),
        lambda case: case.parameter("opened_source_award") * case.amount("corpus_sources_opened"),
    ),
    "model-voucher": Formula(
        (
            Condition(
                "the model is filed with the Cyberspace Administration",
                lambda case: case.is_true("model_filed"),
            ),
            Condition("the buyer applies", lambda case: case.is_true("claimed_by_buyer")),
        ),
        lambda case: case.parameter("model_rate") * case.amount("model_cost"),
    ),
    "demonstration": Formula(
        (
            Condition(
                "the project is no benchmark, which has a cap of its own",
                lambda case: not case.is_true("demonstration_benchmark"),
            ),
        ),
        _demonstration,
    ),
    "demonstration-benchmark": Formula(
        (
            Condition(
                "the project is recognised as a benchmark",
                lambda case: case.is_true("demonstration_benchmark"),
            ),
        ),
        _demonstration,
    ),
}
