"""Reasons, verdicts, explanations."""

import json

import pytest

from baygrid.core.reasons import Explanation, Reason, Verdict

FULL = Reason("too-few-accelerators", "It has 4 free H100, the job needs 8.", {"free": 4, "needed": 8})


def test_an_explanation_says_what_passed_and_what_did_not():
    explanation = Explanation(
        Reason("placed", "Placed at south."), (Verdict("north/gpu", (FULL,)), Verdict("south"))
    )
    assert [verdict.subject for verdict in explanation.verdicts if verdict.passed] == ["south"]
    assert json.loads(json.dumps(explanation.to_json())) == {
        "outcome": {"code": "placed", "text": "Placed at south.", "data": {}},
        "verdicts": [
            {
                "subject": "north/gpu",
                "passed": False,
                "obstacles": [
                    {
                        "code": "too-few-accelerators",
                        "text": "It has 4 free H100, the job needs 8.",
                        "data": {"free": 4, "needed": 8},
                    }
                ],
            },
            {"subject": "south", "passed": True, "obstacles": []},
        ],
    }


def test_reasons_can_be_keys():
    assert len({FULL, Reason(FULL.code, FULL.text, dict(FULL.data))}) == 1


@pytest.mark.parametrize(
    "code", ["", "No-Capacity", "no_capacity", "no--capacity", "no-", "no capacity", "no-c\n"]
)
def test_codes_are_kebab_case(code: str):
    with pytest.raises(ValueError, match="kebab-case"):
        Reason(code, "")
