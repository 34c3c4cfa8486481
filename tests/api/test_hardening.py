"""What every answer tells browsers, how often one may ask, and TLS on a real socket."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from baygrid.api.hardening import BURST_S, HEADERS, TOKENS, RateLimit
from tests.api.world import World
from tests.services import free_port
from tests.staging.site import authority

BAYGRID = str(Path(sys.executable).parent / "baygrid")


def test_every_answer_has_the_headers(world: World, api: TestClient):
    for path, who in (("/healthz", None), ("/v1/me", "team"), ("/v1/me", None), ("/v1/nothing", "team")):
        answer = api.get(path, headers=world.headers(who))
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS, path
        assert "strict-transport-security" not in answer.headers


def test_a_page_keeps_its_own_policy(world: World, api: TestClient):
    answer = api.get("/v1/profiles/none")
    assert answer.headers["content-security-policy"] == "default-src 'none'"


def test_over_tls_browsers_are_told_to_stay_with_it(world: World):
    with TestClient(world.app, base_url="https://test") as api:
        assert api.get("/healthz").headers["strict-transport-security"] == "max-age=31536000"


class Asked:
    """Requests through the limit, at a time that the test says."""

    def __init__(self, rate: float) -> None:
        self.now = 0.0
        self._app = RateLimit(PlainTextResponse("yes"), rate, lambda: self.now)

    def __call__(self, path: str = "/v1/me", token: str = "", client: str = "10.0.0.1") -> httpx2.Response:
        async def ask() -> httpx2.Response:
            transport = httpx2.ASGITransport(self._app, client=(client, 1))
            async with httpx2.AsyncClient(transport=transport, base_url="http://test") as asking:
                return await asking.get(path, headers={"Authorization": f"Bearer {token}"} if token else {})

        return asyncio.run(ask())


def test_so_many_and_then_a_while_later_again():
    ask = Asked(rate=1)
    assert {ask(token="a").status_code for _ in range(BURST_S)} == {200}
    refused = ask(token="a")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "too-many-requests"
    ask.now += 1
    assert [ask(token="a").status_code for _ in range(2)] == [200, 429]


def test_each_token_and_each_address_has_its_own():
    ask = Asked(rate=1)
    for _ in range(BURST_S + 1):
        ask(token="a")
        ask(client="10.0.0.2")
    assert ask(token="a").status_code == 429
    assert ask(token="a", client="10.0.0.9").status_code == 429  # the same token from elsewhere
    assert ask(token="b").status_code == 200
    assert ask(client="10.0.0.2").status_code == 429
    assert ask(client="10.0.0.3").status_code == 200


def test_another_token_for_each_request_helps_little():
    ask = Asked(rate=1)
    answers = [ask(token=f"guess-{n}").status_code for n in range(BURST_S * TOKENS + 1)]
    assert (answers[-2], answers[-1]) == (200, 429)


def test_agents_reports_are_never_put_off():
    ask = Asked(rate=1)
    for path in ("/v1/agent/report", "/healthz", "/metrics"):
        assert {ask(path, token="agent").status_code for _ in range(3 * BURST_S)} == {200}


@pytest.mark.slow
def test_a_server_with_a_certificate(tmp_path: Path):
    trusted, chain = authority()
    pem, port = tmp_path / "server.pem", free_port()
    pem.write_bytes(chain)
    command = [BAYGRID, "serve", "--port", str(port), "--data", str(tmp_path / "d"), "--no-embedded-centre"]
    server = subprocess.Popen(
        [*command, "--tls-cert", str(pem), "--tls-key", str(pem)],
        env={**os.environ, "HOME": str(tmp_path)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        assert f"https://127.0.0.1:{port}" in server.stdout.readline()
        context = ssl.create_default_context(cadata=trusted.decode())
        answer = httpx2.get(f"https://127.0.0.1:{port}/healthz", verify=context)
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
    finally:
        server.terminate()
        server.communicate(timeout=30)


@pytest.mark.slow
def test_what_is_no_certificate_is_said_before_anything_is_made(tmp_path: Path):
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    command = [BAYGRID, "serve", "--data", str(tmp_path / "d"), "--tls-cert", str(bad), "--tls-key", str(bad)]
    done = subprocess.run(
        command, env={**os.environ, "HOME": str(tmp_path)}, text=True, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert "are no certificate with its key" in done.stderr
    assert not (tmp_path / "d").exists()
