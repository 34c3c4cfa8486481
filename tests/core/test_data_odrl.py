"""The shape of contracts in other dataspaces, held against what the Dataspace Protocol's schemas demand."""

from __future__ import annotations

from typing import Any

import pytest

from baygrid.core.data.odrl import agreement, negotiation, offer

OPERATORS = {
    "eq",
    "gt",
    "gteq",
    "lteq",
    "hasPart",
    "isA",
    "isAllOf",
    "isAnyOf",
    "isNoneOf",
    "isPartOf",
    "lt",
    "neq",
}
TERMS = {
    "columns": ["city", "age"],
    "filter": "city = 'SZ'",
    "masks": {"phone": "hash"},
    "mode": "rows",
    "k": 0,
}
AGREED = {"n": 3, "at": "2027-01-15T08:00:00.000Z", "step": "agree", "side": "provider"}
CONTRACT: dict[str, Any] = {
    "id": "contract-1",
    "share": "clinic",
    "provider": "hospital",
    "consumer": "lab",
    "purpose": "a study of ages",
    "onward": False,
    "from": "2027-01-15T00:00:00.000Z",
    "until": "2028-01-15T00:00:00.000Z",
    "state": "OFFERED",
    "grants": [{"table": "hospital/visits", "terms": TERMS}],
    "obligations": [{"id": "filing", "due": "2027-01-29"}, {"id": "consent", "due": None}],
    "steps": [],
}


def check_policy(found: dict[str, Any]) -> None:
    """contract-schema.json: an id, at least one permission or prohibition, each list with something in it,
    no rule with a target of its own, operands and operators as they may be."""
    assert isinstance(found["@id"], str)
    assert isinstance(found["target"], str)
    assert found.get("permission") or found.get("prohibition")
    for kind in ("permission", "prohibition", "obligation"):
        for rule in found.get(kind, [{"action": "use"}]):
            assert isinstance(rule["action"], str)
            assert "target" not in rule
            for each in rule.get("constraint", []):
                assert each.keys() == {"leftOperand", "operator", "rightOperand"}
                assert each["operator"] in OPERATORS
                assert isinstance(each["rightOperand"], str | list)
        assert found.get(kind, True)


def test_an_offer_has_the_protocols_shape():
    found = offer(CONTRACT)
    check_policy(found)
    assert found["@type"] == "Offer"
    assert found["target"] == "urn:baygrid:share:clinic"


def test_what_may_be_seen_is_said_in_constraints():
    (permission,) = offer(CONTRACT)["permission"]
    said = {(it["leftOperand"], it["operator"]): it["rightOperand"] for it in permission["constraint"]}
    assert permission["action"] == "use"
    assert said == {
        ("table", "eq"): "hospital/visits",
        ("purpose", "eq"): "a study of ages",
        ("dateTime", "gteq"): "2027-01-15T00:00:00.000Z",
        ("dateTime", "lt"): "2028-01-15T00:00:00.000Z",
        ("columns", "isAnyOf"): ["city", "age"],
        ("rows", "eq"): "city = 'SZ'",
        ("masks", "isAllOf"): ["phone=hash"],
    }  # fmt: skip


def test_figures_only_is_another_action():
    grant = {"table": "hospital/visits", "terms": {**TERMS, "mode": "aggregate", "k": 10}}
    (permission,) = offer({**CONTRACT, "grants": [grant]})["permission"]
    assert permission["action"] == "aggregate"
    assert {"leftOperand": "aggregateOf", "operator": "gteq", "rightOperand": "10"} in permission[
        "constraint"
    ]


def test_passing_it_on_is_prohibited_unless_it_was_agreed():
    assert offer(CONTRACT)["prohibition"] == [{"action": "distribute"}]
    assert "prohibition" not in offer({**CONTRACT, "onward": True})


def test_an_agreement_says_who_and_since_when():
    found = agreement({**CONTRACT, "steps": [AGREED]})
    check_policy(found)
    assert (found["assigner"], found["assignee"]) == (
        "urn:baygrid:project:hospital",
        "urn:baygrid:project:lab",
    )
    assert found["timestamp"] == AGREED["at"]
    with pytest.raises(ValueError, match="not agreed"):
        agreement(CONTRACT)


def test_a_negotiation_has_its_offer_until_there_is_an_agreement():
    before = negotiation(CONTRACT)
    after = negotiation({**CONTRACT, "state": "TERMINATED", "steps": [AGREED]})
    for found in (before, after):
        assert found["@type"] == "ContractNegotiation"
        assert found["providerPid"] != found["consumerPid"]
    assert "offer" in before
    assert "agreement" not in before
    assert after["agreement"]["@type"] == "Agreement"
    assert after["state"] == "TERMINATED"
