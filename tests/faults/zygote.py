"""A process that has imported everything once and forks servers and agents on command, in milliseconds.

Hundreds of real crashes are affordable only so: importing takes a hundred times longer than forking. Commands
come as JSON lines on stdin, what happened goes out as JSON lines on stdout:

    {"do": "start", "id": 1, "kind": "server", "settings": {...}, "stderr": PATH, "strike": STRIKE or null}
    {"do": "signal", "id": 1, "signal": "SIGTERM"}

    {"id": 1, "pid": 4711}             forked
    {"id": 1, "ready": "http://..."}   takes requests (of an agent: has begun)
    {"id": 1, "hit": [NAME, K]}        came by a failpoint for the K-th time
    {"id": 1, "struck": true}          and that was the one of the strike
    {"id": 1, "exited": -9}            has ended, by this signal or with this code

A child with the strike {"name": NAME, "hit": K, "signal": "SIGKILL", "armed": null} ends itself at the K-th
hit of that failpoint, in whichever thread that is; where `armed` is a path, hits count once there is such a
file. Children die with the zygote and the zygote with its stdin; jobs outlive their agents but not the
zygote, which adopts them. Nothing is ever signalled but by the id of a child that has not been waited for.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import selectors
import signal
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
import psycopg
import uvicorn.lifespan.on
import uvicorn.loops.uvloop
import uvicorn.protocols.http.httptools_impl
import uvicorn.protocols.websockets.auto

import baygrid.wiring.agents
import baygrid.wiring.server
from baygrid.wiring.settings import AgentSettings, ServerSettings

LATE = (alembic.command, alembic.config, psycopg, uvicorn)
"""What the programs import only when they need it is imported here before."""
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

_libc = ctypes.CDLL(None)
_out = os.dup(1)  # not inherited by what children start


def say(**message: Any) -> None:
    """One write, shorter than a pipe keeps whole: parent and children need no lock."""
    os.write(_out, json.dumps(message).encode() + b"\n")


class Failpoints:
    """Tells every hit, and ends (or stops) the process at one of them."""

    def __init__(self, id: int, strike: dict[str, Any] | None) -> None:
        self._id, self._strike = id, strike
        self._hits: Counter[str] = Counter()
        self._left = 0 if strike is None else int(strike["hit"])
        self._lock = threading.Lock()

    def __call__(self, name: str) -> None:
        with self._lock:
            self._hits[name] += 1
            say(id=self._id, hit=[name, self._hits[name]])
            if self._strike is None or name != self._strike["name"] or self._left == 0:
                return
            if self._strike["armed"] is not None and not Path(self._strike["armed"]).exists():
                return
            self._left -= 1
            if self._left == 0:
                say(id=self._id, struck=True)
                # To this very thread: it must not take another step, and another thread may be slow to hear.
                signal.pthread_kill(threading.get_ident(), signal.Signals[self._strike["signal"]])


def child(command: dict[str, Any], zygote: int) -> None:
    """What a forked process does, to its end."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != zygote:
        os._exit(1)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    id, settings = command["id"], command["settings"]
    errors = os.open(command["stderr"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(errors, 1)
    os.dup2(errors, 2)
    failpoint = Failpoints(id, command["strike"])
    if command["kind"] == "server":
        data = settings | {"data": Path(settings["data"])}
        baygrid.wiring.server.run(
            ServerSettings(**data), lambda address, _: say(id=id, ready=address), failpoint
        )
    else:
        data = settings | {"state": Path(settings["state"]), "nodes": tuple(settings["nodes"])}
        baygrid.wiring.agents.run(AgentSettings(**data), lambda _: say(id=id, ready=""), failpoint)


class Zygote:
    """The single thread: commands in, deaths out."""

    def __init__(self) -> None:
        self._children: dict[int, int] = {}  # id -> pid
        self._waiting = selectors.DefaultSelector()
        self._deaths, wake = os.pipe()
        os.set_blocking(self._deaths, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._waiting.register(0, selectors.EVENT_READ)
        self._waiting.register(self._deaths, selectors.EVENT_READ)

    def run(self) -> None:
        """Returns at the end of stdin."""
        rest = b""
        while True:
            ready = {key.fd for key, _ in self._waiting.select()}
            if self._deaths in ready:
                os.read(self._deaths, 4096)
                self._reap()
            if 0 in ready:
                data = os.read(0, 65536)
                if not data:
                    return
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._obey(json.loads(line))

    def _obey(self, command: dict[str, Any]) -> None:
        if command["do"] == "start":
            self._fork(command)
        elif command["id"] in self._children:
            os.kill(self._children[command["id"]], signal.Signals[command["signal"]])

    def _fork(self, command: dict[str, Any]) -> None:
        zygote = os.getpid()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                child(command, zygote)
                code = 0
            except SystemExit as leaving:
                code = leaving.code if isinstance(leaving.code, int) else 1
            except BaseException:  # noqa: BLE001 - the interpreter's own way of telling
                import traceback

                traceback.print_exc()
            finally:
                os._exit(code)
        self._children[command["id"]] = pid
        say(id=command["id"], pid=pid)

    def _reap(self) -> None:
        """Of our own children and of the jobs that were left to us."""
        ids = {pid: id for id, pid in self._children.items()}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in ids:
                del self._children[ids[pid]]
                say(id=ids[pid], exited=os.waitstatus_to_exitcode(status))

    def end(self) -> None:
        """Ends what is left: children, and what they had started, which falls to us when they are gone."""
        while left := Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            for pid in map(int, left):
                os.kill(pid, signal.SIGKILL)  # ours until we wait for it
                os.waitpid(pid, 0)


def main() -> None:
    os.dup2(2, 1)  # a stray print is no message
    tasks = len(os.listdir("/proc/self/task"))  # noqa: PTH208 - a count
    assert tasks == 1, f"a process with {tasks} threads must not fork"
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    gc.collect()
    gc.freeze()  # children share these pages as long as the collector does not touch them
    zygote = Zygote()
    say(zygote=os.getpid())
    try:
        zygote.run()
    finally:
        zygote.end()


if __name__ == "__main__":
    main()
