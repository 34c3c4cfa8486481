"""A centre that is this machine: `ports.centre.Centre` with processes.

One thread, no waiting. Each attempt is a directory and a supervisor (`supervise.sh`) that leads a
session. What happened is read from the directory and from the kernel, so an agent that restarts finds
everything again; the end of a supervisor arrives at `fileno()`, which a loop can wait for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import orjson

from baygrid import __version__
from baygrid.centres.folder import secrets, staging
from baygrid.centres.folder.environment import NotRunnable, require_image
from baygrid.centres.folder.root import Root
from baygrid.centres.folder.sweep import Sweeper
from baygrid.centres.local import processes
from baygrid.centres.local.attempt import Attempt, Facts, Stage
from baygrid.centres.local.beside import Beside
from baygrid.centres.local.contained import spawn_inside
from baygrid.centres.local.lifecycle import Lifecycle
from baygrid.centres.local.nodes import this_machine
from baygrid.centres.local.podman import Podman
from baygrid.centres.local.ports import Connection
from baygrid.centres.local.share import NoRoom, Shares
from baygrid.centres.local.spawn import SUPERVISOR, environment, spawn
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Fetch, Observation
from baygrid.ports.messages import Order, PartitionReport, Stop
from baygrid.ports.tunnels import Tunnel

CAPABILITIES = frozenset({"gang", "out-of-memory", "accelerators", "parts", "checkpoint", "secrets", "exec"})


class LocalCentre:
    """`root` holds one directory per attempt and must be this driver's alone. `path` is what jobs get as
    PATH. `account_of`: the user that an order's job runs as, which only root can do; raises NotRunnable where
    its project has none. Left out: all run as the caller's own. `podman`: by whom jobs run inside images."""

    def __init__(
        self,
        root: Path,
        partitions: tuple[PartitionReport, ...] | None = None,
        *,
        name: str = "local",
        path: str | None = None,
        account_of: Callable[[Order], str] | None = None,
        podman: Podman | None = None,
        sample_ms: int = 1_000,
    ) -> None:
        self._root = Root(root, shared=account_of is not None)
        self._account_of, self._supervisor, self._podman = account_of, SUPERVISOR, podman
        if account_of is not None:  # who may not read our installation can read this one
            copied = self._root.path / ".supervise.sh"
            copied.write_bytes(Path(SUPERVISOR).read_bytes())
            copied.chmod(0o644)
            self._supervisor = str(copied)
        self._partitions = this_machine() if partitions is None else partitions
        self._name = name
        self._path = path if path is not None else os.environ.get("PATH", os.defpath)
        self._boot = processes.boot_id()
        self._shares = Shares(self._partitions)
        self._sweeper = Sweeper(self._root.path / ".trash")
        self._lifecycle = Lifecycle(
            self._shares, self._boot, podman, accounts=account_of is not None, sample_ms=sample_ms
        )
        self._find_again()

    @property
    def epoch(self) -> str:
        """For how long claims are sure to last: a power cut may lose the youngest."""
        return self._boot

    @property
    def version(self) -> str:
        """Of Baygrid: there is nothing else between it and the processes."""
        return __version__

    def fileno(self) -> int:
        """Readable when a supervisor ended: wait for it and tick."""
        return self._lifecycle.fileno()

    def capabilities(self) -> frozenset[str]:
        accounts = {"accounts"} if self._account_of is not None else set()
        return CAPABILITIES | accounts | ({"image"} if self._podman is not None else set())

    def inventory(self) -> tuple[PartitionReport, ...]:
        return self._partitions

    def prepare(self, order: Order, fetch: Fetch) -> None:
        """Touches nothing but the attempt's own directory, so a thread of its own may do it."""
        staging.prepare(self._root.files(order.token), order, fetch)
        if order.image and self._podman is not None:
            self._podman.bring(order.image)

    def entrust(self, order: Order, values: Mapping[str, str]) -> None:
        """As `prepare`, a thread of its own may do it."""
        secrets.keep(self._root.files(order.token), order.secrets, values)

    def enter(self, tunnel: Tunnel) -> Beside | Connection:
        """From any thread: it asks the attempt's folder and the kernel. Raises NotThere, OSError."""
        files = self._root.files(tunnel.token)
        return Connection(files, tunnel.port) if tunnel.port else Beside(files, tunnel)

    def start(self, order: Order, now: Instant) -> None:
        key = self._root.key(order.token)
        if key in self._lifecycle.attempts:
            return
        files = self._root.files(order.token)
        attempt = Attempt(key, files, Facts.of(order))
        if files.has("claim"):
            self._lifecycle.settle(attempt, now)
            return
        if not files.has("work"):
            staging.prepare(files, order, staging.nothing_to_fetch)
        try:
            require_image(order, self.capabilities())
            account = self._account_of(order) if self._account_of is not None else ""
            share = self._shares.choose(order)
            environ = environment(files, order, share, self._name, self._path)
            given = {"order": attempt.facts.to_json(), "share": share.to_json()}
            claim = orjson.dumps(given).decode()
            if order.image and self._podman is not None:
                attempt.pid = spawn_inside(self._podman, files, order, share, environ, claim, account)
            else:
                attempt.pid = spawn(files, order, share, environ, claim, self._supervisor, account)
        except (NoRoom, NotRunnable) as refusal:
            self._lifecycle.forbid(attempt, "refused", str(refusal), now)
            return
        self._lifecycle.begin(attempt, share, now)

    def stop(self, stop: Stop, now: Instant) -> None:
        attempt = self._lifecycle.attempts.get(self._root.key(stop.token))
        if attempt is None:
            attempt = Attempt(self._root.key(stop.token), self._root.files(stop.token))
        self._lifecycle.stop(attempt, stop, now)

    def observe(self, orders: Sequence[Order], now: Instant) -> dict[str, Observation]:
        self._lifecycle.look(now)
        attempts = self._lifecycle.attempts
        found = {}
        for order in orders:
            known = attempts.get(self._root.key(order.token))
            if known is not None:
                found[order.token] = known.seen
        return found

    def read_log(self, order: Order, offset: int, limit: int) -> bytes:
        return secrets.read_log(self._root.files(order.token), offset, limit)

    def wake_at(self, now: Instant) -> Instant | None:
        return self._lifecycle.wake_at(now)

    def forget(self, order: Order) -> None:
        """Only what has ended; a running attempt is kept."""
        key = self._root.key(order.token)
        attempt = self._lifecycle.attempts.get(key)
        if attempt is not None and attempt.stage is not Stage.DONE:
            return
        self._lifecycle.attempts.pop(key, None)
        self._root.forget(order.token)
        secrets.forget(self._root.files(order.token))
        self._sweeper.throw(self._root.at(key).dir)

    @property
    def untidy(self) -> bool:
        """Whether files of forgotten attempts wait to be removed."""
        return self._sweeper.busy

    def tidy(self) -> None:
        """Removes some of them. Meant for a thread of the loop: it takes as long as some starts, and touches
        nothing that any other call does."""
        self._sweeper.step()

    def close(self) -> None:
        """Lets go; jobs go on running."""
        self._lifecycle.close()
        if self._podman is not None:
            self._podman.close()

    def _find_again(self) -> None:
        """All that was claimed under this root, whoever started it."""
        with os.scandir(self._root.path) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".")]
        for name in names:
            files = self._root.at(name)
            if files.has("claim"):
                self._lifecycle.settle(Attempt(name, files), files.last_sign())
