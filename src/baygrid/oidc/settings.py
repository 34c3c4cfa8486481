"""Which OIDC providers let people in, and what their groups come to here.

providers:
  - id: region                                  # in addresses: letters, digits and dashes
    title: The region's account                 # on the button
    issuer: https://id.example.org
    client_id: baygrid
    client_secret_file: /etc/baygrid/oidc       # or none: a public client, with PKCE alone
    groups_claim: groups
    memberships:
      - {group: vision-leads, of: "project:vision", level: lead}
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from baygrid.core.reading import DocumentError, Problem
from baygrid.ports.identity import LEVELS, Level, Of, Said

_SCOPES: Final = ("openid", "profile", "email")


@dataclass(frozen=True, slots=True)
class Rule:
    """Who is in `group` at the provider is this here."""

    group: str
    said: Said


@dataclass(frozen=True, slots=True)
class Provider:
    """`secret` None: a public client. `scopes`: what is asked for."""

    id: str
    title: str
    issuer: str
    client_id: str
    secret: str | None
    scopes: tuple[str, ...] = _SCOPES
    groups_claim: str = "groups"
    rules: tuple[Rule, ...] = ()

    def memberships(self, claims: Mapping[str, Any]) -> tuple[Said, ...]:
        """Of its claims; what is no text, or list of texts, names no group."""
        found = claims.get(self.groups_claim, ())
        groups = {found} if isinstance(found, str) else {it for it in found if isinstance(it, str)}
        said = [rule.said for rule in self.rules if rule.group in groups]
        best: dict[Of, Said] = {}
        for it in said:
            order = LEVELS[it.of.kind]
            if it.of not in best or order.index(it.level) < order.index(best[it.of].level):
                best[it.of] = it
        return tuple(best.values())


class _Raw(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Membership(_Raw):
    group: str = Field(min_length=1)
    of: str
    level: str


class _Provider(_Raw):
    id: str = Field(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)
    title: str = Field(min_length=1, max_length=100)
    issuer: str
    client_id: str = Field(min_length=1)
    client_secret_file: str | None = None
    scopes: list[str] = list(_SCOPES)
    groups_claim: str = "groups"
    memberships: list[_Membership] = []


class _Settings(_Raw):
    providers: list[_Provider] = Field(min_length=1)


def load(text: str) -> tuple[Provider, ...]:
    """Raises DocumentError with every mistake, OSError for a secret that cannot be read."""
    try:
        raw = _Settings.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise DocumentError((Problem("", f"is no YAML: {error}"),)) from None
    except ValidationError as error:
        problems = [Problem(".".join(map(str, it["loc"])), it["msg"]) for it in error.errors()]
        raise DocumentError(tuple(problems)) from None
    problems = list(_mistakes(raw))
    if problems:
        raise DocumentError(tuple(problems))
    return tuple(map(_provider, raw.providers))


def _mistakes(raw: _Settings) -> list[Problem]:
    found = []
    for n, it in enumerate(raw.providers):
        here = f"providers.{n}"
        if it.id in {other.id for other in raw.providers[:n]}:
            found.append(Problem(f"{here}.id", f"there are two providers {it.id!r}"))
        if not is_safe(it.issuer) or urlsplit(it.issuer).query or it.issuer.endswith("/.well-known"):
            found.append(Problem(f"{here}.issuer", "must be an https address (of this machine http will do)"))
        if "openid" not in it.scopes:
            found.append(Problem(f"{here}.scopes", "must have openid"))
        for k, rule in enumerate(it.memberships):
            try:
                of = Of.parse(rule.of)
            except ValueError as error:
                found.append(Problem(f"{here}.memberships.{k}.of", str(error)))
                continue
            if rule.level not in LEVELS[of.kind]:
                known = " or ".join(LEVELS[of.kind])
                found.append(Problem(f"{here}.memberships.{k}.level", f"must be {known}"))
    return found


def _provider(raw: _Provider) -> Provider:
    secret = Path(raw.client_secret_file).read_text().strip() if raw.client_secret_file else None
    rules = tuple(
        Rule(it.group, Said(Of.parse(it.of), Level(it.level))) for it in raw.memberships
    )  # fmt: skip
    return Provider(
        raw.id, raw.title, raw.issuer, raw.client_id, secret, tuple(raw.scopes), raw.groups_claim, rules
    )


def is_safe(address: str) -> bool:
    """Https, or http to this machine itself."""
    try:
        at = urlsplit(address)
        host = at.hostname or ""
    except ValueError:
        return False
    if at.scheme == "https":
        return bool(host)
    try:
        return at.scheme == "http" and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False
