"""A centre with a valid credential that says what its test tells it to, and what must then be so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import orjson
from structlog.testing import capture_logs

from baygrid.centres.keys import Key
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import AttemptReport, Report, SignedUsage, Usage
from baygrid.ports.records import AttemptRecord
from baygrid.ports.wire import to_json, usage_bytes
from tests.api.world import World

MIB = 1024 * 1024
HOUR = 3_600_000
TAR = b"a tar of project other"
DIGEST = hashlib.sha256(TAR).hexdigest()
RUNNING, SUCCEEDED, PREEMPTED = AttemptState.RUNNING, AttemptState.SUCCEEDED, AttemptState.PREEMPTED


@dataclass
class Liar:
    """Centre `far`, which runs `mine`; `theirs` runs at centre `hub`."""

    world: World
    client: httpx2.Client
    mine: AttemptRecord
    theirs: AttemptRecord
    key: Key = field(default_factory=Key.new)
    earlier: dict[str, int] = field(default_factory=dict)

    @property
    def now(self) -> int:
        return self.world.clock()

    def usage(self, sign: Key | None = None, **lie: Any) -> SignedUsage:
        """The last minute of `mine` as it was, but for the lie."""
        one = self.mine
        true = Usage(one.id, 0, self.now - 60_000, self.now, 1, one.cpus, one.memory_mib, None, 0, 1.0, 10)
        usage = replace(true, **lie)
        return SignedUsage(usage, (sign or self.key).sign(usage_bytes(usage)))

    def item(self, state: AttemptState = RUNNING, **lie: Any) -> AttemptReport:
        return replace(AttemptReport(self.mine.id, self.mine.token, state), **lie)

    def report(self, *items: AttemptReport, **lie: Any) -> dict[str, Any]:
        record = self.world.store.read(lambda tx: tx.region.centre("far"))
        assert record is not None
        true = Report(
            1, record.incarnation, record.seq + 1, 0, self.now, "digest-far", None, self.key.public_key, items
        )
        return dict(to_json(replace(true, **lie)))

    def send(self, body: bytes | dict[str, Any], **headers: str) -> httpx2.Response:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return self.client.post(
            "/v1/agent/report", content=content, headers={"Content-Type": "application/json"} | headers
        )

    def refusals(self) -> dict[str, int]:
        """How many of this centre, by kind."""
        found = {}
        for line in self.client.get("/metrics").text.splitlines():
            if line.startswith('baygrid_centre_refusals_total{centre="far"'):
                found[line.split('kind="')[1].split('"')[0]] = int(float(line.split()[-1]))
        return found

    def counted(self) -> dict[str, int]:
        """How many since this test began."""
        found = {kind: n - self.earlier.get(kind, 0) for kind, n in self.refusals().items()}
        return {kind: n for kind, n in found.items() if n}

    def state_of_the_world(self) -> dict[str, Any]:
        """Everything stored, but for when this centre was last heard."""
        rows = self.world.dump()
        rows["centres"] = [tuple(row[:5]) + tuple(row[7:8]) for row in rows["centres"]]
        return rows | {"objects": sorted(self.world.objects.kept)}

    def refused(self, why: str, *items: AttemptReport, attempt: str = "") -> None:
        """The report is taken; what it says of this attempt is not."""
        before = self.state_of_the_world()
        body = self.report(*items)
        with capture_logs() as logs:
            answer = self.send(body)
        assert answer.status_code == 200, answer.text
        said = answer.json()
        (found,) = said["refused"]
        assert found[0] == (attempt or self.mine.id)
        assert why in found[1]
        assert said["closed"] == []
        assert said["usage_stored"] == []
        self._told_once(logs, "attempt", why)
        assert self.state_of_the_world() == before

    def rejected(self, status: int, code: str, why: str, send: Callable[[], httpx2.Response]) -> None:
        """The whole request is refused."""
        self.client.get("/v1/me").raise_for_status()  # whose the token is has just been read
        before = self.world.dump()
        with capture_logs() as logs:
            answer = send()
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code), problem
        assert why in problem["detail"]
        assert len(problem["detail"]) < 1_000
        self._told_once(logs, code, why)
        assert self.world.dump() == before

    def _told_once(self, logs: list[Any], kind: str, why: str) -> None:
        (line,) = [one for one in logs if one["event"] == "refused"]
        assert (line["centre"], line["kind"], line["log_level"]) == ("far", kind, "warning")
        assert why in line["why"]
        assert max(map(len, map(str, line.values()))) <= 300
        assert self.counted()[kind] == 1
