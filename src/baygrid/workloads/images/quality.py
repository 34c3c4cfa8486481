"""How far labels are those that they should be."""

from __future__ import annotations

from collections.abc import Mapping


def agreement(found: Mapping[str, int], golden: Mapping[str, int]) -> float | None:
    """The part (0 to 1) of the golden pictures, by name, that have their golden class. A picture that is
    missing does not agree; None where there is no golden one."""
    if not golden:
        return None
    return sum(found.get(name) == number for name, number in golden.items()) / len(golden)
