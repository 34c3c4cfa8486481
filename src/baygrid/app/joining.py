"""How a centre's agent comes by its credential, and how that is changed and taken back.

The secret is made by the agent and never leaves its machine but as the bearer of its own requests: the
server is told the SHA-256 only. So every exchange may be repeated when its answer was lost. A new credential
ends all older ones of its centre when it is first used, not before: whichever the agent has goes on working.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from baygrid.app.access import Action, Actor, permit
from baygrid.app.centres import find
from baygrid.app.offers import Rates, offer_of
from baygrid.app.platform import Platform
from baygrid.app.problems import Forbidden, Invalid, NotFound, WrongState
from baygrid.app.signatures import signed_by
from baygrid.app.tokens import Invitation, invitation
from baygrid.ports.basics import Instant
from baygrid.ports.messages import join_bytes
from baygrid.ports.records import CentreRecord, Event, Offer, Role, Token
from baygrid.ports.store import Exists, Tx

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Proposal:
    """An offer that a joining agent makes."""

    partition: str
    accelerator: str | None
    currency: str
    rates: Rates


def invite(platform: Platform, actor: Actor, centre: str, with_offers: bool) -> Invitation:
    """A new join token; those before it that were not used are taken back."""
    permit(actor, Action.TEND, centre=centre)

    def apply(tx: Tx) -> Invitation:
        find(tx, centre)
        for token in tx.region.tokens():
            if token.role is Role.JOIN and token.centre == centre and token.used_by is None:
                tx.region.revoke_token(token.id, platform.clock())
        return invitation(platform, tx, centre, with_offers, actor.who)

    return platform.store.write(apply)


def invited(platform: Platform, actor: Actor) -> tuple[CentreRecord, Token]:
    """What a join token is for. Raises WrongState where it was used."""
    centre = _invited(actor)
    return platform.store.read(lambda tx: (find(tx, centre), _token(tx, actor)))


def join(
    platform: Platform,
    actor: Actor,
    public_key: str,
    credential: str,
    signature: str,
    proposals: Sequence[Proposal],
) -> tuple[CentreRecord, list[Offer]]:
    """Makes `credential` (the SHA-256 of a secret) one of the centre's, and the proposed offers, but for
    those that are there. `signature`: by the agent's key over `ports.messages.join_bytes`; the same key may
    join again with this token until it expires, another may not."""
    centre = _invited(actor)
    _check_digest(credential)
    if not signed_by(public_key, signature, join_bytes(centre, credential)):
        raise Invalid.at("signature", "is not that of the key over this credential")
    now = platform.clock()
    offers = [
        offer_of(None, centre, it.partition, it.accelerator, it.currency, it.rates, now) for it in proposals
    ]

    def apply(tx: Tx) -> tuple[CentreRecord, list[Offer]]:
        token = _token(tx, actor, public_key)
        if offers and not token.with_offers:
            raise Forbidden(
                "this join token may not make offers: join without, and let the region's operator make them,"
                f" or ask for a new one of `baygrid centres invite {centre} --with-offers`"
            )
        found = find(tx, centre)
        if not tx.region.use_token(token.id, public_key):
            raise _used(centre)
        if _add(platform, tx, centre, credential, f"agent of {centre}"):
            tx.events.append([Event(now, "credential-issued", centre=centre, data={"by": token.id})])
        known = {offer.id for offer in tx.region.offers()}
        made = [offer for offer in offers if offer.id not in known]
        for offer in made:
            tx.region.insert_offer(offer)
            tx.events.append([Event(now, "offer-added", centre=centre, data={"offer": offer.id})])
        return found, made

    return platform.store.write(apply)


def rotate(platform: Platform, actor: Actor, centre: str) -> CentreRecord:
    """The agent makes itself a new credential when it next reports."""
    permit(actor, Action.TEND, centre=centre)

    def apply(tx: Tx) -> CentreRecord:
        find(tx, centre)
        if not any(_is_live(token, centre) for token in tx.region.tokens()):
            raise WrongState(f"{centre} has no credential to renew: join it with `baygrid centres invite`")
        tx.region.set_renewing(centre, True)
        tx.events.append([Event(platform.clock(), "credential-renewal-asked", centre=centre)])
        return find(tx, centre)

    return platform.store.write(apply)


def renew(platform: Platform, actor: Actor, credential: str) -> None:
    """What an agent that was asked to sends, with its old credential: the SHA-256 of its next one."""
    if actor.centre is None:
        raise Forbidden("only a centre's agent may do this")
    centre = actor.centre
    permit(actor, Action.AGENT, centre=centre)
    _check_digest(credential)

    def apply(tx: Tx) -> None:
        if not find(tx, centre).renewing:
            raise WrongState("nobody asked for a new credential")
        if _add(platform, tx, centre, credential, f"agent of {centre}, renewed"):
            event = Event(platform.clock(), "credential-issued", centre=centre, data={"by": actor.token_id})
            tx.events.append([event])

    platform.store.write(apply)


def revoke(platform: Platform, actor: Actor, centre: str) -> CentreRecord:
    """Nobody speaks for this centre any more until an agent joins anew. Jobs that run there go on."""
    permit(actor, Action.TEND, centre=centre)
    now = platform.clock()

    def apply(tx: Tx) -> CentreRecord:
        find(tx, centre)
        for token in tx.region.tokens():
            if token.centre == centre and tx.region.revoke_token(token.id, now):
                tx.events.append([Event(now, "token-revoked", centre=centre, data={"token": token.id})])
        tx.region.set_renewing(centre, False)
        tx.events.append([Event(now, "centre-revoked", centre=centre)])
        return find(tx, centre)

    return platform.store.write(apply)


def first_use(tx: Tx, actor: Actor, now: Instant) -> None:
    """A credential that was made to take the place of others is used: they end."""
    assert actor.centre is not None
    live = [token for token in tx.region.tokens() if _is_live(token, actor.centre)]
    if not any(token.id == actor.token_id and token.fresh for token in live):
        return  # an earlier report did this, and the bearer was remembered
    for token in live:
        if token.id != actor.token_id:
            tx.region.revoke_token(token.id, now)
            data = {"token": token.id, "by": actor.token_id}
            tx.events.append([Event(now, "token-revoked", centre=actor.centre, data=data)])
    tx.region.settle_token(actor.token_id)
    tx.region.set_renewing(actor.centre, False)
    tx.events.append([Event(now, "credential-used", centre=actor.centre, data={"token": actor.token_id})])


def _invited(actor: Actor) -> str:
    if actor.centre is None:
        raise Forbidden("only a join token may do this: `baygrid centres invite` makes one")
    permit(actor, Action.JOIN, centre=actor.centre)
    return actor.centre


def _token(tx: Tx, actor: Actor, public_key: str | None = None) -> Token:
    """The join token, not yet used by another key."""
    token = next((token for token in tx.region.tokens() if token.id == actor.token_id), None)
    if token is None:
        raise NotFound("this join token is gone")
    if public_key is not None and token.used_by not in (None, public_key):
        raise _used(str(token.centre))
    return token


def _used(centre: str) -> WrongState:
    return WrongState(
        "this join token was used by another agent: start that one, or ask the region's operator for a new"
        f" token, of `baygrid centres invite {centre}`"
    )


def _add(platform: Platform, tx: Tx, centre: str, credential: str, label: str) -> bool:
    """False when it is there already. One that was never used is taken back: there is one next credential."""
    now = platform.clock()
    known = tx.region.token(credential)
    if known is not None:
        if known.centre != centre or known.revoked_at is not None or known.role is not Role.CENTRE:
            raise WrongState("this credential cannot be had: make another one")
        return False
    for token in tx.region.tokens():
        if token.fresh and _is_live(token, centre):
            tx.region.revoke_token(token.id, now)
    id = platform.ids.new("tok", now)
    try:
        tx.region.insert_token(Token(id, credential, Role.CENTRE, label, None, centre, now, fresh=True))
    except Exists:
        raise WrongState("this credential cannot be had: make another one") from None
    return True


def _is_live(token: Token, centre: str) -> bool:
    """An agent's; a user's there is none."""
    own = token.role is Role.CENTRE and token.centre == centre and token.user is None
    return own and token.revoked_at is None


def _check_digest(credential: str) -> None:
    if _SHA256.fullmatch(credential) is None:
        raise Invalid.at("credential", "must be the SHA-256 of a secret, in hex")
