"""What centres with queues of their own are asked: how long would one more such job wait there?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from baygrid.core.placement.image import Image, Shape
from baygrid.core.placement.judging.offers import Judged, OfferTable
from baygrid.core.placement.queue.backlog import Kind
from baygrid.core.placement.room.parts import WHOLE

MOST: Final = 8
"""So many shapes are asked of a centre; its scheduler plans once for each."""
LOOKED_AT: Final = 64
"""Of so many kinds of jobs."""
ESTIMATE: Final = "estimate"
"""What a centre must be able to do for it (`ports.messages.CAPABILITIES`)."""


def inquiries(image: Image, table: OfferTable, judged: Mapping[Kind, Judged]) -> dict[str, dict[Shape, str]]:
    """By centre: shapes, each with a project that has such jobs. Kinds of which jobs wait come first, then
    those that came last."""
    asked = {
        name
        for name, centre in image.centres.items()
        if ESTIMATE in (centre.capabilities or ())
        and centre.open
        and centre.silent_s is None
        and not table.policy.centre(name).managed
    }
    found: dict[str, dict[Shape, str]] = {}
    newest = [*judged][::-1] if asked else []
    kinds = sorted(newest, key=lambda kind: not kind.lines)[:LOOKED_AT]
    for kind in kinds:
        it = judged[kind]
        for position in it.ranked.tolist():
            centre = table.offers[int(it.offer[position])].centre
            mine = found.setdefault(centre, {}) if centre in asked else {}
            if centre in asked and len(mine) < MOST and it.share[position] == WHOLE:
                mine.setdefault(it.figures.shape(position), kind.example.project)
    return found
