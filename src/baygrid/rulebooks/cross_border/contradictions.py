"""Facts that cannot be so together, whoever says them. What is unknown contradicts nothing, and neither do
counts of a year what one transfer holds: earlier ones are counted, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from baygrid.core.law.conditions import Facts
from baygrid.core.law.facts import Value
from baygrid.core.reading import Problem

NINE: Final = frozenset(
    {
        "guangzhou", "shenzhen", "zhuhai", "foshan", "huizhou", "dongguan", "zhongshan", "jiangmen",
        "zhaoqing",
    }
)  # fmt: skip
"""The mainland cities of the Greater Bay Area."""


class _Pair(NamedTuple):
    """Two facts; the second is at fault where `so` both are, and the words say how to cure it."""

    first: str
    second: str
    so: Callable[[Value, Value], bool]
    says: str


def _are(first: Value, second: Value) -> Callable[[Value, Value], bool]:
    return lambda one, other: (one, other) == (first, second)


def _fewer(since_january: Value, since_year_before: Value) -> bool:
    return int(str(since_year_before)) < int(str(since_january))


_WITHIN: Final = (
    "{second} is where the data are, but {first} sends them out: say where they go (another country's code),"
    " or ask nothing, as no border is crossed"
)
_LESS: Final = (
    "{second} persons are fewer than the {first} of {name}, which are among them: count since 1 January of"
    " the year before"
)
_PAIRS: Final = (
    _Pair("direction", "recipient.jurisdiction", _are("cn_out", "cn"), _WITHIN),
    _Pair("direction", "recipient.jurisdiction", _are("hk_out", "hk"), _WITHIN),
    _Pair(
        "data.spi",
        "data.pi",
        _are(True, False),
        "is false, but what is sensitive (data.spi) is personal: make data.pi true, or data.spi false",
    ),
    _Pair(
        "exporter.city",
        "exporter.registered_in_gba9",
        lambda city, registered: city in NINE and registered is False,
        "is false, but {first} is one of the nine cities: make it true, or name another exporter.city",
    ),
    _Pair(
        "exporter.ftz_zone",
        "ftz.listed",
        _are("none", True),
        "is true, but the exporter is in no zone: name its exporter.ftz_zone, or leave ftz.listed out",
    ),
    *(
        _Pair(f"ytd_after.{kind}", f"since_previous_year.{kind}", _fewer, _LESS)
        for kind in ("pi_nonsensitive", "spi")
    ),
)


def contradictions(facts: Facts) -> tuple[Problem, ...]:
    """One for each pair of facts that are known and cannot both be so, with its cure."""
    return tuple(
        Problem(it.second, it.says.format(first=facts[it.first], second=facts[it.second], name=it.first))
        for it in _PAIRS
        if it.first in facts and it.second in facts and it.so(facts[it.first], facts[it.second])
    )
