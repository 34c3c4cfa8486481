"""Signing in at an OIDC provider. What an attempt must remember until its answer comes is sealed and goes
with the browser: so any server of the region takes the answer, and only of the browser that began."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

from baygrid.app import invitations
from baygrid.app.platform import Platform
from baygrid.app.problems import NotFound, Unauthorized
from baygrid.app.signing_in import Session, sign_in_oidc, tell
from baygrid.ports.basics import Vault
from baygrid.ports.identity import Begun, Identity, Refused

LASTS_MS: Final = 600_000
_ABOUT: Final = "signing in"


@dataclass(frozen=True, slots=True)
class Left:
    """Where the browser is sent, and what it must bring back: `sealed`, of which it understands nothing."""

    address: str
    sealed: str


def titles(platform: Platform) -> Mapping[str, str]:
    """Of the providers, by their ids."""
    return platform.identity.titles() if platform.identity is not None else {}


def issuers(platform: Platform) -> Mapping[str, str]:
    """Titles of the providers, by what memberships name them by."""
    return platform.identity.issuers() if platform.identity is not None else {}


def leave(platform: Platform, provider: str, redirect_uri: str, next: str, invitation: str) -> Left:
    """To the provider; `next` is where to go afterwards. Raises NotFound, Unauthorized."""
    identity, vault = _parts(platform, provider)
    try:
        begun = identity.begin(provider, redirect_uri)
    except Refused as refused:
        raise Unauthorized(str(refused)) from None
    kept = {
        "begun": asdict(replace(begun, address="")),
        "until": platform.clock() + LASTS_MS,
        "next": next,
        "invitation": invitation,
    }
    return Left(begun.address, vault.seal(json.dumps(kept), _ABOUT))


def come_back(
    platform: Platform, provider: str, sealed: str, answer: Mapping[str, str]
) -> tuple[Session, str, str]:
    """The session, its secret, and where to go. Raises NotFound, Unauthorized, Forbidden."""
    identity, vault = _parts(platform, provider)
    try:
        kept = json.loads(vault.open(sealed, _ABOUT))
    except ValueError:
        raise Unauthorized("this browser did not begin to sign in here: begin again") from None
    begun = Begun(**kept["begun"])
    if kept["until"] <= platform.clock() or begun.provider != provider:
        raise Unauthorized("that took too long: begin again")
    try:
        claims = identity.finish(begun, answer)
    except Refused as refused:
        now, told = platform.clock(), {"issuer": provider, "user": None}
        platform.store.write(lambda tx: tell(tx, now, "sign-in-failed", told))
        raise Unauthorized(str(refused)) from None
    if kept["invitation"]:
        session, secret = invitations.accept_oidc(platform, kept["invitation"], claims)
    else:
        session, secret = sign_in_oidc(platform, claims)
    return session, secret, kept["next"]


def _parts(platform: Platform, provider: str) -> tuple[Identity, Vault]:
    if platform.identity is None or platform.vault is None or provider not in platform.identity.titles():
        raise NotFound(f"nobody signs in by {provider!r} here")
    return platform.identity, platform.vault
