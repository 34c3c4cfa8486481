"""The law of data across the border: may this go out, by which way, and what must be done. Not legal advice.

`cn/` is the table of the mainland, `hk/` that of Hong Kong: `rulebook.yaml` (rules in order, numbers with
their days and sources, obligations), `rules.py` (conditions), `cases.yaml` (what a lawyer can check).
"""

from baygrid.core.law.decisions import NEEDS_FACT, Decision, Duty
from baygrid.core.law.plan import NotLoaded
from baygrid.rulebooks.cross_border.deciding import (
    Line,
    counted_since,
    decide,
    decide_stated,
    lines,
    read_facts,
)
from baygrid.rulebooks.cross_border.outcomes import Outcome
from baygrid.rulebooks.cross_border.working_days import NotPublished, due

__all__ = [
    "NEEDS_FACT",
    "Decision",
    "Duty",
    "Line",
    "NotLoaded",
    "NotPublished",
    "Outcome",
    "counted_since",
    "decide",
    "decide_stated",
    "due",
    "lines",
    "read_facts",
]
