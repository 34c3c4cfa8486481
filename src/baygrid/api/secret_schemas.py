"""The shapes of answers about secrets."""

from __future__ import annotations

from baygrid.api.schemas import Shape, Time


class Secret(Shape):
    """That there is one of this name."""

    project: str
    name: str
    set_at: Time
    set_by: str
