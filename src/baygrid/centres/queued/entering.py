"""A command, a shell or a connection inside a running task, by what its engine gives to get there.

What is run there greets first: so it is known whether the engine has let it in, and the node has what it
takes. From there on it is the user's own, as the job is: nothing that it says is believed.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from baygrid.centres.engine import Entrance
from baygrid.centres.folder.attached import PIECE, Attached, NotThere
from baygrid.centres.folder.files import Files
from baygrid.centres.folder.users import User
from baygrid.centres.queued.script import SCRIPT
from baygrid.ports import tunnels
from baygrid.ports.tunnels import DATA, END, Frame, Tunnel, frames, packed

READY: Final = b"\x06"  # ACK: what follows is the command's own
SORRY: Final = b"\x15"  # NAK: what follows says why not
PATIENCE_S: Final = 60.0
ENDING_S: Final = 20.0
"""An engine gives what it ends some seconds; after so many it is given up."""
RELAY: Final = Path(__file__).with_name("relay.py").read_text()
_START_RELAY: Final = (
    "command -v python3 >/dev/null || { printf '\\025its node has no python3, which ports need'; exit 0; }\n"
    'exec python3 -IS -c "$0" "$@"'
)


class Inside(Attached):
    """A command in the attempt's folder, with its environment; `task.sh` sees to both."""

    def __init__(
        self, entrance: Entrance, files: Files, tunnel: Tunnel, user: User, ending: Callable[[], bool]
    ) -> None:
        """`ending`: whether the attempt is told to end, or has. Raises NotThere, OSError."""
        self._ending = ending
        words = ["enter", str(tunnel.rank), tunnel.term if tunnel.terminal else "", *tunnel.command]
        argv = [*entrance.argv, "/bin/sh", files.path(SCRIPT), *words]
        super().__init__(argv, entrance.environ, tunnel, user)
        try:
            greeted(self._process, next(iter(self._streams())))
        except BaseException:
            self.close()
            raise

    def _end(self) -> None:
        end(self._process)

    def _stopped_with_attempt(self, code: int | None) -> bool:
        return code not in (None, 0) and self._ending()


class Relayed:
    """A connection to a port of 127.0.0.1 of the node; used as `Inside` is."""

    def __init__(self, entrance: Entrance, tunnel: Tunnel, user: User) -> None:
        """Raises NotThere, OSError."""
        self._closing, self._feeding = threading.Lock(), threading.Lock()
        words = ["/bin/sh", "-c", _START_RELAY, RELAY, str(tunnel.port), tunnel.attempt]
        self._process = subprocess.Popen(
            [*entrance.argv, *words], bufsize=0, cwd="/", env=entrance.environ,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
            user=user.uid, group=user.gid, extra_groups=user.groups,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        try:
            greeted(self._process, self._out.fileno())
        except BaseException:
            self.close()
            raise

    def out(self) -> Iterator[bytes]:
        with suppress(ValueError):  # it is no relay of ours any more
            for kind, data in frames(self._chunks()):
                if kind in (DATA, END):
                    yield packed(kind, data)
        yield packed(END)

    def _chunks(self) -> Iterator[bytes]:
        try:
            while True:
                if not select.select([self._out], [], [], tunnels.QUIET_S)[0]:
                    yield packed(DATA)
                elif data := os.read(self._out.fileno(), PIECE):
                    yield data
                else:
                    return
        except (OSError, ValueError):  # we have closed it
            return

    def take(self, frame: Frame) -> None:
        kind, data = frame
        with self._feeding, suppress(OSError, ValueError):
            while kind == DATA and data:
                data = data[os.write(self._in.fileno(), data) :]
            if kind == END:
                self._in.close()

    def close(self) -> None:
        with self._closing:
            end(self._process)
            self._process.wait()
            with self._feeding:
                self._in.close()
            self._out.close()


def greeted(process: subprocess.Popen[bytes], stream: int) -> None:
    """Returns when it has said that it is ready. Raises NotThere."""
    heard = b""
    while not heard.startswith(READY):
        if not select.select([stream], [], [], PATIENCE_S)[0]:
            raise NotThere(f"the centre's scheduler has let nothing in for {PATIENCE_S:.0f} s")
        try:
            data = os.read(stream, 1 if not heard else PIECE)
        except OSError:  # a terminal whose last user is gone
            data = b""
        heard += data
        if not data:
            why = heard.removeprefix(SORRY).decode(errors="replace").strip()
            raise NotThere(why or "the centre's scheduler has let nothing in: the attempt may be ending")


def end(process: subprocess.Popen[bytes]) -> None:
    """First so that the engine ends it at the node, too."""
    for number, patience in ((signal.SIGTERM, ENDING_S), (signal.SIGKILL, None)):
        if process.poll() is None:
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience)
