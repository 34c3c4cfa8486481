"""Two servers on one PostgreSQL, and the one that leads dies, or is held up for longer than its lease."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from baygrid.app.scheduler import COMMIT_AT_ONCE, LEASE_MS
from tests.faults.checks import check_money, every
from tests.faults.processes import Impatient, Process, Processes, Strike, quiet_port
from tests.faults.region import FINAL, RATES, Client, Json, Refused

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
JOBS, CLIENTS = 300, 6


class Pair:
    """Two servers, each with its own data folder and a client for each of them that turns to the other."""

    def __init__(self, processes: Processes, folder: Path, database: str) -> None:
        self.processes, self.folder, self._database = processes, folder, database
        self.ports = [quiet_port(), quiet_port()]
        self.servers: list[Process | None] = [None, None]
        self.agents: list[Process] = []

    def start(self, which: int, strike: Strike | None = None) -> Process:
        settings = {
            "data": str(self.folder / f"server-{which}"),
            "port": self.ports[which],
            "database": self._database,
            "objects": str(self.folder / "objects"),
            "embedded": None,
        }
        server = self.processes.start("server", settings, self.folder / f"server-{which}.stderr", strike)
        self.servers[which] = server
        return server

    def until_up(self, *which: int) -> None:
        self.processes.wait(lambda: all(map(self._up, which)) or any(map(self._gone, which)), "the servers")
        assert not any(map(self._gone, which)), [str(server) for server in self.servers]

    def agent(self, centre: str, secret: str, which: int, node: str) -> Process:
        settings = {
            "centre": centre,
            "server": f"http://127.0.0.1:{self.ports[which]}",
            "token": secret,
            "state": str(self.folder / centre),
            "nodes": [node],
            "as_me": True,
        }
        agent = self.processes.start("agent", settings, self.folder / f"{centre}.stderr")
        self.agents.append(agent)
        return agent

    def client(self, token: str, first: int, *, only: bool = False) -> Client:
        """Of server `first`; of the other when that is away, unless `only`."""

        def serving() -> Process:
            wanted = [first] if only else [first, 1 - first]
            self.processes.wait(lambda: any(self._up(one) for one in wanted), "a server")
            for one in wanted:
                server = self.servers[one]
                if server is not None and server.up:
                    return server
            return serving()

        def broken(server: Process) -> None:
            self.processes.wait(lambda: server.exited is not None, f"the end of {server}")

        return Client(serving, broken, token)

    def await_commit(self, which: int) -> None:
        """The next one. A server that does not lead asks to lead again and again, with a commit each."""
        server = self.servers[which]
        assert server is not None
        seen = len(server.hits)
        self.processes.wait(lambda: len(server.hits) > seen, f"a commit of {server}")

    def operator(self) -> str:
        """The secret that the server saved which began first."""
        (found,) = self.folder.glob("server-*/operator.token")
        return found.read_text()

    def leader(self) -> int:
        roles = [self.client("", one, only=True).get("/healthz")["role"] for one in (0, 1)]
        assert sorted(roles) == ["follower", "leader"]
        return roles.index("leader")

    def close(self) -> None:
        for process in (*self.agents, *self.servers):
            if process is not None:
                self.processes.end(process)

    def _gone(self, which: int) -> bool:
        server = self.servers[which]
        return server is None or server.exited is not None

    def _up(self, which: int) -> bool:
        server = self.servers[which]
        return server is not None and server.up


@pytest.fixture
def pair(processes: Processes, tmp_path: Path, postgres_url: str) -> Iterator[Pair]:
    made = Pair(processes, tmp_path, postgres_url)
    yield made
    made.close()


@dataclass
class Listener:
    """Everything that one server's stream of the project tells, from the beginning, in a thread."""

    client: Client
    seen: list[Json] = field(default_factory=list)
    heard_at: list[float] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def start(self) -> Listener:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def until(self, happened: Callable[[list[Json]], bool], patience_s: float = 40.0) -> None:
        with self.changed:
            if not self.changed.wait_for(lambda: happened(self.seen), patience_s):
                raise Impatient(f"the stream came no further than {self.seen[-1:]}")

    def _listen(self) -> None:
        with suppress(Impatient):  # its servers are gone for good: the test has ended
            self._listen_on()

    def _listen_on(self) -> None:
        while True:  # the server may end it
            after = self.seen[-1]["cursor"] if self.seen else None
            for event in self.client.events("/v1/events?follow=true&project=default", after):
                with self.changed:
                    self.seen.append(event)
                    self.heard_at.append(time.monotonic())
                    self.changed.notify_all()


def centre(operator: Client, name: str) -> str:
    operator.post("/v1/centres", {"name": name, "jurisdiction": "CN-QH"})
    secret: str = operator.post("/v1/tokens", {"role": "centre", "centre": name})["token"]
    operator.post("/v1/offers", {"centre": name, "partition": "main", "currency": "CNY", **RATES})
    return secret


def inventories(operator: Client, count: int) -> None:
    """Returns when so many centres have said what they have."""
    seen = 0
    for event in operator.events("/v1/events?follow=true"):
        seen += event["kind"] == "inventory-changed"
        if seen == count:
            return


def small_job(name: str, counters: Path) -> Json:
    return {
        "name": name,
        "project": "default",
        "resources": {"cpus": 1, "memory": "1"},
        "time": "10s",
        "budget": {"max_cost": "300 CNY"},
        "run": f'echo "$BAYGRID_ATTEMPT" >>"{counters}/{name}"; sleep 0.01; echo done',
    }


def test_the_leader_is_killed_among_many_clients(pair: Pair, tmp_path: Path):
    pair.start(0)
    pair.start(1)  # both begin on the same empty database
    pair.until_up(0, 1)
    operator = pair.client(pair.operator(), 0)
    team = operator.post("/v1/tokens", {"role": "team", "project": "default"})["token"]
    operator.post("/v1/projects/default/grants", {"amount": "1000000 CNY"})
    for n, which in enumerate((0, 1, 0)):
        pair.agent(f"c{n}", centre(operator, f"c{n}"), which, f"n{n}:cpus=8,memory=8")
    inventories(operator, 3)
    counters = tmp_path / "counters"
    counters.mkdir()
    listeners = [Listener(pair.client(team, which, only=True)).start() for which in (0, 1)]
    half = threading.Barrier(CLIENTS + 1)

    def work(n: int) -> None:
        client = pair.client(team, n % 2)
        for number in range(JOBS // CLIENTS):
            if number == JOBS // CLIENTS // 3:
                half.wait(60)
            name = f"j{n}-{number}"
            job = client.post("/v1/jobs", small_job(name, counters), key=name)
            if number % 8 == 0:
                try:
                    client.send("POST", f"/v1/jobs/{job['id']}/cancel")
                except Refused as refused:
                    assert "409" in str(refused)  # noqa: PT017 - it has ended already, which is fine

    with ThreadPoolExecutor(CLIENTS) as pool:
        working = [pool.submit(work, n) for n in range(CLIENTS)]
        half.wait(60)
        leader = pair.leader()
        killed = pair.servers[leader]
        assert killed is not None
        pair.processes.send(killed, signal.SIGKILL)
        died, died_wall = time.monotonic(), time.time()
        survivor = listeners[1 - leader]
        placed = [0]

        def again(seen: list[Json]) -> bool:
            """Somebody has placed a job since."""
            placed[0] = next(
                (
                    n
                    for n, event in enumerate(seen)
                    if event["kind"] == "job-placed" and _after(event, died_wall)
                ),
                0,
            )
            return placed[0] > 0

        survivor.until(again)
        took = survivor.heard_at[placed[0]] - died
        pair.processes.wait(lambda: killed.exited is not None, "its end")
        pair.start(leader)  # its agents and its listener find it again
        for each in working:
            each.result(60)
    sys.stdout.write(f"the other server placed its first job {took:.2f} s after the leader was killed\n")
    assert took < LEASE_MS / 1000 + 3
    survivor.until(lambda seen: sum(event["kind"] in FINAL for event in seen) >= JOBS)
    check_all(pair, team, operator, counters, listeners)


def _after(event: Json, wall: float) -> bool:
    from datetime import datetime

    return datetime.fromisoformat(event["at"]).timestamp() > wall + 0.05


def check_all(pair: Pair, team: str, operator: Client, counters: Path, listeners: list[Listener]) -> None:
    client = pair.client(team, 0)
    lines = every(client, "/v1/jobs?project=default")
    assert len(lines) == len({line["name"] for line in lines}) == JOBS
    jobs = [client.get(f"/v1/jobs/{line['id']}") for line in lines]
    for job in jobs:
        counter = counters / job["name"]
        runs = counter.read_text().split() if counter.exists() else []
        assert job["state"] in ("SUCCEEDED", "CANCELLED"), job
        assert len(job["attempts"]) <= 1
        if job["state"] == "SUCCEEDED":
            assert runs == [job["attempts"][0]["id"]]
        else:
            assert len(runs) <= 1
    check_money(client, operator, jobs)
    table = every_event(client)
    ends = [event["job"] for event in table if event["kind"] in FINAL]
    assert sorted(ends) == sorted(job["id"] for job in jobs), "a job ended twice, or never"
    for listener in listeners:
        listener.until(lambda seen: bool(seen) and seen[-1]["cursor"] == table[-1]["cursor"])
        assert listener.seen == table, "a stream skipped, doubled or reordered"


def every_event(client: Client) -> list[Json]:
    found: list[Json] = []
    while True:
        after = f"&after={found[-1]['cursor']}" if found else ""
        page = client.get(f"/v1/events?project=default&limit=500{after}")["items"]
        found += page
        if len(page) < 500:
            return found


QUEUED = COMMIT_AT_ONCE + 50
"""So many that a plan for all of them is committed in two parts."""


@dataclass(frozen=True)
class HeldUp:
    """Server 0 led, and was stopped at the first commit after QUEUED jobs had come. Their centre's agent is
    away, so that what is placed stays so."""

    server: Process
    operator: Client
    listener: Listener


def hold_up(pair: Pair, folder: Path, where: str) -> HeldUp:
    armed = folder / "armed"
    server = pair.start(0, Strike(where, 1, "SIGSTOP", str(armed)))
    pair.until_up(0)
    first = pair.client(pair.operator(), 0)
    team = first.post("/v1/tokens", {"role": "team", "project": "default"})["token"]
    first.post("/v1/projects/default/grants", {"amount": "1000000 CNY"})
    size = f"cpus={QUEUED + 1},memory={QUEUED + 1}"
    agent = pair.agent("paper", centre(first, "paper"), 0, f"n:{size}")
    inventories(first, 1)
    pair.processes.end(agent)
    job = pair.client(team, 0).post("/v1/jobs", small_job("first", folder))["id"]
    for event in pair.client(team, 0).events(f"/v1/jobs/{job}/events"):
        if event["kind"] == "job-placed":
            break
    pair.start(1)
    pair.until_up(1)
    assert pair.leader() == 0
    other = pair.client(team, 1, only=True)
    listener = Listener(other).start()
    armed.touch()
    other.post("/v1/jobs", {"jobs": [small_job(f"j{n}", folder) for n in range(QUEUED)]}, key="the batch")
    pair.processes.wait(lambda: server.struck, "the leader's stop")
    return HeldUp(server, pair.client(pair.operator(), 1, only=True), listener)


def go_on(pair: Pair, held: HeldUp) -> None:
    """Until it has seen that it does not lead any more: then it asks to lead again."""
    hits = len(held.server.hits)
    pair.processes.send(held.server, signal.SIGCONT)
    pair.processes.wait(
        lambda: any(hit[0] == "store.commit.before" for hit, _ in held.server.hits[hits:]), "its campaign"
    )


def test_a_leader_held_up_between_two_commits_of_a_plan_gives_up_the_rest(
    pair: Pair, tmp_path: Path, postgres_url: str
):
    """The other leads meanwhile and leaves the jobs where they are, since their centre is drained: nothing
    but the term keeps the old leader from placing them there."""
    held = hold_up(pair, tmp_path, "store.commit.after")
    held.operator.post("/v1/centres/paper/drain", {})
    while held.operator.get("/healthz")["role"] != "leader":
        pair.await_commit(1)
    before = placements(postgres_url)
    assert len(before) <= COMMIT_AT_ONCE + 1
    go_on(pair, held)
    assert placements(postgres_url) == before
    assert pair.leader() == 1
    held.operator.post("/v1/centres/paper/open", {})
    held.listener.until(lambda seen: _count(seen, "job-placed") == QUEUED + 1)
    assert len(check_placements(postgres_url)) == 2


def test_while_a_leader_is_held_up_in_a_commit_nobody_else_leads(
    pair: Pair, tmp_path: Path, postgres_url: str
):
    """It holds the leader's row, so that nothing can come between its term and what it commits. Who leads
    afterwards is open: its lease may have run out, or be renewed by this very commit."""
    held = hold_up(pair, tmp_path, "store.commit.before")
    with pytest.raises(Impatient):  # for longer than the lease nothing happens
        held.listener.until(lambda seen: _count(seen, "job-placed") > 1, LEASE_MS / 1000 + 1)
    pair.processes.send(held.server, signal.SIGCONT)
    held.listener.until(lambda seen: _count(seen, "job-placed") == QUEUED + 1)
    check_placements(postgres_url)


def placements(database: str) -> list[tuple[int, str]]:
    """(term, job) in the order of the stream."""
    with psycopg.connect(database.replace("+psycopg", "")) as connection:
        query = "SELECT term, job FROM events WHERE kind = 'job-placed' ORDER BY xid, id"
        return connection.execute(query).fetchall()


def check_placements(database: str) -> set[int]:
    """Each job was placed once, and never by an older term after a newer one. Returns the terms."""
    rows = placements(database)
    terms = [term for term, _ in rows]
    assert terms == sorted(terms)
    assert len({job for _, job in rows}) == len(rows) == QUEUED + 1
    with psycopg.connect(database.replace("+psycopg", "")) as connection:
        attempts = connection.execute("SELECT count(*), count(DISTINCT job) FROM attempts").fetchone()
    assert attempts == (QUEUED + 1, QUEUED + 1)
    return set(terms)


def _count(seen: list[Json], kind: str) -> int:
    return sum(event["kind"] == kind for event in seen)
