"""Signing in: users get a session in a browser, in one of their hats, and change hats and leave.

A session's secret is made anew when its user signs in and when it changes hats, so what somebody else put
into a browser, or saw before, is good for nothing. Nothing but the secret's hash is stored.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from baygrid.app import guessing, passwords
from baygrid.app.access import Actor, secret_digest
from baygrid.app.hats import hats
from baygrid.app.platform import Platform
from baygrid.app.problems import Forbidden, Invalid, NotFound, Unauthorized
from baygrid.ports.basics import Instant
from baygrid.ports.identity import LOCAL, Claims, Hat, Membership, SessionRow, User
from baygrid.ports.records import Event
from baygrid.ports.store import Tx

COOKIE: Final = "baygrid"
SECURE_COOKIE: Final = "__Host-baygrid"
LASTS_MS: Final = 7 * 86_400_000
SEEN_EVERY_MS: Final = 300_000
"""How exactly it is known when a session was last seen: each time would be a write."""


@dataclass(frozen=True, slots=True)
class Session:
    """A user in a browser, in one `hat` of all `hats`. `csrf`: what every form of it carries."""

    id: str
    user: User
    actor: Actor
    hat: Hat
    hats: tuple[Hat, ...]
    csrf: str
    expires_at: Instant


def cookie_name(scheme: str, host: str) -> str:
    """Of the cookie that has a session's secret: over TLS one that no other host and no plain page can set.
    Raises Invalid where it would go over a network in the clear."""
    if scheme == "https":
        return SECURE_COOKIE
    if host != "localhost" and not _is_loopback(host):
        raise Invalid("signing in takes TLS: open this server by https (docs/identity.md says how)")
    return COOKIE


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def sign_in_local(platform: Platform, name: str, password: str) -> tuple[Session, str]:
    """With an account whose password this server keeps; the session and its secret. Takes a while, whether
    there is such an account or not. Raises Unauthorized, Forbidden, SlowDown."""
    name = name.strip().casefold()
    guessing.begin(platform, LOCAL, name)
    user, kept = platform.store.read(lambda tx: _local(tx, name))
    if not passwords.matches(password[: passwords.MOST + 1], kept) or user is None:
        _failed(platform, LOCAL, user)
        raise Unauthorized("the name or the password is not right")

    def apply(tx: Tx) -> tuple[Session, str]:
        guessing.forget(tx, LOCAL, name)
        return begin(platform, tx, user.id)

    return platform.store.write(apply)


def _local(tx: Tx, name: str) -> tuple[User | None, str | None]:
    user = tx.users.find(LOCAL, name)
    return user, tx.users.password(user.id) if user else None


def _failed(platform: Platform, issuer: str, user: User | None) -> None:
    now = platform.clock()
    told = {"issuer": issuer, "user": user.id if user else None}
    platform.store.write(lambda tx: tell(tx, now, "sign-in-failed", told))


def sign_in_oidc(platform: Platform, claims: Claims) -> tuple[Session, str]:
    """As whom an OIDC provider says; what it says of memberships takes the place of what it said last time.
    Who is no member of anything gets no session. Raises Forbidden."""

    def apply(tx: Tx) -> tuple[Session, str]:
        return begin(platform, tx, taken_in(platform, tx, claims).id)

    return platform.store.write(apply)


def taken_in(platform: Platform, tx: Tx, claims: Claims) -> User:
    """The user of these claims, as they say now, with its memberships."""
    now = platform.clock()
    user = tx.users.find(claims.issuer, claims.subject)
    name = claims.name or claims.subject
    if user is None:
        id = platform.ids.new("user", now)
        user = User(id, claims.issuer, claims.subject, name, claims.email, claims.language, now)
        tx.users.insert(user)
    elif (user.name, user.email) != (name, claims.email):
        user = replace(user, name=name, email=claims.email)
        tx.users.update(user)
    before = {it.of: it.level for it in tx.users.memberships(user.id) if it.issuer == claims.issuer}
    after = {it.of: it.level for it in claims.memberships}
    for of in before.keys() - after.keys():
        tx.users.remove_membership(user.id, of, claims.issuer)
        told = {"user": user.id, "of": str(of), "issuer": claims.issuer}
        tell(tx, now, "membership-ended", told)
    for of, level in after.items():
        if before.get(of) is not level:
            tx.users.put_membership(Membership(user.id, of, level, now, user.id, claims.issuer))
            told = {"user": user.id, "of": str(of), "level": level.value, "issuer": claims.issuer}
            tell(tx, now, "membership-set", told)
    return user


def begin(
    platform: Platform, tx: Tx, user_id: str, wanted: Callable[[Hat], bool] | None = None
) -> tuple[Session, str]:
    """A new session of a user who has shown who it is, in the hat that is wanted, else the one worn last.
    Raises Forbidden."""
    now = platform.clock()
    user = tx.users.get(user_id)
    if user is None or user.disabled_at is not None:
        raise Forbidden("this account is closed: ask an operator of the platform")
    found = hats(tx, user.id)
    if not found:
        raise Forbidden(
            "this account belongs to no project, centre or organisation yet: ask a lead of yours to invite it"
        )
    last = next((row.hat for row in tx.users.sessions(user.id)), "")
    order = sorted(found, key=lambda hat: (wanted is None or not wanted(hat), hat.key != last))
    hat = order[0]
    secret, csrf = platform.ids.secret(), platform.ids.secret()
    row = SessionRow(
        platform.ids.new("session", now),
        secret_digest(secret),
        user.id,
        hat.key,
        csrf,
        now,
        now,
        now + LASTS_MS,
    )
    tx.users.insert_session(row)
    tell(tx, now, "signed-in", {"user": user.id, "session": row.id, "issuer": user.issuer, "hat": hat.key})
    return _session(row, user, hat, found), secret


def session_of(platform: Platform, secret: str | None) -> Session:
    """Of the secret in a browser's cookie. It ends when nobody has used it for half a day, a week after its
    user signed in, when the user signs out or is closed out of the hat. Raises Unauthorized."""
    now = platform.clock()
    row, session = platform.store.read(lambda tx: _found(tx, secret, now)) if secret else (None, None)
    if row is None or session is None:
        raise Unauthorized("you are not signed in, or were for too long: sign in again")
    if now - row.seen_at >= SEEN_EVERY_MS:
        platform.store.write(lambda tx: tx.users.see_session(row.id, now))
    return session


def _found(tx: Tx, secret: str, now: Instant) -> tuple[SessionRow | None, Session | None]:
    row = tx.users.session(secret_digest(secret))
    if row is None or not row.is_alive(now):
        return None, None
    user = tx.users.get(row.user)
    if user is None or user.disabled_at is not None:
        return None, None
    found = hats(tx, user.id)
    hat = next((hat for hat in found if hat.key == row.hat), None)
    return row, _session(row, user, hat, found) if hat else None


def _session(row: SessionRow, user: User, hat: Hat, found: tuple[Hat, ...]) -> Session:
    actor = Actor(
        row.id,
        hat.role,
        user.name,
        hat.project,
        hat.centre,
        user=user.id,
        scopes=hat.scopes,
        organisation=hat.organisation,
    )
    return Session(row.id, user, actor, hat, found, row.csrf, row.expires_at)


def switch(platform: Platform, session: Session, key: str) -> tuple[Session, str]:
    """The same session in another of the user's hats, by its key, with another secret. Raises NotFound,
    Unauthorized."""
    now = platform.clock()

    def apply(tx: Tx) -> tuple[Session, str]:
        found = hats(tx, session.user.id)
        hat = next((hat for hat in found if hat.key == key), None)
        if hat is None:
            raise NotFound("you do not belong there, or not any more")
        secret, csrf = platform.ids.secret(), platform.ids.secret()
        digest = secret_digest(secret)
        if not tx.users.change_session(session.id, digest, hat.key, csrf):
            raise Unauthorized("you have signed out: sign in again")
        told = {"user": session.user.id, "session": session.id, "hat": hat.key}
        tell(tx, now, "hat-changed", told, project=hat.project)
        row = SessionRow(session.id, digest, session.user.id, hat.key, csrf, now, now, session.expires_at)
        return _session(row, session.user, hat, found), secret

    return platform.store.write(apply)


def sign_out(platform: Platform, session: Session) -> None:
    """Its secret is good for nothing from now on. Twice is fine."""
    now = platform.clock()

    def apply(tx: Tx) -> None:
        if tx.users.end_session(session.id, now):
            tell(tx, now, "signed-out", {"user": session.user.id, "session": session.id})

    platform.store.write(apply)


def tell(tx: Tx, now: Instant, kind: str, told: dict[str, Any], *, project: str | None = None) -> None:
    """An event, and a link of the audit."""
    tx.events.append([Event(now, kind, project, data=told)])
    tx.audit.append(now, kind, told, contract=None, project=project)
