"""Decision tables as they are written: rules in order, options, obligations, each over its days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from baygrid.core.law.conditions import ALWAYS, Condition
from baygrid.core.law.facts import Fact
from baygrid.core.law.parameters import Parameters, Span

ANY_DAY: Final = Span()


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, or an article, over its days."""

    text: str
    span: Span = ANY_DAY


@dataclass(frozen=True, slots=True)
class Clock:
    """`limit` names how many; `unit`: "working_days", "years"; `calendar`: "cn", "hk", or "" for none;
    `since`: what it runs from, and `before` where it runs backwards from that."""

    limit: str
    unit: str
    calendar: str
    since: str
    before: bool = False


@dataclass(frozen=True, slots=True)
class Obligation:
    """What must be done, and by whom. Before the first byte, by a clock, or as long as it runs. `when`: it is
    one unless this is known not to hold. In `what` a number of the law is written {name}."""

    id: str
    what: str
    by: str
    basis: tuple[Said, ...]
    clock: Clock | None = None
    first_byte: bool = False
    when: Condition = ALWAYS
    span: Span = ANY_DAY


@dataclass(frozen=True, slots=True)
class Option:
    """A way that an outcome leaves open, if `when` holds. Two of one `name` have different days."""

    name: str
    says: str
    when: Condition
    basis: tuple[Said, ...]
    obligations: tuple[str, ...]
    span: Span = ANY_DAY


@dataclass(frozen=True, slots=True)
class Rule:
    """`options`: what it leaves open; `review`: what a person may open by signing. `says` is true where
    `when` holds; a number of the law is written {name} in it."""

    id: str
    says: str
    when: Condition
    outcome: str
    basis: tuple[Said, ...]
    obligations: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    notes: tuple[Said, ...] = ()
    span: Span = ANY_DAY


@dataclass(frozen=True, slots=True)
class Table:
    """`loaded`: the days of which it knows the law. `passes`: outcomes that let pass freely. `choice`: the
    fact that names the option chosen."""

    name: str
    title: str
    loaded: Span
    rules: tuple[Rule, ...]
    options: tuple[Option, ...]
    obligations: Mapping[str, Obligation]
    parameters: Parameters
    facts: Mapping[str, Fact]
    passes: frozenset[str]
    choice: str
