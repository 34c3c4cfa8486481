"""Users of a test's region."""

from __future__ import annotations

from functools import cache

from baygrid.app import passwords
from baygrid.app.platform import Platform
from baygrid.ports.identity import LOCAL, Level, Membership, Of, User
from baygrid.ports.store import Tx

PASSWORD = "correct horse battery"


@cache
def kept() -> str:
    """Made once: it takes a while, as it should."""
    return passwords.hashed(PASSWORD)


def add_user(platform: Platform, name: str, *memberships: tuple[Of, Level]) -> User:
    """A local account with `PASSWORD`."""
    now = platform.clock()
    user = User(platform.ids.new("user", now), LOCAL, name, name.title(), f"{name}@example.org", "", now)

    def apply(tx: Tx) -> None:
        tx.users.insert(user, kept())
        for of, level in memberships:
            tx.users.put_membership(Membership(user.id, of, level, now, "tok-operator"))

    platform.store.write(apply)
    return user
