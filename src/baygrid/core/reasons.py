"""Why: what every decision returns beside its result.

A `Reason` is one fact with its figures, a `Verdict` is what was found about one subject (a centre
or a partition), an `Explanation` is the whole: the outcome in one sentence and every verdict behind it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
"""A value that JSON can carry."""

_CODE: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Reason:
    """One fact that a decision rests on.

    `code` is a stable kebab-case identifier that programs may match ("too-few-accelerators"), `text`
    one English sentence with the figures in it, `data` the same figures for programs. The owner of
    `data` must not change it afterwards. Raises ValueError if `code` is not kebab-case.
    """

    code: str
    text: str
    data: Mapping[str, JSON] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if _CODE.fullmatch(self.code) is None:
            raise ValueError(f"a reason code is kebab-case, such as no-capacity, not {self.code!r}")

    def to_json(self) -> dict[str, JSON]:
        return {"code": self.code, "text": self.text, "data": dict(self.data)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about one subject: it passed, or these obstacles stand in its way.

    A quick decision stops at the first obstacle of a subject; a full explanation lists all.
    """

    subject: str
    obstacles: tuple[Reason, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.obstacles

    def to_json(self) -> dict[str, JSON]:
        return {
            "subject": self.subject,
            "passed": self.passed,
            "obstacles": [reason.to_json() for reason in self.obstacles],
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a decision came out as it did: the outcome, and the verdict on every subject looked at."""

    outcome: Reason
    verdicts: tuple[Verdict, ...] = ()

    def to_json(self) -> dict[str, JSON]:
        return {
            "outcome": self.outcome.to_json(),
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
        }
