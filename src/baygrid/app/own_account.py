"""What users do with their own account."""

from __future__ import annotations

from baygrid.app import guessing, passwords
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, WrongState
from baygrid.app.signing_in import Session, tell
from baygrid.ports.identity import LOCAL, SessionRow
from baygrid.ports.store import Tx


def sessions(platform: Platform, session: Session) -> list[SessionRow]:
    """Where the user is signed in now, newest first."""
    now = platform.clock()
    rows = platform.store.read(lambda tx: tx.users.sessions(session.user.id))
    return [row for row in rows if row.is_alive(now)]


def change_password(platform: Platform, session: Session, old: str, new: str) -> None:
    """Of a local account; all other sessions of it end. Raises Invalid, WrongState, SlowDown."""
    user, now = session.user, platform.clock()
    if user.issuer != LOCAL:
        raise WrongState(f"this account is one of {user.issuer}: change its password there")
    told = passwords.check(new)
    guessing.begin(platform, LOCAL, user.subject)
    if not passwords.matches(
        old[: passwords.MOST + 1], platform.store.read(lambda tx: tx.users.password(user.id))
    ):
        raise Invalid.at("old", "is not your password")
    kept = passwords.hashed(told)

    def apply(tx: Tx) -> None:
        guessing.forget(tx, LOCAL, user.subject)
        tx.users.set_password(user.id, kept)
        for row in tx.users.sessions(user.id):
            if row.id != session.id:
                tx.users.end_session(row.id, now)
        tell(tx, now, "password-changed", {"user": user.id, "session": session.id})

    platform.store.write(apply)
