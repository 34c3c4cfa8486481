"""Two servers on one PostgreSQL, and the one that leads dies, or is held up for longer than its lease."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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
        while True:  # the server may end it
            after = self.seen[-1]["cursor"] if self.seen else None
            for event in self.client.events("/v1/events?follow=true&project=default", after):
                with self.changed:
                    self.seen.append(event)
                    self.heard_at.append(time.monotonic())
                    self.changed.notify_all()


def centre(operator: Client, name: str) -> str:
    secret: str = operator.post("/v1/centres", {"name": name, "jurisdiction": "CN-QH"})["token"]
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


@pytest.mark.parametrize("where", ["store.commit.after", "store.commit.before"])
def test_a_leader_that_was_held_up_commits_nothing_that_is_not_its_own(
    pair: Pair, tmp_path: Path, postgres_url: str, where: str
):
    """Stopped between two commits of one plan, it finds another leader and must give up the rest. Stopped in
    a commit, it still holds the leader's row: the other leads when that is done, and not before."""
    armed = tmp_path / "armed"
    old = pair.start(0, Strike(where, 1, "SIGSTOP", str(armed)))
    pair.until_up(0)
    operator = pair.client(pair.operator(), 0)
    team = operator.post("/v1/tokens", {"role": "team", "project": "default"})["token"]
    operator.post("/v1/projects/default/grants", {"amount": "1000000 CNY"})
    count = COMMIT_AT_ONCE + 50
    agent = pair.agent("paper", centre(operator, "paper"), 0, f"n:cpus={count + 1},memory={count + 1}")
    inventories(operator, 1)
    pair.processes.end(agent)  # what is placed stays so
    first = pair.client(team, 0).post("/v1/jobs", small_job("first", tmp_path))["id"]
    _placed(pair.client(team, 0), first)
    pair.start(1)
    pair.until_up(1)
    assert pair.leader() == 0
    other = pair.client(team, 1, only=True)
    listener = Listener(other).start()
    batch = {"jobs": [small_job(f"j{n}", tmp_path) for n in range(count)]}
    armed.touch()
    other.post("/v1/jobs", batch, key="the batch")
    pair.processes.wait(lambda: old.struck, "the leader's stop")
    began = time.monotonic()
    if where.endswith("after"):
        listener.until(lambda seen: _count(seen, "job-placed") == count + 1)
        sys.stdout.write(
            f"the other server placed the rest {time.monotonic() - began:.2f} s after the stop\n"
        )
    else:
        with pytest.raises(Impatient):  # for longer than the lease nothing happens
            listener.until(lambda seen: _count(seen, "job-placed") > 1, LEASE_MS / 1000 + 1)
    hits = len(old.hits)
    pair.processes.send(old, signal.SIGCONT)
    listener.until(lambda seen: _count(seen, "job-placed") == count + 1)
    # It has seen that it does not lead any more when it asks to lead again.
    pair.processes.wait(lambda: any(hit[0].endswith("before") for hit, _ in old.hits[hits:]), "its campaign")
    assert pair.leader() == 1
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        query = "SELECT term, job FROM events WHERE kind = 'job-placed' ORDER BY xid, id"
        rows = connection.execute(query).fetchall()
        attempts = connection.execute("SELECT count(*), count(DISTINCT job) FROM attempts").fetchone()
    terms = [term for term, _ in rows]
    assert terms == sorted(terms)
    assert len(set(terms)) == 2
    assert len({job for _, job in rows}) == len(rows) == count + 1
    assert attempts == (count + 1, count + 1)


def _placed(client: Client, job: str) -> None:
    for event in client.events(f"/v1/jobs/{job}/events"):
        if event["kind"] == "job-placed":
            return


def _count(seen: list[Json], kind: str) -> int:
    return sum(event["kind"] == kind for event in seen)
