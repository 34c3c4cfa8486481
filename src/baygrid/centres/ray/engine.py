"""`centres.engine.Engine` over the Jobs API of a Ray cluster.

Whoever reaches that API runs what he likes: it belongs on the agent's machine or behind a token
(RAY_AUTH_MODE=token, from Ray 2.52 on), and the agent opens no way to it.

Each job costs the cluster a process that watches it: about 2 s of CPU to start and 80 MB while it runs, so a
node starts one after another. What waits costs next to nothing.

A head that dies forgets all jobs, unless it was told to keep them elsewhere. Each life of a head has a name,
its session, which it keeps with the jobs or loses with them. So what was given to another session and is in
no list any more is over: its nodes do not serve a head that they do not know, and end their jobs when they
give up. Old releases (2.9) do not tell their session: there no end is read from an absence.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import httpx2
import orjson

from baygrid.centres.engine import NAME, EngineSilent, Launch, Outside, Sight, Stand, Submission, Task
from baygrid.centres.folder.files import Files
from baygrid.centres.ray import answers
from baygrid.centres.ray.requests import JOBS, NODES, VERSION, refusal, submission
from baygrid.ports.basics import Clock, Instant
from baygrid.ports.messages import Order, PartitionReport

CONNECT_S: Final = 5.0
ANSWER_S: Final = 30.0
KEPT_MS: Final = 600_000  # how long Ray keeps what has ended: its list would grow for ever
SWEPT_AT_ONCE: Final = 20
APART_MS: Final = 90_000
"""After a new head came: a node seeks its old one for RAY_gcs_rpc_server_reconnect_timeout_s, 60 s."""
SESSION: Final = "ray-session"  # in an attempt's folder: which head has taken it

_KILLED: Final = (128 + signal.SIGTERM, 128 + signal.SIGKILL)

T = TypeVar("T")


class RayEngine:
    """`address` of the Jobs API, such as http://127.0.0.1:8265. `root`: where the attempts' folders are.
    `inner` replaces the network in tests."""

    launch = Launch(keep=("CUDA_VISIBLE_DEVICES", "RAY_*"))

    def __init__(
        self,
        address: str,
        root: Path,
        clock: Clock,
        *,
        partition: str = "main",
        token: str = "",
        inner: httpx2.BaseTransport | None = None,
    ) -> None:
        self._root, self._clock, self._partition = root, clock, partition
        self._names: dict[str, str] = {}
        self._nameless: set[str] = set()  # nodes that Ray no longer lists
        self._withdrawn: set[str] = set()
        self._shown: set[str] = set()  # ended, and told so before
        self._session: str | None = None  # None: not asked yet
        self._met_at: Instant = 0
        self._ran_at: dict[str, Instant] = {}  # when it was last seen running
        self._client = httpx2.Client(
            base_url=address.rstrip("/"),
            # Each answer ends its connection: between two looks a link may have died, and a call that is
            # under way when this is closed would leave its connection open.
            headers={"Connection": "close"} | ({"Authorization": f"Bearer {token}"} if token else {}),
            timeout=httpx2.Timeout(ANSWER_S, connect=CONNECT_S),
            verify=address.startswith("https:"),
            transport=inner,
            trust_env=False,
            follow_redirects=False,
        )

    def close(self) -> None:
        self._client.close()

    def version(self) -> str:
        """Of the cluster. Raises EngineSilent."""
        told = self._read("GET", VERSION)
        told = told if isinstance(told, dict) else {}
        session = str(told.get("session_name", ""))
        if session != self._session:
            self._session, self._met_at = session, self._clock()
        return str(told.get("ray_version", ""))

    def capabilities(self) -> frozenset[str]:
        return frozenset({"accelerators", "checkpoint"})

    def inventory(self) -> tuple[PartitionReport, ...]:
        return self._nodes(lambda answer: answers.inventory(answer, self._partition))

    def submit(self, tasks: Sequence[Task]) -> dict[str, Submission]:
        """One request for each. When Ray falls silent, what it said until then is told."""
        found: dict[str, Submission] = {}
        if self._session is None:
            self.version()
        for task in tasks:
            if why := refusal(task.order, self._partition):
                found[task.name] = Submission(refusal=why)
                continue
            try:
                answer = self._send("POST", JOBS, submission(task))
            except EngineSilent:
                if not found:
                    raise
                break
            if (outcome := answers.submitted(task.name, answer.status_code, answer.text)) is not None:
                found[task.name] = outcome
                if outcome.id and self._session:
                    with suppress(OSError):
                        Files(str(task.folder)).write_once(SESSION, self._session.encode())
        return found

    def look(self) -> list[Sight]:
        jobs = self._read("GET", JOBS)
        if not isinstance(jobs, list):
            raise EngineSilent("Ray's list of jobs is none")
        ours = [job for job in jobs if str(job.get("submission_id")).startswith(NAME)]
        if answers.unknown_nodes(ours, self._names) - self._nameless:
            self._names = self._nodes(answers.node_names)
            self._nameless = answers.unknown_nodes(ours, self._names)
        seen = [self._measured(sight) for sight in answers.sights(ours, self._names)]
        self._sweep(seen)
        now = self._clock()
        self._ran_at.update((sight.name, now) for sight in seen if sight.stand is Stand.RUNNING)
        self._withdrawn &= {sight.name for sight in seen}
        return [s for s in seen if not (s.stand is Stand.WAITING and s.name in self._withdrawn)]

    def account(self, names: Collection[str], since: Instant) -> list[Sight]:
        """Ray has no accounting: the list again, and what a head that is no more has taken with it."""
        self.version()  # before the list: what a later head lists is there
        seen = {sight.name: sight for sight in self.look() if sight.name in names}
        lost = [gone for name in names if name not in seen and (gone := self._gone(name)) is not None]
        return [*seen.values(), *lost]

    def signal(self, sights: Sequence[Sight], name: str) -> None:
        """See entry.py: by Ray where it can, through the folder where it cannot. Ray cannot withdraw what
        waits: that will start some day, find its claim taken and leave. Nobody hears of it until then."""
        for sight in sights:
            if name not in ("TERM", "KILL"):
                self._leave(sight, "ray-signal")
                continue
            if name == "KILL":
                self._leave(sight, "ray-kill")
            answer = self._send("POST", f"{JOBS}{sight.id}/stop")
            if answer.status_code not in (200, 404):
                _silent(answer)
            if name == "KILL":
                self._withdrawn.add(sight.name)

    def forget(self, sights: Sequence[Sight]) -> None:
        for sight in sights:
            self._send("DELETE", f"{JOBS}{sight.id}")
            self._ran_at.pop(sight.name, None)

    def waits(self, shapes: Sequence[Order]) -> list[int | None]:
        """Ray does not say."""
        return [None] * len(shapes)

    def outside(self, since: Instant, until: Instant) -> tuple[Outside, ...]:
        """Ray does not say what a job of others had for itself."""
        return ()

    def _files(self, name: str) -> Files:
        return Files(f"{self._root}/{name.removeprefix(NAME)}")

    def _gone(self, name: str) -> Sight | None:
        """Of one that the list lacks: over, if the head that took it and its nodes are no more.
        How it ended its folder knows; when, only that it lived at its last sign."""
        files = self._files(name)
        taken_by = files.small(SESSION).decode(errors="replace")
        if not self._session or taken_by in ("", self._session) or self._clock() - self._met_at < APART_MS:
            return None
        last = max(files.last_sign(), self._ran_at.get(name, 0))
        exit = files.exit()
        return Sight(
            name,
            name,
            Stand.ENDED,
            "forgotten",
            reason="the cluster's head restarted, and knows nothing of it",
            # Ray's nodes end what runs on them when they give up, a moment before its script at times.
            cause="interrupted" if exit is not None and exit.code in _KILLED else None,
            ended_at=last if files.has("claim") and exit is None else None,
        )

    def _leave(self, sight: Sight, file: str) -> None:
        with suppress(FileNotFoundError):  # its folder has gone
            self._files(sight.name).write_once(file, b"")

    def _measured(self, sight: Sight) -> Sight:
        """With what entry.py left of what it used: of the largest process, and nothing of what was killed."""
        if sight.stand is not Stand.ENDED:
            return sight
        try:
            use = self._files(sight.name).small("ray-use")
        except OSError:
            return sight
        return replace(sight, peak_memory_mib=answers.peak_memory_mib(use[:40]))

    def _sweep(self, seen: Sequence[Sight]) -> None:
        """Lets Ray forget what ended long ago, should nobody have asked for it: an agent may have died."""
        ended = [sight for sight in seen if sight.stand is Stand.ENDED]
        now = self._clock()
        old = [
            sight.name
            for sight in ended
            if sight.name in self._shown and now - (sight.ended_at or now) > KEPT_MS
        ]
        self._shown = {sight.name for sight in ended}
        for name in old[:SWEPT_AT_ONCE]:
            self._send("DELETE", f"{JOBS}{name}")

    def _nodes(self, parse: Callable[[Mapping[str, Any]], T]) -> T:
        try:
            return parse(self._read("GET", NODES))
        except (KeyError, TypeError, ValueError) as error:
            raise EngineSilent(f"Ray's list of nodes cannot be read: {error!r}") from None

    def _read(self, method: str, path: str) -> Any:
        answer = self._send(method, path)
        if answer.status_code != 200:
            _silent(answer)
        try:
            return orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            raise EngineSilent(
                f"what Ray answers to {path} is no JSON: is it the address of its dashboard?"
            ) from None

    def _send(self, method: str, path: str, body: object = None) -> httpx2.Response:
        content = None if body is None else orjson.dumps(body)
        try:
            return self._client.request(
                method, path, content=content, headers={"Content-Type": "application/json"}
            )
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            raise EngineSilent(f"Ray at {self._client.base_url} does not answer: {error!r}") from None


def _silent(answer: httpx2.Response) -> NoReturn:
    if answer.status_code in (401, 403):
        raise EngineSilent(f"Ray wants another token: {answer.text[:200]}")
    raise EngineSilent(f"Ray answers {answer.status_code}: {answer.text.strip()[-200:]}")
