"""The sample region: a platform, three organisations, two centres, all of them through the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from scripts.demo.processes import PATIENCE_S, Service, adopt_orphans, end_orphans
from scripts.demo.show import Screen

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Failed(Exception):
    """Something did not go as it must; the message says what."""


@dataclass
class Region:
    """Runs `baygrid` as one of its people: "operator", or the name of a project for its team."""

    screen: Screen
    folder: Path
    server: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    services: list[Service] = field(default_factory=list)

    def environment(self, who: str | None = None) -> dict[str, str]:
        """Of every program: nothing of the user's own configuration is read or written."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BAYGRID_")}
        path = f"{BIN}{os.pathsep}{kept.get('PATH', os.defpath)}"
        own = {"PATH": path, "HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder / "config")}
        access = {"BAYGRID_SERVER": self.server, "BAYGRID_TOKEN": self.tokens[who]} if who else {}
        return kept | own | access

    def start(self, name: str, arguments: Sequence[str], ready: str, **more: str) -> Service:
        """`baygrid ...` in the background. `more`: of its environment."""
        log = self.folder / f"{name}.log"
        environment = self.environment() | more
        service = Service(name, [str(BIN / "baygrid"), *arguments], environment, ready, log)
        self.services.append(service)
        return service

    def show(self, who: str | None, *arguments: str, cwd: Path | None = None) -> None:
        """Runs a command as if typed and shows what it says."""
        self.screen.command(["baygrid", *arguments])
        done = self.attempt(who, *arguments, cwd=cwd)
        self.screen.output(done.stdout)
        _check(done, arguments)

    def attempt(
        self, who: str | None, *arguments: str, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command that may be refused. All that it says is in `stdout`."""
        return subprocess.run(
            [str(BIN / "baygrid"), *arguments], env=self.environment(who), cwd=cwd, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip

    def run(self, who: str | None, *arguments: str, cwd: Path | None = None) -> str:
        """Runs a command unseen. What it says on stdout."""
        done = subprocess.run(
            [str(BIN / "baygrid"), *arguments], env=self.environment(who), cwd=cwd, text=True,
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip
        _check(done, arguments)
        return done.stdout

    def attach(self, who: str, *arguments: str, cwd: Path | None = None) -> None:
        """Runs a command on this very terminal, so that it can draw."""
        self.screen.command(["baygrid", *arguments])
        argv = [str(BIN / "baygrid"), *arguments]
        # Its notes come by stderr, in order with its output where both go to one place.
        done = subprocess.run(argv, env=self.environment(who), cwd=cwd, stdin=subprocess.DEVNULL, check=False)
        _check(done, arguments)

    def ask(self, who: str, path: str, body: Any = None, **query: str) -> Any:
        """Asks the API, unseen: POST with a body, else GET. The value of its answer, or a list's items."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        method = "GET" if body is None else "POST"
        answer = httpx2.request(
            method, self.server + path, headers=headers, params=query, json=body, timeout=PATIENCE_S
        )
        if answer.is_error:
            raise Failed(f"{method} {path} was answered with {answer.status_code}: {answer.text}")
        if not answer.headers["content-type"].startswith("application/json"):
            return answer.text
        value = answer.json()
        return value.get("items", value)

    def until(self, kind: str, centres: set[str]) -> None:
        """Reads the platform's event stream until it has told this of each of the centres."""
        left = set(centres)
        headers = {"Authorization": f"Bearer {self.tokens['operator']}", "Accept": "text/event-stream"}
        timeout = httpx2.Timeout(PATIENCE_S)
        with httpx2.stream("GET", f"{self.server}/v1/events", headers=headers, timeout=timeout) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    event = json.loads(line.removeprefix("data: "))
                    left -= {event["centre"]} if event["kind"] == kind else set()
                if not left:
                    return
        raise Failed(f"the platform never told {kind} of {', '.join(sorted(left))}")


def _check(done: subprocess.CompletedProcess[Any], arguments: Sequence[str]) -> None:
    if done.returncode != 0:
        raise Failed(f"`baygrid {' '.join(arguments)}` ended with exit code {done.returncode}")


@contextmanager
def region(screen: Screen, folder: Path) -> Iterator[Region]:
    """A region that ends with the block: agents first, then the platform, then what a job left behind."""
    adopt_orphans()
    made = Region(screen, folder)
    try:
        yield made
    except Exception:
        for service in made.services:
            screen.say(f"{service.name}:")
            screen.output(service.last_words())
        raise
    finally:
        # Only for seconds, and not to be cut short by an impatient second Ctrl-C.
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)
        try:
            for service in reversed(made.services):
                service.stop()
        finally:
            end_orphans()


def only(items: Sequence[Mapping[str, Any]], **wanted: str) -> Mapping[str, Any]:
    """The one item with these values."""
    found = [item for item in items if all(item[key] == value for key, value in wanted.items())]
    if len(found) != 1:
        raise Failed(f"{len(found)} items with {wanted}, not one")
    return found[0]


def expect(holds: bool, otherwise: str) -> None:
    """Raises Failed where the demo would tell what is not so."""
    if not holds:
        raise Failed(otherwise)
