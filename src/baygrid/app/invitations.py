"""Links that invite people: whoever uses one becomes a member."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from baygrid.app import passwords
from baygrid.app.access import Actor, secret_digest
from baygrid.app.members import check_level, check_there, may_manage, own, told
from baygrid.app.names import check_name
from baygrid.app.platform import Platform
from baygrid.app.problems import Forbidden, Invalid, NotFound, WrongState
from baygrid.app.signing_in import Session, begin, taken_in, tell
from baygrid.ports.basics import Instant
from baygrid.ports.identity import LOCAL, Claims, Hat, InvitationRow, Level, Membership, Of, OfKind, User
from baygrid.ports.store import Exists, Tx

DAY_MS: Final = 86_400_000
LASTS_DAYS: Final = 7
MOST_DAYS: Final = 30
_RANK: Final = (Level.VIEWER, Level.MEMBER, Level.LEAD, Level.ADMIN, Level.OPERATOR)


@dataclass(frozen=True, slots=True)
class Account:
    """Of somebody new: `name` is what they sign in with, `title` what they are called."""

    name: str
    password: str
    title: str = ""
    email: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Invitation:
    """`secret`: good once, for whoever has it."""

    row: InvitationRow
    secret: str

    @property
    def path(self) -> str:
        """Of the page that takes it, at this server."""
        return f"/portal/invitations/{self.secret}"


def invite(
    platform: Platform, actor: Actor, of: Of, level: Level, email: str = "", days: int = LASTS_DAYS
) -> Invitation:
    """A link for one use. Raises Invalid, NotFound."""
    may_manage(actor, of)
    check_level(of, level)
    if not 1 <= days <= MOST_DAYS:
        raise Invalid.at("days", f"must be from 1 to {MOST_DAYS}")
    now, secret = platform.clock(), platform.ids.secret()
    id = platform.ids.new("invitation", now)
    row = InvitationRow(
        id, secret_digest(secret), of, level, email.strip(), now, actor.who, now + days * DAY_MS
    )

    def apply(tx: Tx) -> None:
        check_there(tx, of)
        tx.entries.insert_invitation(row)
        told(tx, now, "invited", of, {"invitation": id, "level": level.value, "by": actor.who})

    platform.store.write(apply)
    return Invitation(row, secret)


def invitations(platform: Platform, actor: Actor, of: Of) -> list[InvitationRow]:
    """Newest first, without their secrets, which are not kept. Raises NotFound."""
    may_manage(actor, of)

    def load(tx: Tx) -> list[InvitationRow]:
        check_there(tx, of)
        return tx.entries.invitations(of)

    return platform.store.read(load)


def take_back(platform: Platform, actor: Actor, id: str) -> None:
    """Nobody can use it any more; twice is fine. Raises NotFound, WrongState."""
    may_manage(actor, own(actor))
    now = platform.clock()

    def apply(tx: Tx) -> None:
        row = tx.entries.find_invitation(id)
        if row is None or not _manages(actor, row.of):
            raise NotFound(f"there is no invitation {id!r}")
        if row.used_at is not None:
            raise WrongState("it was used: remove the member instead")
        if tx.entries.revoke_invitation(id, now):
            told(tx, now, "invitation-revoked", row.of, {"invitation": id, "by": actor.who})

    platform.store.write(apply)


def _manages(actor: Actor, of: Of) -> bool:
    try:
        may_manage(actor, of)
    except (Forbidden, NotFound):
        return False
    return True


def invited(platform: Platform, secret: str) -> InvitationRow:
    """What a link is for. Raises NotFound for one that is used, too old, taken back, or none."""
    return platform.store.read(lambda tx: _open(tx, secret, platform.clock()))


def _open(tx: Tx, secret: str, now: Instant) -> InvitationRow:
    row = tx.entries.invitation(secret_digest(secret))
    if row is None or row.used_at is not None or row.revoked_at is not None or row.expires_at <= now:
        raise NotFound("this invitation was used, has expired or is none: ask who sent it for another one")
    return row


def accept(platform: Platform, secret: str, user: User) -> tuple[Session, str]:
    """By who is signed in already; a new session in the hat that it gives. Raises NotFound."""

    def apply(tx: Tx) -> tuple[Session, str]:
        return _enter(platform, tx, secret, user)

    return platform.store.write(apply)


def accept_new(platform: Platform, secret: str, account: Account) -> tuple[Session, str]:
    """By somebody new, with a local account. Raises NotFound, Invalid."""
    name = account.name.strip().casefold()
    check_name("name", name)
    platform.store.read(lambda tx: _open(tx, secret, platform.clock()))  # before a password costs time
    kept = passwords.hashed(passwords.check(account.password))
    now = platform.clock()
    title = account.title.strip() or account.name.strip()
    id = platform.ids.new("user", now)
    user = User(id, LOCAL, name, title, account.email.strip(), account.language, now)

    def apply(tx: Tx) -> tuple[Session, str]:
        tx.users.insert(user, kept)
        tell(tx, now, "account-made", {"user": user.id})
        return _enter(platform, tx, secret, user)

    try:
        return platform.store.write(apply)
    except Exists:
        raise Invalid.at("name", "is taken: choose another one, or sign in if it is yours") from None


def accept_oidc(platform: Platform, secret: str, claims: Claims) -> tuple[Session, str]:
    """By whom an OIDC provider has let in. Raises NotFound."""

    def apply(tx: Tx) -> tuple[Session, str]:
        return _enter(platform, tx, secret, taken_in(platform, tx, claims))

    return platform.store.write(apply)


def _enter(platform: Platform, tx: Tx, secret: str, user: User) -> tuple[Session, str]:
    now = platform.clock()
    row = _open(tx, secret, now)
    if not tx.entries.use_invitation(row.id, user.id, now):
        raise NotFound("this invitation was used just now: ask who sent it for another one")
    here = (it for it in tx.users.memberships(user.id) if it.of == row.of and not it.issuer)
    level = max([row.level, *(it.level for it in here)], key=_RANK.index)
    tx.users.put_membership(Membership(user.id, row.of, level, now, row.made_by))
    data = {"user": user.id, "level": level.value, "invitation": row.id, "by": row.made_by}
    told(tx, now, "membership-set", row.of, data)
    return begin(platform, tx, user.id, lambda hat: _is_of(hat, row.of))


def _is_of(hat: Hat, of: Of) -> bool:
    return {
        OfKind.PROJECT: hat.project,
        OfKind.CENTRE: hat.centre,
        OfKind.ORGANISATION: hat.organisation,
        OfKind.PLATFORM: "" if hat.project is None and hat.centre is None else None,
    }[of.kind] == of.name
