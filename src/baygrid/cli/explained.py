"""An explanation as a sentence and a table of candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from baygrid.cli.shapes import EACH, local, money, span
from baygrid.client.wire import Candidate, CandidateWork, Explanation

BRIEF: Final = ("centre", "partition", "offer", "verdict", "cost", "reason")
"""Beside the progress of a job."""
COLUMNS: Final = (
    "centre", "partition", "offer", "verdict", "wait", "start", "transfer", "cost", "voucher", "reason",
)  # fmt: skip
WORK: Final = (*COLUMNS[:-2], "its work", "a unit", *COLUMNS[-2:])
"""Of a job that says how much work it has."""
RIGHT: Final = ("wait", "transfer", "cost")


def columns_of(explanation: Explanation) -> tuple[str, ...]:
    """What is worth showing of all candidates."""
    return WORK if any(one.get("work") for one in explanation["candidates"]) else COLUMNS


def rows(explanation: Explanation, columns: Sequence[str] = COLUMNS) -> list[list[str]]:
    """A row for each candidate, the chosen one first, then in the order in which they were looked at. Beside
    the progress of a job there are no centres that never joined, unless there are no others."""
    considered = explanation["candidates"]
    shown = [one for one in considered if columns is not BRIEF or _joined(one)]
    candidates = sorted(shown or considered, key=lambda candidate: candidate["verdict"] != "chosen")
    return [[cells[column] for column in columns] for cells in map(_cells, candidates)]


def _joined(candidate: Candidate) -> bool:
    return all(reason.get("data", {}).get("silent_s") != 0 for reason in candidate.get("reasons", ()))


def _cells(candidate: Candidate) -> dict[str, str]:
    return {
        "centre": candidate["centre"],
        "partition": candidate.get("partition") or "",
        "offer": candidate.get("offer") or "",
        "verdict": candidate["verdict"],
        "wait": _wait(candidate),
        "start": _start(candidate),
        "transfer": _seconds(candidate.get("transfer_s")),
        "cost": _cost(candidate),
        "voucher": money(candidate.get("voucher")) or "none",
        "its work": _work(candidate.get("work")),
        "a unit": _price(candidate.get("work")),
        "reason": reasons(candidate.get("reasons", ())),
    }


def _work(work: CandidateWork | None) -> str:
    """How long it is expected to take and to cost there."""
    if work is None:
        return ""
    if work["takes_s"] is None:
        return f"not rated: {money(work['cost'])} for its full time"
    return "more than its time" if work["late"] else f"{span(work['takes_s'])}, {money(work['cost'])}"


def _price(work: CandidateWork | None) -> str:
    if work is None or work["price"] is None:
        return ""
    return f"{work['price']} {work['cost']['currency']} per {EACH[work['unit']]}"


def _cost(candidate: Candidate) -> str:
    """With what it was bought by, where it was ahead."""
    trades = ", ".join(candidate.get("trades", ()))
    return f"{money(candidate.get('cost'))} by {trades}" if trades else money(candidate.get("cost"))


def _wait(candidate: Candidate) -> str:
    """With who says so, where that is the centre."""
    said, wait = candidate.get("centre_wait_s"), candidate.get("wait_s")
    return f"{_seconds(wait)} (the centre's word)" if said is not None and said == wait else _seconds(wait)


def _seconds(value: int | None) -> str:
    return "" if value is None else span(value)


def _start(candidate: Candidate) -> str:
    """When it would begin; what is possible now says so."""
    if candidate["verdict"] in ("chosen", "possible"):
        return "now"
    return local(candidate.get("start"))


def reasons(items: Sequence[Mapping[str, Any]]) -> str:
    """All reasons of a candidate in one text."""
    return "; ".join(str(reason["text"]) for reason in items)
