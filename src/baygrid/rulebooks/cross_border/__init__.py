"""The law of data across the border: may this go out, by which way, and what must be done. Not legal advice.

`cn/` is the table of the mainland, `hk/` that of Hong Kong: `rulebook.yaml` (rules in order, numbers with
their days and sources, obligations), `rules.py` (conditions), `cases.yaml` (what a lawyer can check).
"""

from baygrid.core.law.decisions import NEEDS_FACT, Decision, Duty, NotLoaded
from baygrid.rulebooks.cross_border.deciding import decide, read_facts
from baygrid.rulebooks.cross_border.outcomes import Outcome

__all__ = ["NEEDS_FACT", "Decision", "Duty", "NotLoaded", "Outcome", "decide", "read_facts"]
