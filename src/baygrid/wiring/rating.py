"""A rating gets the signature of the agent beside which it was measured, or brought."""

from __future__ import annotations

from pathlib import Path

from baygrid.centres.credential import Credential
from baygrid.centres.keys import Key
from baygrid.core.rating.value import Rating
from baygrid.ports.messages import SignedRating
from baygrid.ports.wire import rating_bytes


class Beside:
    """An agent's state folder, which only its own user reads. Raises ValueError where no agent has one."""

    def __init__(self, state: Path) -> None:
        if not (state / "key").is_file():
            raise ValueError(f"no agent has its key in {state}")
        self._key = Key.load(state / "key")
        self.credential = Credential(state).read()
        """By which the agent speaks to its server; None: it is inside of it."""

    def sign(self, rating: Rating) -> SignedRating:
        return SignedRating(rating, self._key.sign(rating_bytes(rating)))
