"""What a tunnel to a running attempt of this machine brings, with nothing between."""

import contextlib
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from baygrid.centres.folder.attached import NotThere
from baygrid.ports import tunnels
from baygrid.ports.tunnels import DATA, END, ERROR, EXIT, Frame, Tunnel, frames
from tests.centres.site import order, start, until_log
from tests.centres.test_local import LocalSite
from tests.services import free_port


@pytest.fixture
def site(tmp_path) -> Iterator[LocalSite]:
    made = LocalSite(tmp_path / "centre")
    yield made
    made.end()


def running(site: LocalSite, run: str) -> str:
    """The token of an attempt that has said "up"."""
    one = order(run)
    start(site, one)
    until_log(site, one, b"up")
    return one.token


@contextlib.contextmanager
def entered(
    site: LocalSite, token: str, *command: str, port: int = 0
) -> Iterator[tuple[Any, Iterator[Frame]]]:
    end = site.centre.enter(Tunnel("tun-1", "att-1", token, command, port=port))
    try:
        yield end, frames(end.out())
    finally:
        end.close()


def test_a_quiet_command_gives_a_sign_of_life(site, monkeypatch):
    monkeypatch.setattr(tunnels, "QUIET_S", 0.05)
    token = running(site, "echo up; exec sleep 600")
    with entered(site, token, "sh", "-c", "read line; echo got $line; echo no >&2; exit 3") as (end, said):
        assert next(said) == (DATA, b"")
        assert next(said) == (DATA, b"")
        end.take((DATA, b"it\n"))
        rest = [frame for frame in said if frame[1]]
    assert sorted(rest) == sorted([(DATA, b"got it\n"), (ERROR, b"no\n"), (EXIT, b"3")])


def test_a_quiet_connection_gives_a_sign_of_life(site, monkeypatch):
    monkeypatch.setattr(tunnels, "QUIET_S", 0.05)
    port = free_port()
    listen = (
        f"import socket; s = socket.create_server(('127.0.0.1', {port})); print('up', flush=True); "
        "c = s.accept()[0]; c.sendall(c.recv(99)[::-1]); c.close(); s.accept()"
    )
    token = running(site, f'exec {sys.executable} -c "{listen}"')
    with entered(site, token, port=port) as (end, said):
        assert next(said) == (DATA, b"")
        end.take((DATA, b"olleh"))
        end.take((END, b""))
        assert [frame for frame in said if frame != (DATA, b"")] == [(DATA, b"hello"), (END, b"")]


def test_a_port_that_is_not_the_jobs_is_refused(site):
    token = running(site, "echo up; exec sleep 600")
    with socket.create_server(("127.0.0.1", 0)) as foreign, pytest.raises(NotThere, match="does not listen"):
        site.centre.enter(Tunnel("tun-1", "att-1", token, port=foreign.getsockname()[1]))
