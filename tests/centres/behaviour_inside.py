"""What a tunnel into a running attempt brings, at every centre that can be entered; part of `behaviour`.

Nodes of centres under test are this machine: their processes are seen, and their ports reached."""

import contextlib
import os
import select
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from baygrid.centres.folder.attached import NotThere
from baygrid.ports.messages import Order
from baygrid.ports.tunnels import DATA, END, ERROR, EXIT, SIZE, Frame, Tunnel, frames
from tests.centres.site import (
    NODES,
    RUNNING,
    Site,
    needs,
    no_fetch,
    order,
    start,
    stop_of,
    until,
    until_log,
    whole_log,
)
from tests.services import free_port

SERVER = """
import socket, sys, threading

def turned(connection):
    data = b""
    while piece := connection.recv(65536):
        data += piece
    connection.sendall(data[::-1])
    connection.close()

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("up", flush=True)
while True:
    threading.Thread(target=turned, args=(server.accept()[0],)).start()
"""
"""Answers when the other side has said all: backwards."""


class Inside:
    @needs("exec")
    def test_a_command_beside_it_has_its_place_and_passes_its_code_on(self, site):
        one = running(site, "echo found >mark", envs={"WHO": "me"})
        who = 'cat mark; [ "$(id -u)" = "$(stat -c %u ..)" ] && echo "$WHO $BAYGRID_JOB $ENGINE_SECRET"'
        run = f"{who}; [ -t 1 ] || echo pipe; echo no >&2; exit 7"
        with entered(site, one, "sh", "-c", run) as (_, said):
            out, err, code = heard(said)
        assert out == f"found\nme {one.job} \npipe\n".encode()
        assert (err, code) == (b"no\n", 7)

    @needs("exec")
    @needs("secrets")
    def test_a_command_beside_it_has_its_secrets(self, site):
        one = order("echo up; exec sleep 600", secrets=("TOKEN",))
        site.centre.prepare(one, no_fetch)
        site.centre.entrust(one, {"TOKEN": "hf_ab$c 'd\"\n"})
        running(site, one=one)
        with entered(site, one, "sh", "-c", 'printf %s "$TOKEN"') as (_, said):
            assert heard(said) == (b"hf_ab$c 'd\"\n", b"", 0)

    @needs("exec")
    def test_what_is_sent_arrives_whole(self, site):
        one, data = running(site), os.urandom(1_000_000)
        with entered(site, one, "sh", "-c", "cat; cat /dev/null >&2; kill -TERM $$") as (end, said):
            threading.Thread(target=sent, args=(end, data), daemon=True).start()
            out, _, code = heard(said)
        assert (out == data, code) == (True, 143)

    @needs("exec")
    def test_what_is_half_a_line_does_not_wait(self, site):
        one = running(site)
        with entered(site, one, "sh", "-c", "printf half; read -r _; printf ' done'") as (end, said):
            assert next(frame for frame in said if frame[1]) == (DATA, b"half")
            end.take((DATA, b"go\n"))
            assert heard(said) == (b" done", b"", 0)

    @needs("exec")
    def test_a_command_that_is_not_there_is_refused(self, site):
        one = running(site)
        with pytest.raises(NotThere, match="there is no command 'no-such-command'"):
            enter(site, one, "no-such-command")
        with pytest.raises(NotThere, match="not running"):
            enter(site, order(":", "unheard-of"), "true")

    @needs("exec")
    def test_a_shell_has_a_terminal_of_the_users_size(self, site):
        one = running(site)
        with entered(site, one, terminal=True, rows=33, columns=101) as (end, said):
            typed(end, said, "echo be'gun' $TERM; stty size\n", "33 101")
            end.take((SIZE, b"20 55"))
            typed(
                end,
                said,
                "until [ \"$(stty size)\" = '20 55' ]; do sleep 0.1; done; echo re'sized'\n",
                "resized",
            )
            typed(end, said, "sh -c \"echo slee'ping'; exec sleep 1000\"\n", "sleeping")
            typed(end, said, "\x03echo interr'upted'\n", "interrupted")
            end.take((DATA, b"exit 5\n"))
            assert heard(said)[2] == 5

    @needs("exec")
    def test_it_ends_with_the_user(self, site):
        one = running(site)
        for terminal in (False, True):
            with entered(site, one, "sh", "-c", "echo $$ .; exec sleep 1000", terminal=terminal) as (_, said):
                pid = int(until_said(said, b".").split()[0])
                assert alive(pid)
            assert not alive(pid)

    @needs("exec")
    def test_it_ends_with_the_attempt(self, site):
        one = running(site)
        with entered(site, one, "sh", "-c", "echo $$ .; exec sleep 1000") as (_, said):
            pid = int(until_said(said, b".").split()[0])
            site.centre.stop(stop_of(one), site.now())
            until(site, one)
            _, err, code = heard(said)
        assert (err.endswith(b"the attempt has ended\r\n"), code) == (True, 137)
        assert not alive(pid)
        with pytest.raises(NotThere):
            enter(site, one, "true")

    @needs("exec")
    @needs("gang")
    def test_each_rank_of_a_gang_can_be_entered(self, site):
        one = order("echo up $NODE_RANK $MASTER_ADDR; exec sleep 600", nodes=NODES)
        start(site, one)
        while whole_log(site, one).count(b"up") < 2:
            until(site, one, RUNNING)
            site.wait()
        for rank in range(2):
            with entered(site, one, "sh", "-c", "echo up $NODE_RANK $MASTER_ADDR", rank=rank) as (_, said):
                out, _, _ = heard(said)
            assert out in whole_log(site, one)
            assert out.split()[1] == b"%d" % rank
        with pytest.raises(NotThere, match="no rank 2: the job has ranks 0 to 1"):
            enter(site, one, "true", rank=2)

    @needs("exec")
    def test_a_port_of_it_has_many_connections_each_of_two_halves(self, site):
        port = free_port()
        one = running(site, f"exec python3 -c '{SERVER}' {port}")
        with contextlib.ExitStack() as stack:
            ends = [stack.enter_context(entered(site, one, port=port)) for _ in range(4)]
            datas = [os.urandom(300_000) for _ in ends]
            for (end, _), data in zip(ends, datas, strict=True):
                threading.Thread(target=sent, args=(end, data), daemon=True).start()
            for (_, said), data in zip(ends, datas, strict=True):
                found = list(said)
                assert b"".join(text for kind, text in found if kind == DATA) == data[::-1]
                assert found[-1] == (END, b"")

    @needs("exec")
    def test_a_port_that_is_not_its_own_is_refused(self, site):
        one = running(site)
        with socket.create_server(("127.0.0.1", 0)) as foreign:
            with pytest.raises(NotThere, match="does not listen"):
                enter(site, one, port=foreign.getsockname()[1])
            assert not select.select([foreign], [], [], 0.2)[0]


def running(site: Site, run: str = ":", one: Order | None = None, **change: Any) -> Order:
    """One that has said "up"."""
    tail = "" if run.startswith("exec ") else "; echo up; exec sleep 600"
    one = order(run + tail, **change) if one is None else one
    start(site, one)
    until_log(site, one, b"up")
    until(site, one, RUNNING)
    return one


def enter(site: Site, one: Order, *command: str, **how: Any) -> Any:
    centre: Any = site.centre
    return centre.enter(Tunnel("tun-1", one.attempt, one.token, command, **how))


@contextlib.contextmanager
def entered(site: Site, one: Order, *command: str, **how: Any) -> Iterator[tuple[Any, Iterator[Frame]]]:
    end = enter(site, one, *command, **how)
    try:
        yield end, frames(end.out())
    finally:
        end.close()


def heard(said: Iterator[Frame]) -> tuple[bytes, bytes, int | None]:
    """Standard output, standard error, and the exit code."""
    found = {DATA: b"", ERROR: b"", EXIT: b""}
    for kind, data in said:
        found[kind] += data
    return found[DATA], found[ERROR], int(found[EXIT]) if found[EXIT] else None


def until_said(said: Iterator[Frame], text: bytes) -> bytes:
    seen = b""
    while text not in seen:
        kind, data = next(said)
        assert kind == DATA, (kind, data, seen)
        seen += data
    return seen


def typed(end: Any, said: Iterator[Frame], keys: str, text: str) -> None:
    end.take((DATA, keys.encode()))
    until_said(said, text.encode())


def sent(end: Any, data: bytes) -> None:
    for at in range(0, len(data), 50_000):
        end.take((DATA, data[at : at + 50_000]))
    end.take((END, b""))


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    return False
