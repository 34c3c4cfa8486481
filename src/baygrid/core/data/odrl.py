"""The shape of a contract for other dataspaces: ODRL offers and agreements in messages of the Dataspace
Protocol 2025-1 (contract negotiation). One contract has one target, its share: the protocol lets rules
have no targets of their own, so tables are constraints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

CONTEXT: Final = "https://w3id.org/dspace/2025/1/context.jsonld"
PROFILE: Final = "urn:baygrid:odrl:1"
"""Names the operands that are ours: table, columns, rows, masks, aggregateOf."""


def negotiation(contract: Mapping[str, Any]) -> dict[str, Any]:
    """`contract`: the contract document (id, share, provider, consumer, grants, ...). Once it is agreed with
    its agreement, before that with the offer."""
    agreed = any(it["step"] == "agree" for it in contract["steps"])
    found: dict[str, Any] = {
        "@context": [CONTEXT],
        "@type": "ContractNegotiation",
        "providerPid": _urn("provider", contract["id"]),
        "consumerPid": _urn("consumer", contract["id"]),
        "state": contract["state"],
    }
    return found | ({"agreement": agreement(contract)} if agreed else {"offer": offer(contract)})


def offer(contract: Mapping[str, Any]) -> dict[str, Any]:
    """Of a contract that is still talked about."""
    return {"@type": "Offer", "@id": _urn("offer", contract["id"]), **_policy(contract)}


def agreement(contract: Mapping[str, Any]) -> dict[str, Any]:
    """Of one that was agreed. Raises ValueError before that."""
    agreed = [it["at"] for it in contract["steps"] if it["step"] == "agree"]
    if not agreed:
        raise ValueError(f"contract {contract['id']} is not agreed")
    return {
        "@type": "Agreement",
        "@id": _urn("agreement", contract["id"]),
        "timestamp": agreed[-1],
        "assigner": _urn("project", contract["provider"]),
        "assignee": _urn("project", contract["consumer"]),
        **_policy(contract),
    }


def _policy(contract: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "profile": PROFILE,
        "target": _urn("share", contract["share"]),
        "permission": [_permission(contract, grant) for grant in contract["grants"]],
    }
    if not contract["onward"]:
        found["prohibition"] = [{"action": "distribute"}]
    duties = [_duty(it) for it in contract["obligations"]]
    return found | ({"obligation": duties} if duties else {})


def _permission(contract: Mapping[str, Any], grant: Mapping[str, Any]) -> dict[str, Any]:
    terms = grant["terms"]
    constraints = [_is("table", grant["table"]), _is("purpose", contract["purpose"])]
    constraints.append(_compared("dateTime", "gteq", contract["from"]))
    if contract["until"] is not None:
        constraints.append(_compared("dateTime", "lt", contract["until"]))
    if terms["columns"] is not None:
        constraints.append(_compared("columns", "isAnyOf", list(terms["columns"])))
    if terms["filter"] is not None:
        constraints.append(_is("rows", terms["filter"]))
    if terms["masks"]:
        masks = [f"{column}={mask}" for column, mask in sorted(terms["masks"].items())]
        constraints.append(_compared("masks", "isAllOf", masks))
    if terms["mode"] == "aggregate":
        constraints.append(_compared("aggregateOf", "gteq", str(terms["k"])))
    action = "aggregate" if terms["mode"] == "aggregate" else "use"
    return {"action": action, "constraint": constraints}


def _duty(obligation: Mapping[str, Any]) -> dict[str, Any]:
    """ODRL has no word for most of them, so the obligation itself is the action's name."""
    found: dict[str, Any] = {"action": obligation["id"]}
    if obligation["due"] is not None:
        found["constraint"] = [_compared("dateTime", "lteq", obligation["due"])]
    return found


def _is(operand: str, value: str) -> dict[str, Any]:
    return _compared(operand, "eq", value)


def _compared(operand: str, operator: str, value: str | list[str]) -> dict[str, Any]:
    return {"leftOperand": operand, "operator": operator, "rightOperand": value}


def _urn(kind: str, name: str) -> str:
    return f"urn:baygrid:{kind}:{name}"
