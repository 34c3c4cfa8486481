"""One applicant on one day, as formulas read it, and conditions over it in three values: yes, no, unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, cast

from baygrid.core.law.facts import Missing, Value
from baygrid.core.law.parameters import Parameters, value_on

CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a trace: what was read or done, and what it gave."""

    says: str
    value: str
    reference: str = ""


@dataclass
class Case:
    """Facts by name, and parameters on the day `as_of`. What is read through it is noted in `steps`.

    Reading raises `Missing` of a fact that is not known, and `Lapsed` of a parameter without a value. That a
    fact is of the kind that a formula takes it for is made sure of by who reads it (`facts.read_facts`)."""

    facts: Mapping[str, Value]
    parameters: Parameters
    as_of: date
    steps: list[Step] = field(default_factory=list)

    def is_true(self, name: str) -> bool:
        return bool(self._fact(name))

    def amount(self, name: str) -> Decimal:
        """Of money, a number or a count."""
        return cast(Decimal, self._fact(name))

    def day(self, name: str) -> date:
        return cast(date, self._fact(name))

    def text(self, name: str) -> str:
        """Of a text or a choice."""
        return cast(str, self._fact(name))

    def parameter(self, parameter: str) -> Decimal:
        """Of the law."""
        dated = value_on(self.parameters, parameter, self.as_of)
        assert isinstance(dated.value, Decimal), parameter
        self._note(parameter, dated.value, dated.reference)
        return dated.value

    def parameter_day(self, parameter: str) -> date:
        """Of the law."""
        dated = value_on(self.parameters, parameter, self.as_of)
        assert isinstance(dated.value, date), parameter
        self._note(parameter, dated.value, dated.reference)
        return dated.value

    def did(self, says: str, value: object) -> None:
        self.steps.append(Step(says, str(value)))

    def _fact(self, name: str) -> Value:
        if name not in self.facts:
            raise Missing(name)
        value = self.facts[name]
        self._note(name, value, "as said")
        return value

    def _note(self, name: str, value: Value, reference: str) -> None:
        step = Step(name, str(value), reference)
        if step not in self.steps:
            self.steps.append(step)


@dataclass(frozen=True, slots=True)
class Judged:
    """`held` None: it depends on what is `missing`. `why`: what does not hold, as sentences."""

    held: bool | None
    missing: tuple[str, ...] = ()
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """`says`: the sentence that is true where `test` is. A test reads facts and parameters of the case."""

    says: str
    test: Callable[[Case], bool]

    def judge(self, case: Case) -> Judged:
        """Raises Lapsed."""
        try:
            held = self.test(case)
        except Missing as missing:
            return Judged(None, (missing.name,))
        return Judged(held, why=() if held else (f"not so: {self.says}",))


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One is enough, whatever is not known of the others."""

    conditions: tuple[Condition, ...]

    def judge(self, case: Case) -> Judged:
        """Raises Lapsed."""
        judged = [condition.judge(case) for condition in self.conditions]
        if any(each.held for each in judged):
            return Judged(True)
        missing = tuple(dict.fromkeys(name for each in judged for name in each.missing))
        if missing:
            return Judged(None, missing)
        says = " or ".join(condition.says for condition in self.conditions)
        return Judged(False, why=(f"not so: {says}",))


def all_of(conditions: Sequence[Condition | AnyOf], case: Case) -> Judged:
    """One that does not hold decides, whatever is not known of the others. Raises Lapsed."""
    judged = [condition.judge(case) for condition in conditions]
    why = tuple(says for each in judged for says in each.why)
    if why:
        return Judged(False, why=why)
    missing = tuple(dict.fromkeys(name for each in judged for name in each.missing))
    return Judged(None, missing) if missing else Judged(True)
