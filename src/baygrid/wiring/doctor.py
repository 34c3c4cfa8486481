"""What is wrong with an agent, asked in the order in which one thing needs the other; nothing is changed."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import shutil
import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx2

from baygrid.app.plausible import CLOCK_MS
from baygrid.centres import kubernetes
from baygrid.centres.credential import Credential
from baygrid.centres.folder.environment import NotRunnable
from baygrid.centres.folder.users import ids_of
from baygrid.ports.messages import VERSION
from baygrid.wiring.agents import given_of
from baygrid.wiring.drivers import DRIVERS, Driver, parse_options
from baygrid.wiring.ids import wall_clock
from baygrid.wiring.settings import AgentSettings

PATIENCE_S: Final = 10.0
ROOM_BYTES: Final = 1 << 30
_RIGHTS: Final = (
    ("batch", "jobs", "create"),
    ("batch", "jobs", "list"),
    ("batch", "jobs", "delete"),
    ("", "pods", "list"),
    ("", "nodes", "list"),
    ("", "namespaces", "create"),
)


@dataclass(frozen=True, slots=True)
class Check:
    """`cure` where it is not `ok`."""

    name: str
    ok: bool
    said: str
    cure: str = ""


def examine(settings: AgentSettings) -> Iterator[Check]:
    """One check after the other. What cannot be asked since an earlier one failed is left out."""
    yield _state(settings.state)
    yield _room("disk", settings.state)
    credential = _credential(settings.state)
    yield credential
    server = list(_server(settings.server))
    yield from server
    if all(check.ok for check in server):
        yield from _answers(settings)
    yield from _accounts(settings)
    yield from _driver(settings)


def _state(state: Path) -> Check:
    if not state.is_dir():
        return Check("state", False, f"{state} is not there", "join first, or name it with --state")
    if not os.access(state, os.W_OK | os.X_OK):
        cure = "run this as the agent's user, or give that user the folder"
        return Check("state", False, f"{state} cannot be written", cure)
    holder = _holder(state / "lock")
    if holder is not None:
        return Check("state", True, f"{state}; an agent works on it{f' (pid {holder})' if holder else ''}")
    return Check("state", True, f"{state}; no agent works on it just now")


def _holder(lock: Path) -> int | None:
    """The process that holds it, 0 where that is not known; None: nobody does."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        inode = f":{os.fstat(descriptor).st_ino} "
        lines = Path("/proc/locks").read_text().splitlines()
        return next((int(line.split()[4]) for line in lines if inode in line and "FLOCK" in line), 0)
    else:
        return None
    finally:
        os.close(descriptor)


def _room(name: str, folder: Path) -> Check:
    there = next((path for path in (folder, *folder.absolute().parents) if path.exists()), Path("/"))
    left = shutil.disk_usage(there).free
    said = f"{left / (1 << 30):.1f} GiB are free at {there}"
    return Check(name, left >= ROOM_BYTES, said, "" if left >= ROOM_BYTES else "make room: inputs come here")


def _credential(state: Path) -> Check:
    cure = "join with a token of the region's operator: `baygrid centres invite NAME`"
    try:
        secret = Credential(state).read()
        open_to_others = secret is not None and bool((state / "credential").stat().st_mode & 0o077)
    except OSError as error:
        return Check("credential", False, f"it cannot be read: {error}", "run this as the agent's user")
    if secret is None:
        return Check("credential", False, f"there is none in {state}", cure)
    if open_to_others:
        return Check("credential", False, "others may read it", f"chmod 600 {state / 'credential'}")
    return Check("credential", True, "it is there, and only its owner reads it")


def _server(url: str) -> Iterator[Check]:
    """Name, connection, encryption: each needs the one before."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        yield Check(
            "name", False, f"{host!r} is not found: {error}", "correct --server, or this machine's DNS"
        )
        return
    yield Check("name", True, f"{host} is {found[0][4][0]}")
    try:
        connection = socket.create_connection((host, port), PATIENCE_S)
    except OSError as error:
        cure = "start the server, or let this machine connect out to it (a firewall, a proxy)"
        yield Check("connection", False, f"{host}:{port}: {error}", cure)
        return
    yield Check("connection", True, f"{host}:{port} answers")
    with connection:
        if parts.scheme == "https":
            yield _encryption(connection, host)
        elif not _is_near(str(found[0][4][0])):
            cure = "use https: what is sent can be read on the way, the credential too"
            yield Check("encryption", False, f"none to {host}", cure)


def _encryption(connection: socket.socket, host: str) -> Check:
    try:
        with ssl.create_default_context().wrap_socket(connection, server_hostname=host) as secured:
            return Check("encryption", True, f"{secured.version()}, the certificate is {host}'s")
    except OSError as error:
        return Check(
            "encryption", False, str(error), "give the server a certificate that this machine trusts"
        )


def _is_near(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    return found.is_loopback or found.is_private


def _answers(settings: AgentSettings) -> Iterator[Check]:
    """What the server says of itself, of our clock and of our credential."""
    secret = Credential(settings.state).read() or ""
    try:
        with httpx2.Client(base_url=settings.server, timeout=PATIENCE_S) as client:
            health = client.get("/healthz")
            before = wall_clock()
            me = client.get("/v1/me", headers={"Authorization": f"Bearer {secret}"})
            now = (before + wall_clock()) // 2
    except httpx2.HTTPError as error:
        yield Check("server", False, f"no answer: {error}", "look whether a Baygrid server listens there")
        return
    try:
        version = str(health.json()["version"])
    except (ValueError, KeyError, TypeError):
        cure = "correct --server: something else answers there, a proxy perhaps"
        yield Check("server", False, f"{settings.server} is no Baygrid server ({health.status_code})", cure)
        return
    yield Check(
        "server", True, f"Baygrid {version} by {health.http_version}; this agent speaks protocol {VERSION}"
    )
    yield _clock(me.headers.get("date", ""), now)
    if not secret:
        return
    if me.status_code != 200:
        detail = str(me.json().get("detail", "")) if "json" in me.headers.get("content-type", "") else ""
        cure = "join anew with a token of the region's operator: `baygrid centres invite NAME`"
        yield Check("accepted", False, detail or f"the server answers {me.status_code}", cure)
        return
    centre = me.json().get("centre")
    right = not settings.centre or centre == settings.centre
    cure = "" if right else f"use the state folder of {settings.centre}, or --centre {centre}"
    yield Check("accepted", right, f"the server knows it as the agent of {centre}", cure)


def _clock(date: str, now: int) -> Check:
    try:
        theirs = int(parsedate_to_datetime(date).timestamp() * 1000) + 500  # it tells whole seconds
    except (TypeError, ValueError):
        return Check("clock", True, "the server does not say its time")
    off = (now - theirs) / 1000
    ok = abs(off) * 1000 < CLOCK_MS / 2
    said = f"{abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} the server's"
    return Check("clock", ok, said, "" if ok else "let NTP set it: what is used in the future is not paid")


def _accounts(settings: AgentSettings) -> Iterator[Check]:
    try:
        accounts = given_of(settings).accounts
    except ValueError as wrong:
        yield Check("accounts", False, str(wrong), "correct --account-map")
        return
    for user in accounts.all:
        try:
            uid, _ = ids_of(user)
        except NotRunnable as unknown:
            yield Check("accounts", False, str(unknown), "make the user, or map its projects to another one")
        else:
            yield Check("accounts", True, f"{user} is user {uid} here")


def _driver(settings: AgentSettings) -> Iterator[Check]:
    """Made anew in a folder of its own, so that an agent that works is not disturbed."""
    if settings.driver not in DRIVERS:
        cure = f"use one of {', '.join(DRIVERS)}"
        yield Check("driver", False, f"there is no driver {settings.driver or 'said'!r}", cure)
        return
    options = dict(parse_options(settings.options))
    shared = Path(options["root"]) if "root" in options else None
    if shared is not None:
        yield _room("shared folder", shared)
    if not settings.state.is_dir():
        return
    try:
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=shared or settings.state) as folder:
            Path(folder).chmod(0o711)
            if shared is not None:
                options["root"] = folder
            texts = tuple(f"{name}={value}" for name, value in options.items())
            given = given_of(replace(settings, options=texts))
            driver = DRIVERS[settings.driver](replace(given, state=Path(folder)))
            try:
                yield from _engine(settings, options, driver)
            finally:
                driver.close()
    except (ValueError, OSError) as wrong:
        yield Check("driver", False, f"{settings.driver}: {wrong}", _cure_of(settings.driver))


def _cure_of(driver: str) -> str:
    return {
        "slurm": "look at `sinfo` and `munge -n` as the agent's user; start slurmctld, munged",
        "ray": "start the cluster, and give its Jobs API as -o address=http://127.0.0.1:8265",
        "kubernetes": "look at `kubectl get nodes` with the agent's kubeconfig",
    }.get(driver, "start the agent with what is asked for")


def _engine(settings: AgentSettings, options: dict[str, str], driver: Driver) -> Iterator[Check]:
    name = settings.driver
    nodes = sum(len(partition.nodes) for partition in driver.inventory())
    yield Check("driver", True, f"{name} {driver.version}".strip())
    cure = "" if nodes else "look whether the nodes are up, and not drained or reserved"
    yield Check("nodes", nodes > 0, f"{nodes} in {len(driver.inventory())} partitions", cure)
    if name == "slurm":
        kept = "outside-usage" in driver.capabilities()
        cure = "" if kept else "set AccountingStorageType=accounting_storage/slurmdbd, and start slurmdbd"
        yield Check("accounting", kept, "slurmdbd keeps it" if kept else "Slurm keeps no accounting", cure)
    elif name == "ray":
        yield _exposed(options.get("address", ""))
    elif name == "kubernetes":
        yield from _rights(options)


def _exposed(address: str) -> Check:
    """Who reaches Ray's dashboard runs what they like: it asks for no name."""
    port = urlsplit(address).port or 8265
    own = [found for found in _own_addresses() if not ipaddress.ip_address(found).is_loopback]
    for found in own:
        with suppress(OSError), socket.create_connection((found, port), 1.0):
            cure = "start Ray with --dashboard-host=127.0.0.1, and close the port to others"
            return Check("dashboard", False, f"{found}:{port} answers to other machines", cure)
    return Check("dashboard", True, "other machines do not reach it at this one's addresses")


def _own_addresses() -> list[str]:
    with suppress(OSError):
        found = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
        return sorted({str(one[4][0]).partition("%")[0] for one in found})
    return []


def _rights(options: dict[str, str]) -> Iterator[Check]:
    if "kubeconfig" in options:
        access = kubernetes.read_kubeconfig(Path(options["kubeconfig"]), options.get("context"))
    else:
        access = kubernetes.in_cluster(os.environ)
    client = kubernetes.Client(access)
    try:
        for group, resource, verb in _RIGHTS:
            asked = {"group": group, "resource": resource, "verb": verb}
            body = {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": asked},
            }
            answer = client.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
            allowed = bool(answer.get("status", {}).get("allowed"))
            cure = "" if allowed else "give the agent the role of examples/kubernetes-agent.yaml"
            yield Check("rights", allowed, f"{verb} {resource}", cure)
    finally:
        client.close()
