"""Programs that the demo starts, and how all of them end with it: by their pid, whatever happens.

A job's own processes are children of an agent that may end before them. The demo therefore takes in the
orphans of its family (a Linux subreaper): what is left at the end is found among its children and ended."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_SET_CHILD_SUBREAPER = 36
PATIENCE_S = 20.0


class NotReady(Exception):
    """A program ended, or was silent for too long, before it said that it is ready."""


class Service:
    """A program in the background. What it says goes to a file; one line says that it is ready."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        ready: str,
        log: Path,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self._log = log
        self._pattern = re.compile(ready)
        self._changed = threading.Event()
        self._found: re.Match[str] | None = None
        # A session of its own: Ctrl-C reaches the demo, which then stops everything in order.
        self._process = subprocess.Popen(
            argv, env=env, cwd=cwd, text=True, errors="replace", start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ready(self, timeout: float = 30.0) -> re.Match[str]:
        """Waits for the line; raises NotReady."""
        self._changed.wait(timeout)
        if self._found is None:
            raise NotReady(f"{self.name} is not ready")
        return self._found

    def last_words(self, lines: int = 10) -> str:
        """The end of what it said."""
        return "\n".join(self._log.read_text(encoding="utf-8").splitlines()[-lines:])

    def stop(self) -> None:
        """TERM, and KILL if it does not end."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(PATIENCE_S)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as said, self._log.open("w", encoding="utf-8") as log:
            for line in said:
                log.write(line)
                log.flush()
                if self._found is None and (match := self._pattern.search(line)):
                    self._found = match
                    self._changed.set()
        self._changed.set()


def adopt_orphans() -> None:
    """From now on, descendants whose parent ends become children of this process."""
    ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_orphans() -> list[int]:
    """Ends every child that is left and those that their end brings, and says which pids they were."""
    ended = []
    while children := _children():
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in children:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
            ended.append(pid)
    return ended


def _children() -> list[int]:
    """Pids whose parent is this process; the parent's is the second field after the name in brackets."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it ended meanwhile
                stat = (entry / "stat").read_text(errors="replace")
                if int(stat.rpartition(")")[2].split()[1]) == os.getpid():
                    found.append(int(entry.name))
    return found
