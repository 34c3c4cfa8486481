"""No text of these is established, so nothing is code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from baygrid.core.law.clauses import Formula

FORMULAS: Final[Mapping[str, Formula]] = {}
