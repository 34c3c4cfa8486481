"""The shapes of answers about tunnels."""

from __future__ import annotations

from baygrid.api.schemas import Shape


class Opened(Shape):
    """A tunnel that waits for the centre's agent."""

    id: str
    attempt: str
    centre: str
