"""What a body is found by, whatever script its names are written in."""

from __future__ import annotations

from baygrid.core.region import alike
from baygrid.core.region.bodies import Record
from baygrid.observatory.scripts import simplify


def folded(text: str) -> str:
    """As texts are searched."""
    return alike.folded(text, simplify)


def text_of(record: Record) -> str:
    """What a search looks through: id, code and names."""
    body = record.body
    return "\n".join([body.id, body.code, *map(folded, body.names.values())]).lower()


def keys_of(record: Record) -> tuple[str, ...]:
    """By which another may be the same body."""
    return tuple(sorted(alike.keys(record.body.names, simplify)))
