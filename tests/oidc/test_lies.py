"""A provider that lies, or somebody who speaks for it: nothing of it is believed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from baygrid.oidc.client import Providers
from baygrid.oidc.settings import Provider
from baygrid.ports.identity import Begun, Refused

ISSUER = "https://id.example.org"
BACK = "http://localhost/portal/oidc/region/callback"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
JWK = json.loads(RSAAlgorithm.to_jwk(KEY.public_key())) | {"kid": "one", "use": "sig", "alg": "RS256"}
Forge = Callable[[dict[str, Any]], str]


def signed(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, KEY, "RS256", {"kid": "one"})


class Liar:
    """A provider: `forge` makes its token of the claims that would be right, `change` alters these first."""

    def __init__(self) -> None:
        self.forge: Forge = signed
        self.change: dict[str, Any] = {}
        self.document: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }
        self.keys: list[dict[str, Any]] = [JWK]
        self.info: dict[str, Any] | None = None
        self.asked: list[str] = []
        self.sent: dict[str, list[str]] = {}
        self.nonce = ""
        self.now = 0.0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request.url.path)
        if request.url.path.endswith("openid-configuration"):
            return httpx2.Response(200, json=self.document)
        if request.url.path == "/keys":
            return httpx2.Response(200, json={"keys": self.keys})
        if request.url.path == "/info":
            return httpx2.Response(200, json=self.info)
        self.sent = parse_qs(request.content.decode()) | {"auth": [request.headers.get("authorization", "")]}
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": "chan",
            "aud": "baygrid",
            "exp": now + 60,
            "iat": now,
            "nonce": self.nonce,
        }
        claims = {key: value for key, value in (claims | self.change).items() if value is not None}
        return httpx2.Response(200, json={"id_token": self.forge(claims), "access_token": "a"})


@pytest.fixture
def liar() -> Liar:
    return Liar()


def client(liar: Liar, secret: str | None = "of the client") -> Providers:
    provider = Provider("region", "The region", ISSUER, "baygrid", secret)
    return Providers([provider], lambda: liar.now, httpx2.Client(transport=httpx2.MockTransport(liar)))


def begun(liar: Liar, of: Providers) -> Begun:
    found = of.begin("region", BACK)
    liar.nonce = found.nonce
    return found


def finish(liar: Liar, secret: str | None = "of the client", **answer: str) -> Any:
    of = client(liar, secret)
    it = begun(liar, of)
    return of.finish(it, {"state": it.state, "code": "c"} | answer)


def test_an_honest_one_is_believed(liar: Liar):
    liar.change = {"name": "Chan", "email": "chan@example.org", "locale": "zh-HK"}
    found = finish(liar)
    assert (found.issuer, found.subject, found.name, found.language) == (ISSUER, "chan", "Chan", "zh-Hant")
    assert liar.sent["auth"][0].startswith("Basic ")
    assert len(liar.sent["code_verifier"][0]) >= 43
    assert "client_secret" not in liar.sent
    finish(liar, None)
    assert liar.sent["auth"] == [""]


def test_an_attempt_says_what_it_will_be_held_against(liar: Liar):
    of = client(liar)
    first, second = of.begin("region", BACK), of.begin("region", BACK)
    asked = parse_qs(urlsplit(first.address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["state"] == [first.state]
    assert first.verifier not in first.address
    assert not {first.state, first.nonce, first.verifier} & {second.state, second.nonce, second.verifier}


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil.example"}, {"aud": "another"}, {"aud": ["another"]}, {"exp": 5}, {"exp": None},
        {"iat": None}, {"iat": 99_999_999_999}, {"nonce": "of another"}, {"nonce": None}, {"sub": None},
        {"aud": ["baygrid", "another"], "azp": "another"},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_for_somebody_or_something_else_is_refused(liar: Liar, change: dict[str, Any]):
    liar.change = change
    with pytest.raises(Refused):
        finish(liar)


FORGED: dict[str, Forge] = {
    "another key": lambda claims: jwt.encode(claims, OTHER, "RS256", {"kid": "one"}),
    "an unknown key": lambda claims: jwt.encode(claims, OTHER, "RS256", {"kid": "two"}),
    "no key": lambda claims: jwt.encode(claims, "", "none", {"kid": "one"}),
    "the client's secret": lambda claims: jwt.encode(claims, "of the client" * 4, "HS256", {"kid": "one"}),
    "the public key as a secret": lambda claims: jwt.encode(claims, JWK["n"], "HS256", {"kid": "one"}),
    "a key that it brings": lambda claims: jwt.encode(
        claims, OTHER, "RS256", {"kid": "one", "jwk": json.loads(RSAAlgorithm.to_jwk(OTHER.public_key()))}
    ),
    "no token": lambda claims: "",
    "half a token": lambda claims: signed(claims)[:-40],
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_token_is_refused(liar: Liar, how: str):
    liar.forge = FORGED[how]
    with pytest.raises(Refused, match="cannot be believed"):
        finish(liar)


def test_a_new_key_is_asked_for_but_not_each_time(liar: Liar):
    liar.keys = []
    of = client(liar)
    it = begun(liar, of)
    for _ in range(3):
        with pytest.raises(Refused):
            of.finish(it, {"state": it.state, "code": "c"})
    assert liar.asked.count("/keys") == 1
    liar.keys = [JWK]
    liar.now += 61
    assert of.finish(it, {"state": it.state, "code": "c"}).subject == "chan"


@pytest.mark.parametrize(
    "answer",
    [{"state": "made-up"}, {"state": ""}, {"iss": "https://evil.example"}, {"error": "access_denied"}],
    ids=str,
)
def test_an_answer_that_is_not_to_this_attempt_is_refused(liar: Liar, answer: dict[str, str]):
    with pytest.raises(Refused):
        finish(liar, **answer)
    assert "/token" not in liar.asked


def test_who_says_to_be_another_is_not_asked_for_keys(liar: Liar):
    liar.document["issuer"] = "https://evil.example"
    with pytest.raises(Refused, match="correct `issuer`"):
        client(liar).begin("region", BACK)
    assert "/keys" not in liar.asked


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("address", [None, "http://id.example.org/x", "javascript:alert(1)", 5])
def test_an_address_in_the_clear_is_none(liar: Liar, name: str, address: object):
    liar.document[name] = address
    with pytest.raises(Refused):
        finish(liar)


def test_more_about_the_user_counts_only_of_the_same(liar: Liar):
    liar.document["userinfo_endpoint"] = f"{ISSUER}/info"
    liar.info = {"sub": "chan", "name": "Chan", "iss": "https://evil.example"}
    found = finish(liar)
    assert (found.name, found.issuer) == ("Chan", ISSUER)
    liar.info["sub"] = "wu"
    with pytest.raises(Refused, match="two users"):
        finish(liar)


def test_a_provider_that_is_away_is_told_as_such():
    def away(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    of = Providers(
        [Provider("region", "The region", ISSUER, "baygrid", None)],
        lambda: 0.0,
        httpx2.Client(transport=httpx2.MockTransport(away)),
    )
    with pytest.raises(Refused, match="The region does not answer"):
        of.begin("region", BACK)
