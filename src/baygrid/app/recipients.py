"""Recipients: who holds tokens to read a project's shares. A token is made when its activation link is
used, shown that once, and kept as a digest only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from baygrid.app.access import Action, Actor, permit, secret_digest
from baygrid.app.contract_steps import DAY_MS
from baygrid.app.grants import Bearer, check_recipient
from baygrid.app.names import check_name
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound, UnknownToken, WrongState
from baygrid.app.projects import find_project
from baygrid.core.reading import format_instant
from baygrid.ports.basics import Instant
from baygrid.ports.contracts import RecipientRow, RecipientToken
from baygrid.ports.records import Event
from baygrid.ports.store import Exists, Tx

PREFIX: Final = "bgs_"
LASTS_DAYS: Final = 90
MOST_DAYS: Final = 366
LINK_LASTS_MS: Final = 3 * DAY_MS
OVERLAP_MS: Final = DAY_MS
MOST_OVERLAP_MS: Final = 30 * DAY_MS
VERSION: Final = 1
"""Of the profile's format (delta-sharing, PROTOCOL.md, profile file format)."""


@dataclass(frozen=True, slots=True)
class Recipient:
    row: RecipientRow
    tokens: tuple[RecipientToken, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """`secret`: good once, for whoever has it, until `until`."""

    recipient: Recipient
    secret: str
    until: Instant


def recipients(platform: Platform, actor: Actor) -> list[Recipient]:
    """Of the actor's project, an operator's all; by project and name."""
    project = actor.project
    permit(actor, Action.READ if project else Action.OPERATE, project=project)

    def load(tx: Tx) -> list[Recipient]:
        return [_whole(tx, row) for row in tx.recipients.page(project)]

    return platform.store.read(load)


def add(platform: Platform, actor: Actor, project: str | None, name: str, days: int = LASTS_DAYS) -> Link:
    """A recipient with an activation link; its token lasts for so many days from its activation on. Raises
    Invalid, NotFound, WrongState."""
    project = _project(actor, project)
    now = platform.clock()
    row = RecipientRow(
        platform.ids.new("recipient", now), project, check_name("name", name), now, actor.token_id
    )

    def apply(tx: Tx) -> Link:
        find_project(tx, project)
        tx.recipients.insert(row)
        return _linked(platform, tx, row, actor, days, "recipient-added", now)

    try:
        return platform.store.write(apply)
    except Exists:
        raise WrongState(f"{project!r} has a recipient {name!r} already: rotate its token") from None


def rotate(
    platform: Platform,
    actor: Actor,
    project: str | None,
    name: str,
    *,
    overlap_ms: int = OVERLAP_MS,
    days: int = LASTS_DAYS,
) -> Link:
    """Another activation link; tokens of before work for so long more. Links that nobody has used work no
    more."""
    project = _project(actor, project)
    if not 0 <= overlap_ms <= MOST_OVERLAP_MS:
        raise Invalid.at("overlap", f"must be up to {MOST_OVERLAP_MS // DAY_MS} days")
    now = platform.clock()

    def apply(tx: Tx) -> Link:
        row = _find(tx, project, name)
        tx.recipients.end(row.id, now, now + overlap_ms)
        return _linked(platform, tx, row, actor, days, "recipient-rotated", now)

    return platform.store.write(apply)


def revoke(platform: Platform, actor: Actor, project: str | None, name: str) -> Recipient:
    """All its tokens and links, at once; the next read is refused. Twice is fine."""
    project = _project(actor, project)
    now = platform.clock()

    def apply(tx: Tx) -> Recipient:
        row = _find(tx, project, name)
        if tx.recipients.revoke(row.id, now):
            _tell(tx, row, "recipient-revoked", actor.token_id, now)
        return _whole(tx, row)

    return platform.store.write(apply)


def profile(platform: Platform, link: str, endpoint: str) -> dict[str, Any]:
    """What the activation link is good for once: the file with which a Delta Sharing client reads.
    `endpoint`: of the sharing server. Raises NotFound for a link that is used, too old, revoked, or none."""
    now = platform.clock()
    secret = PREFIX + platform.ids.secret()

    def apply(tx: Tx) -> RecipientToken:
        made = tx.recipients.activate(secret_digest(link), secret_digest(secret), now)
        if made is None:
            raise NotFound(
                "this activation link was used, is too old or was taken back: ask for another, of"
                " `baygrid recipient rotate`"
            )
        _tell(tx, made[0], "recipient-activated", made[1].id, now)
        return made[1]

    token = platform.store.write(apply)
    assert token.expires_at is not None
    return {
        "shareCredentialsVersion": VERSION,
        "endpoint": endpoint,
        "bearerToken": secret,
        "expirationTime": format_instant(token.expires_at),
    }


def bearer(platform: Platform, secret: str | None) -> Bearer:
    """Who reads with this token. Raises Unauthorized."""
    found = None
    if secret and secret.startswith(PREFIX):
        digest = secret_digest(secret)
        found = platform.store.read(lambda tx: tx.recipients.bearer(digest))
    if found is None:
        raise UnknownToken("send `Authorization: Bearer TOKEN` with the bearerToken of a profile")
    check_recipient(found[1], platform.clock())
    return Bearer(found[0].project, found[0].id, found[1].id)


def _project(actor: Actor, project: str | None) -> str:
    project = project or actor.project
    if project is None:
        raise Invalid.at("project", "name the project whose shares are read")
    permit(actor, Action.USE, project=project)
    return project


def _find(tx: Tx, project: str, name: str) -> RecipientRow:
    row = tx.recipients.get(project, name)
    if row is None:
        raise NotFound(f"{project!r} has no recipient {name!r}: `baygrid recipients` lists them")
    return row


def _linked(
    platform: Platform, tx: Tx, row: RecipientRow, actor: Actor, days: int, kind: str, now: Instant
) -> Link:
    if not 1 <= days <= MOST_DAYS:
        raise Invalid.at("days", f"must be from 1 to {MOST_DAYS}")
    secret = platform.ids.secret()
    until = now + LINK_LASTS_MS
    id = platform.ids.new("sharing-token", now)
    token = RecipientToken(id, row.id, secret_digest(secret), until, days * DAY_MS, now, actor.token_id)
    tx.recipients.insert_token(token)
    _tell(tx, row, kind, actor.token_id, now)
    return Link(_whole(tx, row), secret, until)


def _whole(tx: Tx, row: RecipientRow) -> Recipient:
    return Recipient(row, tuple(tx.recipients.tokens(row.id)))


def _tell(tx: Tx, row: RecipientRow, kind: str, by: str, now: Instant) -> None:
    data = {"recipient": row.name, "by": by}
    tx.events.append([Event(now, kind, row.project, data=data)])
    tx.audit.append(now, kind, data, contract=None, project=row.project)
