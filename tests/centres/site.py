"""A centre under test, and what tests do with one."""

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Protocol

from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Centre, Observation
from baygrid.ports.messages import CAPABILITIES, Order, Stop

PARTITION = "main"
NODES = ("n1", "n2")  # each with 8 cpus, 8 GiB and 8 H100
SALT = ""  # set for one test: an engine that many tests share remembers the names of earlier ones


def needs(capability: str) -> Callable[[Callable], Callable]:
    """Of a test: only for centres that can do this. "managed": those whose nodes an order names; "queue": the
    others. "no image": those that cannot run one; "few": of which 200 begin only in the campaign."""
    assert capability in CAPABILITIES | {"managed", "queue", "no image", "few"}

    def mark(test: Callable) -> Callable:
        test.__dict__.setdefault("needs", set()).add(capability)
        return test

    return mark


class Site(Protocol):
    """A centre under test."""

    @property
    def centre(self) -> Centre: ...

    @property
    def managed(self) -> bool:
        """Whether orders name the nodes: else the centre's own scheduler chooses `count` of them."""
        ...

    def now(self) -> Instant: ...

    def wait(self) -> None:
        """Returns when the centre may have something new to say; fails the test after a long time."""
        ...

    def patience(self, seconds: float) -> None:
        """How long from now `wait` goes on before it fails the test."""
        ...

    def restart(self) -> None:
        """Puts a new driver in `centre`, as after the death of the agent's process."""
        ...


def order(run: str = ":", number: object = 1, **change: Any) -> Order:
    nodes = change.get("nodes", NODES[:1])
    return replace(
        Order(
            attempt=f"att-{number}",
            token=f"secret-of-{number}{SALT}",
            job=f"job-{number}",
            project="demo",
            state=AttemptState.PLACED,
            partition=PARTITION,
            nodes=nodes,
            cpus=1,
            memory_mib=512,
            accelerator=None,
            accelerators=0,
            time_s=60,
            grace_s=5,
            setup="",
            run=run,
            envs={},
            workdir=None,
            inputs={},
            outputs=(),
        ),
        **change,
    )


def stop_of(order: Order, grace_s: int = 5) -> Stop:
    return Stop(order.attempt, order.token, "the user asked for it", grace_s)


def tar_of(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def no_fetch(digest: str) -> Iterator[bytes]:
    raise AssertionError(f"{digest} was not to be fetched")


def fetch_from(*blobs: bytes) -> Callable[[str], Iterator[bytes]]:
    known = {sha256(blob): blob for blob in blobs}
    return lambda digest: iter([known[digest][:100], known[digest][100:]])


def start(site: Site, *orders: Order, fetch: Any = no_fetch) -> None:
    for one in orders:
        site.centre.prepare(one, fetch)
        site.centre.start(one if site.managed else replace(one, nodes=()), site.now())


def look(site: Site, one: Order) -> Observation | None:
    return site.centre.observe([one], site.now()).get(one.token)


def until(site: Site, one: Order, *states: AttemptState) -> Observation:
    """Waits for one of `states`, or for a final one."""
    while True:
        seen = look(site, one)
        if seen is not None and (seen.state in states or (not states and seen.state.final)):
            return seen
        assert seen is None or not seen.state.final, seen
        site.wait()


def until_log(site: Site, one: Order, text: bytes) -> None:
    while text not in site.centre.read_log(one, 0, 1 << 20):
        seen = look(site, one)
        assert seen is None or not seen.state.final, (seen, site.centre.read_log(one, 0, 1000))
        site.wait()


def whole_log(site: Site, one: Order, limit: int = 1 << 20) -> bytes:
    log = b""
    while part := site.centre.read_log(one, len(log), limit):
        log += part
    return log


RUNNING = AttemptState.RUNNING
FILE_CLOCK_MS = 10  # a file's times may be a tick of the kernel behind the clock


def until_claimed(site: Site, one: Order) -> None:
    """Until the centre knows that it began, or that it has ended already."""
    until(site, one, RUNNING, *(state for state in AttemptState if state.final))
