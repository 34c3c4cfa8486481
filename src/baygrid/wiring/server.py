"""A whole server: store, scheduler, embedded centre and HTTP, from settings."""

from __future__ import annotations

import fcntl
import hmac
import os
import secrets
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

import structlog
import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

from baygrid.api.app import create_app
from baygrid.api.metrics import Metrics
from baygrid.app import shared_files, telling
from baygrid.app.access import secret_digest
from baygrid.app.catalogue import Catalogue
from baygrid.app.notices import seal_webhooks_anew
from baygrid.app.persons import seal_keys_anew
from baygrid.app.platform import Platform
from baygrid.app.scheduler import Scheduler
from baygrid.app.secrets import seal_anew
from baygrid.centres.keys import Key
from baygrid.core.reading import DocumentError
from baygrid.letter.shelf import Shelf
from baygrid.letter.smtp import EachAnew
from baygrid.oidc.client import Providers
from baygrid.oidc.settings import load as load_providers
from baygrid.portal import app as portal
from baygrid.ports.basics import Failpoint, Instant, no_failpoint
from baygrid.rulebooks.cross_border.lists import NONE, Lists, load_lists
from baygrid.staging.posting import WebCourier
from baygrid.store import open_store
from baygrid.store.objects import open_objects
from baygrid.store.uploads import FolderUploads
from baygrid.store.vault import AesVault, key_file, parse_keys
from baygrid.wiring.agents import EmbeddedAgent
from baygrid.wiring.drivers import DRIVERS
from baygrid.wiring.first_start import ensure_admin, first_start, is_admins
from baygrid.wiring.ids import RandomIds, wall_clock
from baygrid.wiring.logs import log_to_stderr
from baygrid.wiring.settings import ServerSettings
from baygrid.wiring.staging import rules_of
from baygrid.wiring.tables import reader_of
from baygrid.wiring.waking import Bell, StepThread

OPERATOR_TOKEN = "operator.token"
ADMIN_PASSWORD = "admin.password"
"""Files of the data folder: with what the first start lets somebody in."""
KEY_FILE = "secrets.key"
KEY_VARIABLE = "BAYGRID_SECRETS_KEY"
"""Keys that seal secrets, newest first; without it they are in the file of that name in the data folder."""
SIGNING_FILE = "signing.key"
SIGNING_VARIABLE = "BAYGRID_SIGNING_KEY"
"""The platform's signing key, in the same way; of several the first one signs."""
KEEP_ALIVE_S = 75
"""An agent's heartbeats find their connection open, and the agent is the one that closes it (`transport`)."""
SWITCH_S = 0.0005
"""How long one thread may keep the others waiting: a plan must not hold up a request."""


MAKERS = 3
"""So many shared tables one server makes files of at a time: each takes a process with memory of its own."""
TELLERS = 4
"""So many notices one server delivers at a time: one that waits for a slow address does not hold up all."""
TELLING_ENDS_S = 2.0
"""So long the end waits for those that are on their way; what is cut off then is sent again."""
SHARING_ENDS_S = 5.0
"""So long the end waits for files of shared tables that are being made. Another server makes them then."""


class AlreadyRunning(Exception):
    """Another server has this data folder; the message says what to do."""


@dataclass(slots=True)
class Server:
    """Built, not yet running."""

    settings: ServerSettings
    platform: Platform
    scheduler: Scheduler
    app: FastAPI
    _scheduling: StepThread
    _sharing: tuple[StepThread, ...]
    _telling: tuple[StepThread, ...]
    _agent: EmbeddedAgent | None
    _lock: IO[str]
    _closed: bool = False

    def start(self) -> None:
        """Threads run from here on; HTTP is `run`."""
        for thread in (self._scheduling, *self._sharing, *self._telling):
            thread.start()
        if self._agent is not None:
            self._agent.start()

    def run(self, ready: Callable[[str], None]) -> None:
        """Serves HTTP until SIGINT or SIGTERM. `ready` gets the address once requests are taken."""
        listener = socket.create_server((self.settings.host, self.settings.port), reuse_port=False)
        host, port = listener.getsockname()[:2]
        scheme = "http" if self.settings.tls is None else "https"
        certificate, key = self.settings.tls or (None, None)
        config = uvicorn.Config(
            self.app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
            timeout_keep_alive=KEEP_ALIVE_S,
            backlog=2048,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
        http = _Http(config, self.app, lambda: ready(f"{scheme}://{host}:{port}"))
        try:
            http.run(sockets=[listener])
        finally:
            self.close()

    def close(self) -> None:
        """Everything ends in order; jobs of the embedded centre go on running."""
        if self._closed:
            return
        self._closed = True
        if self._agent is not None:
            self._agent.stop()
        for thread in (*self._sharing, *self._telling):
            thread.stop(within_s=0)
        for thread in self._sharing:
            thread.stop(within_s=SHARING_ENDS_S / len(self._sharing))
        for thread in self._telling:
            thread.stop(within_s=TELLING_ENDS_S / TELLERS)
        self._scheduling.stop()
        self.scheduler.resign()
        self.platform.store.close()
        self._lock.close()


class _Http(uvicorn.Server):
    """Says when it is ready, and ends parked requests and streams before it waits for connections."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.server.hub.close()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """As uvicorn's, except that it raises the signal once more when it has ended: that would be the end
        of the process, before `Server.close`."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _check_tls(settings: ServerSettings) -> None:
    """Before anything is opened. Raises ValueError."""
    if settings.tls is not None:
        certificate, key = settings.tls
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise ValueError(
                f"--tls-cert {certificate} and --tls-key {key} are no certificate with its key: {error}"
            ) from None


def _lists(file: Path | None) -> Lists:
    """Raises ValueError."""
    if file is None:
        return NONE
    try:
        return load_lists(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, DocumentError) as error:
        raise ValueError(f"{file}: {error}") from None


def _providers(file: Path | None) -> Providers | None:
    """Raises ValueError."""
    if file is None:
        return None
    try:
        return Providers(load_providers(file.read_text(encoding="utf-8")), time.monotonic)
    except (OSError, UnicodeDecodeError, DocumentError) as error:
        raise ValueError(f"{file}: {error}") from None


def _letters(folder: Path | None) -> Shelf | None:
    """Raises ValueError."""
    if folder is None:
        return None
    shelf = Shelf(folder.absolute())
    shelf.list()
    return shelf


def build(settings: ServerSettings, failpoint: Failpoint = no_failpoint) -> Server:
    """Opens everything. Raises AlreadyRunning, or ValueError for settings that name nothing, such as a
    database that does not answer."""
    lists = _lists(settings.law_lists)
    _check_tls(settings)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = lock_data(settings.data)
    try:
        store = open_store(settings.database_url, failpoint=failpoint)
    except OperationalError as error:
        said = str(error.orig).strip().splitlines()[0]
        raise ValueError(f"the database does not answer: {said}; start it, or correct --database") from None
    secret_keys = _keys(KEY_VARIABLE, settings.data / KEY_FILE)
    platform = Platform(
        store,
        open_objects(settings.objects_url),
        FolderUploads(settings.data / "uploads"),
        wall_clock,
        RandomIds(),
        Catalogue(),
        tuple(DRIVERS),
        vault=AesVault(secret_keys),
        signer=Key(_keys(SIGNING_VARIABLE, settings.data / SIGNING_FILE)[0]),
        lists=lists,
        reader=reader_of(settings.data / "tables", settings.tables, settings.objects_url),
        courier=WebCourier(rules_of(settings.webhooks), time.monotonic),
        mailer=None if settings.mail is None else EachAnew(settings.mail.server),
        identity=_providers(settings.oidc),
        letters=_letters(settings.letters),
        mail_from="" if settings.mail is None else settings.mail.sender,
        link_keys=tuple(hmac.digest(key, b"baygrid addresses of files 1", "sha256") for key in secret_keys),
    )
    _, unreadable = seal_anew(platform)
    unreadable += seal_keys_anew(platform) + seal_webhooks_anew(platform)
    if unreadable:
        cure = f"give this server their key, by {KEY_VARIABLE} or in {KEY_FILE}, or set them again"
        structlog.get_logger("server").error(f"{unreadable} secrets cannot be read: {cure}")
    pending = settings.data / f"{OPERATOR_TOKEN}.new"
    first_start(
        platform,
        settings.embedded,
        settings.embedded_jurisdiction,
        lambda secret: _save_secret(pending, secret),
    )
    _settle_secret(pending, settings.data / OPERATOR_TOKEN, lambda secret: _is_token(platform, secret))
    pending = settings.data / f"{ADMIN_PASSWORD}.new"
    ensure_admin(platform, lambda password: _save_secret(pending, password))
    _settle_secret(pending, settings.data / ADMIN_PASSWORD, lambda password: is_admins(platform, password))
    # On SQLite there is one server at a time, so a new process may take up its predecessor's lease at once.
    scheduler = Scheduler(platform, "embedded" if settings.database is None else _holder(lock))
    metrics = Metrics()
    app = create_app(platform, role=lambda: _role(scheduler), metrics=metrics, rate=settings.rate)
    app.router.routes += portal.routes(platform)

    def step(now: Instant) -> Instant:
        with metrics.cycle.time():
            return scheduler.step(now)

    scheduling = StepThread("scheduler", step, Bell(store, "events"), wall_clock)
    agent = None
    if settings.embedded is not None:
        nodes, staging = settings.embedded_nodes, settings.embedded_staging
        state = settings.data / "centre"
        agent = EmbeddedAgent(
            platform, settings.embedded, state, nodes, staging, failpoint, app.state.server.tunnels
        )
    return Server(
        settings, platform, scheduler, app, scheduling, _sharing(platform), _telling(platform), agent, lock
    )


def _sharing(platform: Platform) -> tuple[StepThread, ...]:
    """What makes files of shared tables, several at a time; what says meanwhile that these makers are alive;
    and what sweeps."""
    if platform.reader is None:
        return ()
    server = secrets.token_hex(8)
    holders = [f"{server}-{n}" for n in range(MAKERS)]

    def thread(name: str, topic: str, step: Callable[[Instant], Instant]) -> StepThread:
        return StepThread(name, step, Bell(platform.store, topic), wall_clock)

    return (
        *(thread("sharing", "shares", lambda _, it=it: shared_files.make(platform, it)) for it in holders),  # type: ignore[misc]
        thread("sharing lease", "leases", lambda _: shared_files.keep(platform, holders)),
        thread("sharing sweep", "leases", lambda _: shared_files.tend(platform)),
    )


def _telling(platform: Platform) -> tuple[StepThread, ...]:
    """What delivers webhooks and mails."""
    return tuple(
        StepThread(
            f"telling {n}", lambda _: telling.step(platform), Bell(platform.store, "notices"), wall_clock
        )
        for n in range(TELLERS)
    )


def run(
    settings: ServerSettings,
    ready: Callable[[str, str | None], None],
    failpoint: Failpoint = no_failpoint,
) -> None:
    """As `baygrid.wiring.serve`. `failpoint` is called at every commit, send and receive."""
    log_to_stderr()
    sys.setswitchinterval(SWITCH_S)
    server = build(settings, failpoint)
    server.start()
    secret = settings.data / OPERATOR_TOKEN
    server.run(lambda address: ready(address, secret.read_text() if secret.exists() else None))


def _role(scheduler: Scheduler) -> str:
    return "follower" if scheduler.term is None else "leader"


def lock_data(data: Path) -> IO[str]:
    """Held until the process ends."""
    file = (data / "server.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise AlreadyRunning(
            f"another server is running on {data}: stop it, or give this one its own --data"
        ) from None
    return file


def _holder(lock: IO[str]) -> str:
    """The same name for whoever holds this lock, until the machine restarts: a server that is started again
    on its data folder takes up its predecessor's lease at once, since that one is certainly dead."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not Linux: then the lease is waited for
        boot = secrets.token_hex(16)
    file = os.fstat(lock.fileno())
    return f"{socket.gethostname()}-{boot}-{file.st_dev:x}-{file.st_ino:x}"


def _keys(variable: str, path: Path) -> list[bytes]:
    """Of the variable, else of the file, which the first call makes. Raises ValueError."""
    given = os.environ.get(variable)
    try:
        return parse_keys(given if given is not None else key_file(path))
    except ValueError as error:
        raise ValueError(f"{variable if given is not None else path}: {error}") from None


def _save_secret(path: Path, secret: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())


def _settle_secret(pending: Path, path: Path, is_known: Callable[[str], bool]) -> None:
    """What was saved while beginning counts if the database knows it: a crash, or another server that began
    at the same time, may have come between."""
    if not pending.exists():
        return
    if is_known(pending.read_text()):
        pending.replace(path)
    else:
        pending.unlink()


def _is_token(platform: Platform, secret: str) -> bool:
    return platform.store.read(lambda tx: tx.region.token(secret_digest(secret))) is not None
