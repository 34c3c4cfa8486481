"""`baygrid login`: a command line gets a token when its user, signed in with a browser, confirms it (RFC
8628).

It asks with a code of its own; its user types, or finds in the address, a short one. That one may be guessed,
so guessing is slowed down, and it is good for ten minutes. Until the command line fetches it there is no
token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from baygrid.app import guessing, tokens
from baygrid.app.access import secret_digest
from baygrid.app.hats import hats
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound, NotYet, SlowDown, WrongState
from baygrid.app.signing_in import Session, tell
from baygrid.ports.basics import Instant
from baygrid.ports.identity import DeviceRow, DeviceState
from baygrid.ports.records import Scope, Token
from baygrid.ports.store import Tx

LASTS_MS: Final = 600_000
INTERVAL_MS: Final = 5_000
"""How often a device may ask."""
TOKEN_LASTS_MS: Final = 90 * 86_400_000
MOST_WAITING: Final = 10_000
MOST_LABEL: Final = 100
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so no words; none that is taken for another."""
_LENGTH: Final = 8
_GUESSED: Final = "device"


@dataclass(frozen=True, slots=True)
class Asked:
    """`secret`: with which the device asks for its token; `code`: what its user types."""

    secret: str
    code: str
    expires_at: Instant


def ask(platform: Platform, label: str) -> Asked:
    """A device wants a token; `label` says to its user which device it is. Raises Invalid, SlowDown."""
    label = label.strip()
    if not label.isprintable() or len(label) > MOST_LABEL:
        raise Invalid.at("label", f"must have at most {MOST_LABEL} printable characters")
    now, secret = platform.clock(), platform.ids.secret()
    code = _code(platform.ids.secret())
    row = DeviceRow(platform.ids.new("device", now), secret_digest(secret), code, label, now, now + LASTS_MS)

    def apply(tx: Tx) -> None:
        tx.entries.forget_devices(now - LASTS_MS)
        if tx.entries.waiting_devices() >= MOST_WAITING:
            raise SlowDown("too many devices wait to be let in: try again in ten minutes", seconds=600)
        tx.entries.insert_device(row)

    platform.store.write(apply)
    return Asked(secret, shown(code), row.expires_at)


def _code(chance: str) -> str:
    number = int.from_bytes(hashlib.sha256(chance.encode()).digest())
    return "".join(_LETTERS[number // len(_LETTERS) ** place % len(_LETTERS)] for place in range(_LENGTH))


def shown(code: str) -> str:
    """As people read it: WDJB-MJHT."""
    return f"{code[:4]}-{code[4:]}"


def look(platform: Platform, session: Session, code: str) -> DeviceRow:
    """The device that shows this code, before its user confirms it. Raises NotFound, SlowDown."""
    guessing.begin(platform, _GUESSED, session.user.id)
    typed = "".join(filter(str.isalpha, code.upper()))

    def apply(tx: Tx) -> DeviceRow:
        row = tx.entries.device_of_code(typed)
        if row is None or row.state is not DeviceState.WAITING or row.expires_at <= platform.clock():
            raise NotFound("no device waits with this code: run `baygrid login` again, and type its new code")
        guessing.forget(tx, _GUESSED, session.user.id)
        return row

    return platform.store.write(apply)


def confirm(
    platform: Platform, session: Session, code: str, hat: str, scopes: Sequence[Scope] = (*Scope,)
) -> DeviceRow:
    """The device may act as the user in this hat (its key), as far as the scopes and the hat let it. Raises
    Invalid, NotFound, SlowDown, WrongState."""
    worn = next((it for it in session.hats if it.key == hat), None)
    if worn is None:
        raise Invalid.at("hat", "is none of yours: choose one of the list")
    good_for = frozenset(scopes) & worn.scopes
    if not good_for:
        raise Invalid.at("scopes", f"choose at least one of {', '.join(sorted(worn.scopes))}")
    row = look(platform, session, code)
    after = replace(row, state=DeviceState.CONFIRMED, user=session.user.id, hat=hat, scopes=good_for)
    return _decide(platform, session, row, after, "device-confirmed")


def deny(platform: Platform, session: Session, code: str) -> DeviceRow:
    """The device gets nothing. Raises NotFound, SlowDown, WrongState."""
    row = look(platform, session, code)
    after = replace(row, state=DeviceState.DENIED, user=session.user.id)
    return _decide(platform, session, row, after, "device-denied")


def _decide(
    platform: Platform, session: Session, before: DeviceRow, after: DeviceRow, kind: str
) -> DeviceRow:
    now = platform.clock()

    def apply(tx: Tx) -> DeviceRow:
        if not tx.entries.change_device(before, after):
            raise WrongState("somebody has decided about this device just now")
        told = {"user": session.user.id, "device": after.id, "hat": after.hat}
        tell(tx, now, kind, told)
        return after

    return platform.store.write(apply)


def fetch(platform: Platform, secret: str) -> tuple[Token, str]:
    """The token of a device that was confirmed, and its secret: once. Raises NotYet, whose `error` is as of
    RFC 8628."""
    now, digest = platform.clock(), secret_digest(secret)

    def apply(tx: Tx) -> tuple[Token, str] | NotYet:
        row = tx.entries.device(digest)
        if row is None or row.state is DeviceState.DONE or row.expires_at <= now:
            return NotYet("expired_token", "this code is good no more: run `baygrid login` again")
        if row.state is DeviceState.DENIED:
            return NotYet("access_denied", "it was denied in the browser")
        if row.state is DeviceState.WAITING:
            tx.entries.change_device(row, replace(row, asked_at=now))
            if now - row.asked_at < INTERVAL_MS:
                return NotYet("slow_down", f"ask every {INTERVAL_MS // 1000} seconds")
            return NotYet("authorization_pending", "it is not confirmed in the browser yet")
        return _issued(platform, tx, row, now)

    found = platform.store.write(apply)
    if isinstance(found, NotYet):
        raise found
    return found


def _issued(platform: Platform, tx: Tx, row: DeviceRow, now: Instant) -> tuple[Token, str] | NotYet:
    assert row.user is not None
    hat = next((hat for hat in hats(tx, row.user) if hat.key == row.hat), None)
    if hat is None or not tx.entries.change_device(row, replace(row, state=DeviceState.DONE)):
        return NotYet("access_denied", "whoever confirmed it does not belong there any more")
    token, secret = tokens.issue(
        platform,
        tx,
        hat.role,
        hat.project,
        hat.centre,
        row.label,
        expires_at=now + TOKEN_LASTS_MS,
        scopes=(row.scopes or frozenset()) & hat.scopes,
        user=row.user,
        by=row.user,
    )
    told = {"token": token.id, "user": row.user, "device": row.id, "scopes": sorted(token.scopes)}
    tx.audit.append(now, "token-issued", told, contract=None, project=token.project)
    return token, secret
