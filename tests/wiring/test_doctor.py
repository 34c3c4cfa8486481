"""What the doctor tells of an agent's machine, check by check."""

from __future__ import annotations

import dataclasses
import json
import os
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from baygrid.centres.credential import Credential
from baygrid.centres.loop import StateLock
from baygrid.wiring.doctor import Check, examine
from baygrid.wiring.settings import AgentSettings


class FakeServer:
    """Says what a server says of itself and of the agent; its clock is `ahead_s`."""

    def __init__(self) -> None:
        self.ahead_s, self.known, self.centre = 0.0, True, "here"
        self.health: object = {"version": "0.1.0"}
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                refused = self.path == "/v1/me" and not fake.known
                problem = {"detail": "this credential of here was taken back"}
                about = fake.health if self.path == "/healthz" else {"centre": fake.centre}
                body = json.dumps(problem if refused else about).encode()
                self.send_response_only(401 if refused else 200)
                self.send_header("Date", formatdate(time.time() + fake.ahead_s, usegmt=True))
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}"
        self._thread = threading.Thread(target=self.http.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self._thread.join()
        self.http.server_close()


@pytest.fixture
def server() -> Iterator[FakeServer]:
    server = FakeServer()
    yield server
    server.close()


@pytest.fixture
def settings(tmp_path: Path, server: FakeServer) -> AgentSettings:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    credential = Credential(state)
    credential.prepare()
    credential.advance()
    return AgentSettings("here", server.address, "", state, nodes=("n1:cpus=1",), as_me=True)


def checks(settings: AgentSettings) -> dict[str, Check]:
    return {check.name: check for check in examine(settings)}


def test_of_a_healthy_agent_everything_is_ok(settings):
    found = checks(settings)
    assert [check for check in found.values() if not check.ok or check.cure] == []
    assert list(found) == [
        "state", "disk", "credential", "name", "connection", "server", "clock", "accepted", "driver", "nodes",
        "images",
    ]  # fmt: skip
    assert "no agent works on it" in found["state"].said
    assert not list(settings.state.glob(".doctor*")), "it leaves nothing behind"


def test_the_agent_that_works_there_is_told(settings):
    lock = StateLock(settings.state)
    assert f"(pid {os.getpid()})" in checks(settings)["state"].said
    lock.release()


def test_a_credential_that_is_not_there_or_not_secret(settings):
    (settings.state / "credential").chmod(0o644)
    assert checks(settings)["credential"].cure.startswith("chmod 600")
    (settings.state / "credential").unlink()
    found = checks(settings)
    assert "baygrid centres invite" in found["credential"].cure
    assert "accepted" not in found


def test_a_credential_that_is_refused_or_anothers(settings, server):
    server.known = False
    refused = checks(settings)["accepted"]
    assert (refused.ok, refused.said) == (False, "this credential of here was taken back")
    server.known, server.centre = True, "elsewhere"
    assert "--centre elsewhere" in checks(settings)["accepted"].cure


@pytest.mark.parametrize(("ahead_s", "ok"), [(60, True), (-60, True), (400, False), (-400, False)])
def test_the_clock_is_compared_with_the_servers(settings, server, ahead_s, ok):
    server.ahead_s = ahead_s
    clock = checks(settings)["clock"]
    assert clock.ok is ok
    assert ("behind" in clock.said) == (ahead_s > 0)


def test_something_else_at_the_address(settings, server):
    server.health = ["a proxy"]
    found = checks(settings)
    assert "is no Baygrid server" in found["server"].said
    assert "driver" in found, "what does not need the server is asked all the same"


def test_a_server_that_is_not_there(settings, server):
    gone = dataclasses.replace(settings, server="http://127.0.0.1:1")
    assert "firewall" in checks(gone)["connection"].cure
    nowhere = dataclasses.replace(settings, server="http://no-such-host.invalid")
    assert "DNS" in checks(nowhere)["name"].cure


@pytest.mark.parametrize(
    ("change", "name", "said"),
    [
        ({"as_me": False}, "driver", "--as-me"),
        ({"driver": "cray"}, "driver", "there is no driver 'cray'"),
        ({"run_as": "no-such-user", "as_me": False}, "accounts", "no-such-user"),
        ({"run_as": "nobody"}, "accounts", "say one of them"),
        ({"account_map": ("x",)}, "accounts", "cannot be read"),
        ({"driver": "ray", "nodes": (), "options": ("address=http://127.0.0.1:1",)}, "driver", "Ray"),
    ],
    ids=str,
)
def test_what_the_driver_lacks(settings, change, name, said):
    found = checks(dataclasses.replace(settings, **change))[name]
    assert not found.ok
    assert said in found.said
    assert found.cure


def test_a_state_that_is_not_there(settings, tmp_path):
    found = checks(dataclasses.replace(settings, state=tmp_path / "other"))
    assert not found["state"].ok
    assert not (tmp_path / "other").exists()
