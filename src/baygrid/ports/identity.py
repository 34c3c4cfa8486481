"""Users as rows: who they are, what they belong to, in which browser they are signed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from baygrid.ports.basics import Instant
from baygrid.ports.records import Role, Scope

IDLE_MS: Final = 12 * 3_600_000
"""So long a session lasts while nobody uses it."""
LOCAL: Final = "local"
"""The issuer of accounts whose passwords this server keeps."""


class OfKind(StrEnum):
    """Of what somebody is a member."""

    PROJECT = "project"
    ORGANISATION = "organisation"
    CENTRE = "centre"
    PLATFORM = "platform"


class Level(StrEnum):
    """As what: of a project lead, member or viewer; of an organisation admin or member; of a centre and of
    the platform operator."""

    VIEWER = "viewer"
    MEMBER = "member"
    LEAD = "lead"
    ADMIN = "admin"
    OPERATOR = "operator"


LEVELS: Final = {
    OfKind.PROJECT: (Level.LEAD, Level.MEMBER, Level.VIEWER),
    OfKind.ORGANISATION: (Level.ADMIN, Level.MEMBER),
    OfKind.CENTRE: (Level.OPERATOR,),
    OfKind.PLATFORM: (Level.OPERATOR,),
}
EVERYTHING: Final = frozenset(Scope)
SCOPES: Final = {
    Level.VIEWER: frozenset({Scope.READ}),
    Level.MEMBER: frozenset({Scope.READ, Scope.USE}),
    Level.LEAD: EVERYTHING,
    Level.ADMIN: EVERYTHING,
    Level.OPERATOR: EVERYTHING,
}


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signs in, known by (issuer, subject): of a local account its name, else what an OIDC
    provider says. `language`: a tag such as "ja", "" where nobody said. `disabled_at`: signs in no more."""

    id: str
    issuer: str
    subject: str
    name: str
    email: str
    language: str
    created_at: Instant
    disabled_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Of:
    """That of which somebody is a member; the platform has no name."""

    kind: OfKind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value} {self.name}".strip()

    @classmethod
    def parse(cls, text: str) -> Of:
        """Of its key. Raises ValueError."""
        kind, colon, name = text.partition(":")
        is_platform = kind == OfKind.PLATFORM
        if kind not in list(OfKind) or bool(name) is is_platform or bool(colon) is is_platform:
            raise ValueError("must be project:NAME, organisation:NAME, centre:NAME or platform")
        return cls(OfKind(kind), name)

    @property
    def key(self) -> str:
        """ "project:demo", "platform"; a hat of it has the same."""
        return f"{self.kind.value}:{self.name}" if self.name else self.kind.value


@dataclass(frozen=True, slots=True)
class Membership:
    """`issuer`: the provider whose claims say so, as of the last time that the user signed in; "": somebody
    here made it."""

    user: str
    of: Of
    level: Level
    made_at: Instant
    made_by: str
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class Hat:
    """As what a user acts: one role in one project or centre, or that of an operator."""

    role: Role
    project: str | None
    centre: str | None
    level: Level
    organisation: str | None = None
    """Of an ADMIN: whose."""

    @property
    def key(self) -> str:
        """Its name among the hats of one user: "project:demo", "centre:hub", "platform"."""
        if self.project is not None:
            return f"{OfKind.PROJECT.value}:{self.project}"
        if self.centre is not None:
            return f"{OfKind.CENTRE.value}:{self.centre}"
        return OfKind.PLATFORM.value

    @property
    def scopes(self) -> frozenset[Scope]:
        return SCOPES[self.level]


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One browser in which a user is signed in. Only the sha256 of its secret is stored. `hat`: the key of
    the one that is worn. `csrf`: what its forms carry."""

    id: str
    sha256: str
    user: str
    hat: str
    csrf: str
    created_at: Instant
    seen_at: Instant
    expires_at: Instant
    ended_at: Instant | None = None

    def is_alive(self, now: Instant) -> bool:
        """Not ended, not too old, and not left unused for too long."""
        return self.ended_at is None and now < min(self.expires_at, self.seen_at + IDLE_MS)


@dataclass(frozen=True, slots=True)
class GuessRow:
    """How often somebody tried to guess what `key` stands for, and until when nobody may try again."""

    key: str
    count: int
    last_at: Instant
    until: Instant


@dataclass(frozen=True, slots=True)
class Said:
    """What a provider's claims come to: of what the user is a member there, as the settings translate it."""

    of: Of
    level: Level


@dataclass(frozen=True, slots=True)
class Claims:
    """What an OIDC provider says of whom it has let in. All but `issuer` and `subject` may be ""."""

    issuer: str
    subject: str
    name: str
    email: str
    language: str
    memberships: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """A link that makes whoever uses it a member. Good once, until `expires_at`. Of its secret only the
    sha256 is stored. `email`: for whom it is, as far as whoever made it says."""

    id: str
    sha256: str
    of: Of
    level: Level
    email: str
    made_at: Instant
    made_by: str
    expires_at: Instant
    used_at: Instant | None = None
    used_by: str | None = None
    revoked_at: Instant | None = None


class DeviceState(StrEnum):
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A command line that asks for a token (RFC 8628). Only the sha256 of its own code is stored; `code` is
    what its user types. `asked_at`: when it last asked whether it may have one. `user`, `hat`, `scopes`: who
    has confirmed it, and for what."""

    id: str
    sha256: str
    code: str
    label: str
    made_at: Instant
    expires_at: Instant
    asked_at: Instant = 0
    state: DeviceState = DeviceState.WAITING
    user: str | None = None
    hat: str | None = None
    scopes: frozenset[Scope] | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt to sign in at a provider: where its user goes (`address`), and what the answer is held
    against. None but the browser that began may know these."""

    provider: str
    redirect_uri: str
    address: str
    state: str
    nonce: str
    verifier: str


class Refused(Exception):
    """A provider does not let somebody in, or what it says cannot be believed; the message is for people."""


class Identity(Protocol):
    """OIDC providers."""

    def titles(self) -> Mapping[str, str]:
        """What each is called, by its id."""
        ...

    def issuers(self) -> Mapping[str, str]:
        """The same, by its issuer."""
        ...

    def begin(self, provider: str, redirect_uri: str) -> Begun:
        """Raises Refused."""
        ...

    def finish(self, begun: Begun, answer: Mapping[str, str]) -> Claims:
        """`answer`: the query with which the browser came back. Raises Refused."""
        ...


class Users(Protocol):
    """Users, memberships, sessions, and how often somebody guessed."""

    def insert(self, row: User, password: str | None = None) -> None:
        """`password`: as `app.passwords` makes it of one. Raises Exists."""
        ...

    def update(self, row: User) -> None:
        """Its name, email, language and end."""
        ...

    def get(self, id: str) -> User | None: ...

    def find(self, issuer: str, subject: str) -> User | None: ...

    def some(self, ids: Sequence[str]) -> dict[str, User]:
        """By id; those that do not exist are absent."""
        ...

    def is_empty(self) -> bool:
        """Whether there is no user at all."""
        ...

    def password(self, id: str) -> str | None: ...

    def set_password(self, id: str, password: str) -> None: ...

    def memberships(self, user: str) -> list[Membership]:
        """By kind and name."""
        ...

    def members(self, of: Of) -> list[Membership]:
        """By user."""
        ...

    def put_membership(self, row: Membership) -> None:
        """In the place of what the same issuer said of it before."""
        ...

    def remove_membership(self, user: str, of: Of, issuer: str = "") -> bool:
        """Whether it was there."""
        ...

    def projects_of(self, organisations: Sequence[str]) -> dict[str, str]:
        """Project to organisation, by name."""
        ...

    def insert_session(self, row: SessionRow) -> None:
        """Raises Exists."""
        ...

    def session(self, sha256: str) -> SessionRow | None:
        """Those that have ended too."""
        ...

    def sessions(self, user: str) -> list[SessionRow]:
        """Newest first."""
        ...

    def change_session(self, id: str, sha256: str, hat: str, csrf: str) -> bool:
        """Another secret and hat: that of before is good for nothing now. False where it has ended."""
        ...

    def see_session(self, id: str, now: Instant) -> None: ...

    def end_session(self, id: str, now: Instant) -> bool:
        """False where it had ended."""
        ...

    def guess(self, key: str) -> GuessRow:
        """All zero while nobody has guessed. Whoever else asks for this key waits for this transaction."""
        ...

    def put_guess(self, row: GuessRow) -> None: ...

    def forget_guesses(self, *, key: str = "", before: Instant = 0) -> None:
        """Those of a key, and all whose last one was before this time."""
        ...


class Entries(Protocol):
    """How users and their devices come in: invitations, and devices that ask for a token."""

    def insert_invitation(self, row: InvitationRow) -> None:
        """Raises Exists."""
        ...

    def invitation(self, sha256: str) -> InvitationRow | None: ...

    def invitations(self, of: Of) -> list[InvitationRow]:
        """Newest first."""
        ...

    def find_invitation(self, id: str) -> InvitationRow | None: ...

    def use_invitation(self, id: str, user: str, now: Instant) -> bool:
        """False where it was used or revoked, or is too old."""
        ...

    def revoke_invitation(self, id: str, now: Instant) -> bool:
        """False where it was used or revoked before."""
        ...

    def insert_device(self, row: DeviceRow) -> None:
        """Raises Exists."""
        ...

    def device(self, sha256: str) -> DeviceRow | None: ...

    def device_of_code(self, code: str) -> DeviceRow | None: ...

    def change_device(self, before: DeviceRow, after: DeviceRow) -> bool:
        """False, and no change, where it is not in the state of `before` any more."""
        ...

    def waiting_devices(self) -> int: ...

    def forget_devices(self, before: Instant) -> None:
        """Those that were over before this time."""
        ...
