"""The authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636, RFC 9207), as a client.

What a provider signs is believed only if its key, issuer, audience, times and nonce are right; keys are asked
for anew when it signs with one that is not known yet, at most once a minute.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx2
import jwt
from jwt import PyJWK

from baygrid.core.jobs.addresses import address, nowhere
from baygrid.core.reading import Wrong
from baygrid.oidc.settings import Provider, is_safe
from baygrid.ports.identity import Begun, Claims, Refused

_ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
"""Those of public keys: with a shared secret, or none, anybody who has the client's could sign."""
_FRESH_S: Final = 3600.0
_AGAIN_S: Final = 60.0
_LEEWAY_S: Final = 60
_MOST_BYTES: Final = 1024 * 1024
_LANGUAGES: Final = {
    "zh-cn": "zh-Hans",
    "zh-sg": "zh-Hans",
    "zh-hk": "zh-Hant",
    "zh-tw": "zh-Hant",
    "zh-mo": "zh-Hant",
}


@dataclass(frozen=True, slots=True)
class _Found:
    """What a provider says of itself, as of `at`."""

    document: Mapping[str, Any]
    keys: Mapping[str | None, PyJWK]
    at: float


class Providers:
    """Implements `ports.identity.Identity`."""

    def __init__(
        self, providers: Sequence[Provider], monotonic: Callable[[], float], http: httpx2.Client | None = None
    ) -> None:
        self._monotonic = monotonic
        self._providers = {it.id: it for it in providers}
        self._http = http or httpx2.Client(timeout=httpx2.Timeout(10.0, connect=5.0), follow_redirects=False)
        self._found: dict[str, _Found] = {}
        self._lock = threading.Lock()

    def titles(self) -> Mapping[str, str]:
        return {it.id: it.title for it in self._providers.values()}

    def issuers(self) -> Mapping[str, str]:
        return {it.issuer: it.title for it in self._providers.values()}

    def begin(self, provider: str, redirect_uri: str) -> Begun:
        it = self._provider(provider)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code",
            "client_id": it.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(it.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        page = _endpoint(self._discovered(it), "authorization_endpoint")
        address = f"{page}{'&' if '?' in page else '?'}{urlencode(asked)}"
        return Begun(provider, redirect_uri, address, state, nonce, verifier)

    def finish(self, begun: Begun, answer: Mapping[str, str]) -> Claims:
        it = self._provider(begun.provider)
        if not hmac.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise Refused("this answer belongs to another attempt to sign in: begin again")
        if answer.get("iss", it.issuer) != it.issuer:
            raise Refused("this answer is of another provider: begin again")
        if "error" in answer:
            raise Refused(f"{it.title} did not let you in ({answer['error'][:100]!r}): begin again")
        found = self._discovered(it)
        told = self._exchange(it, found, begun, answer.get("code", ""))
        claims = self._verified(it, str(told.get("id_token", "")), begun.nonce)
        return self._claims(it, found, claims, told)

    def _provider(self, id: str) -> Provider:
        it = self._providers.get(id)
        if it is None:
            raise Refused(f"there is no provider {id!r}")
        return it

    def _exchange(self, it: Provider, found: _Found, begun: Begun, code: str) -> Mapping[str, Any]:
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.redirect_uri,
            "client_id": it.client_id,
            "code_verifier": begun.verifier,
        }
        headers = {}
        if it.secret is not None:
            ways = found.document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
            if "client_secret_basic" in ways:
                pair = f"{quote(it.client_id, safe='')}:{quote(it.secret, safe='')}"
                headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
            else:
                body["client_secret"] = it.secret
        return self._ask("POST", _endpoint(found, "token_endpoint"), it, data=body, headers=headers)

    def _verified(self, it: Provider, token: str, nonce: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(it, token),
                algorithms=list(_ALGORITHMS),
                audience=it.client_id,
                issuer=it.issuer,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iat", "sub", "aud", "iss", "nonce"]},
            )
        except jwt.PyJWTError as error:
            raise Refused(f"what {it.title} signed cannot be believed ({error}): tell the operator") from None
        if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise Refused("this answer belongs to another attempt to sign in: begin again")
        if claims.get("azp", it.client_id) != it.client_id:
            raise Refused(f"what {it.title} signed is for another client: tell the operator")
        return claims

    def _key(self, it: Provider, token: str) -> PyJWK:
        """The one that it says that it is signed by. Raises jwt.PyJWTError."""
        id = jwt.get_unverified_header(token).get("kid")
        found = self._discovered(it)
        if id not in found.keys:
            found = self._discovered(it, older_s=_AGAIN_S)
        key = found.keys.get(id)
        if key is None and id is None and len(found.keys) == 1:
            (key,) = found.keys.values()
        if key is None:
            raise jwt.InvalidKeyError("it is signed by a key that the provider does not name")
        return key

    def _claims(self, it: Provider, found: _Found, claims: dict[str, Any], told: Mapping[str, Any]) -> Claims:
        """What the token lacks is asked of the provider, as long as it speaks of the same subject."""
        if "userinfo_endpoint" in found.document and "access_token" in told:
            headers = {"Authorization": f"Bearer {told['access_token']}"}
            more = self._ask("GET", _endpoint(found, "userinfo_endpoint"), it, headers=headers)
            if more.get("sub") != claims["sub"]:
                raise Refused(f"{it.title} spoke of two users at once: tell the operator")
            claims = {**more, **claims}
        name = next((claims[key] for key in ("name", "preferred_username") if _text(claims.get(key))), "")
        email = claims["email"] if _text(claims.get("email")) else ""
        language = claims["locale"] if _text(claims.get("locale")) else ""
        return Claims(
            it.issuer,
            str(claims["sub"]),
            name[:200],
            email[:200],
            _LANGUAGES.get(language.lower(), language)[:20],
            it.memberships(claims),
        )

    def _discovered(self, it: Provider, older_s: float = _FRESH_S) -> _Found:
        """What it says of itself, asked anew when that is older."""
        with self._lock:
            known = self._found.get(it.id)
            if known is not None and self._monotonic() - known.at < older_s:
                return known
        document = self._ask("GET", f"{it.issuer.rstrip('/')}/.well-known/openid-configuration", it)
        if document.get("issuer") != it.issuer:
            raise Refused(f"{it.issuer} says that it is {document.get('issuer')!r}: correct `issuer`")
        new = _Found(document, {}, self._monotonic())
        keys = self._ask("GET", _endpoint(new, "jwks_uri"), it).get("keys", [])
        found = _Found(document, _signing(keys), new.at)
        with self._lock:
            self._found[it.id] = found
        return found

    def _ask(self, method: str, address: str, it: Provider, **sent: Any) -> Mapping[str, Any]:
        asked = {"Accept": "application/json", "Accept-Encoding": "identity"}
        sent["headers"] = asked | sent.get("headers", {})
        try:
            with self._http.stream(method, address, **sent) as answer:
                document = json.loads(_bounded(answer))
        except (httpx2.HTTPError, ValueError, RecursionError):
            raise Refused(
                f"{it.title} does not answer as it should: try again, or tell the operator"
            ) from None
        if not isinstance(document, dict):
            raise Refused(f"{it.title} does not answer as it should: try again, or tell the operator")
        if answer.status_code != 200:
            why = str(document.get("error", answer.status_code))[:100]
            raise Refused(f"{it.title} did not let you in ({why!r}): begin again")
        return document


def _bounded(answer: httpx2.Response) -> bytes:
    """As it comes: a few bytes that are packed could become any number. Raises ValueError."""
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise ValueError("packed although nobody asked for that")
    found = bytearray()
    for piece in answer.iter_bytes():
        found += piece
        if len(found) > _MOST_BYTES:
            raise ValueError("an answer without end")
    return bytes(found)


def _text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and bool(value)


def _endpoint(found: _Found, name: str) -> str:
    """Where the provider sends us. Only one on this machine may name an address on this machine, and none
    what is nobody's, such as a cloud's metadata."""
    said = found.document.get(name)
    here = urlsplit(str(found.document["issuer"])).scheme == "http"
    if not isinstance(said, str) or not is_safe(said) or (not here and urlsplit(said).scheme == "http"):
        raise Refused(f"the provider's {name} is no https address: tell the operator")
    try:
        why = nowhere(address(said))
    except Wrong:
        why = "none"
    if why is not None:
        raise Refused(f"the provider's {name} leads to an address that is {why}: tell the operator")
    return said


def _signing(keys: object) -> dict[str | None, PyJWK]:
    """Those that are for signatures and that we can read, by their id."""
    found: dict[str | None, PyJWK] = {}
    for key in keys if isinstance(keys, list) else ():
        if isinstance(key, dict) and key.get("use", "sig") == "sig" and key.get("kty") != "oct":
            try:
                found[key.get("kid")] = PyJWK(key)
            except jwt.PyJWTError:  # of a kind that we do not know: others may do
                continue
    return found
