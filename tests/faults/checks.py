"""What must hold of a job and of everybody's money, whatever was killed on the way."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests.faults.region import FINAL, Client, Json

LOG_LINES = 200
WORKDIR_FILE = b"the words of the job\n"


def workdir() -> bytes:
    """A tar of one file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo("words")
        member.size = len(WORKDIR_FILE)
        tar.addfile(member, io.BytesIO(WORKDIR_FILE))
    return packed.getvalue()


def counted_job(counter: Path, *, seconds: str = "0") -> Json:
    """It adds a line to a file, writes a log in two parts and an output made of its work directory."""
    return {
        "name": "counted",
        "project": "default",
        "resources": {"cpus": 1, "memory": "1"},
        "time": "1m",
        "envs": {"COUNTER": str(counter)},
        "workdir": "blob:" + hashlib.sha256(workdir()).hexdigest(),
        "outputs": {"answer": "results"},
        "run": (
            'echo "$BAYGRID_ATTEMPT" >>"$COUNTER"\n'
            f'i=0; while [ $i -lt {LOG_LINES} ]; do echo "line $i"; i=$((i + 1)); done\n'
            f"[ {seconds} = 0 ] || sleep {seconds}\n"
            'cp words "$BAYGRID_OUTPUTS/answer/words"\n'
            "echo done\n"
        ),
    }


EXPECTED_LOG = b"".join(b"line %d\n" % n for n in range(LOG_LINES)) + b"done\n"


def check_succeeded(client: Client, job: str, told: list[Json], counter: Path) -> Json:
    """It ran once, succeeded once, and left everything behind. Returns it."""
    kinds = Counter(event["kind"] for event in told)
    assert kinds["job-succeeded"] == 1, kinds
    assert sum(kinds[kind] for kind in FINAL) == 1, kinds
    assert kinds["job-submitted"] == kinds["job-placed"] == kinds["attempt-succeeded"] == 1, kinds
    assert told == client.get(f"/v1/jobs/{job}/events?limit=500")["items"], "the stream skipped or doubled"
    found: Json = client.get(f"/v1/jobs/{job}")
    assert found["state"] == "SUCCEEDED"
    assert [attempt["state"] for attempt in found["attempts"]] == ["SUCCEEDED"]
    assert counter.read_text().split() == [found["attempts"][0]["id"]]
    assert client.log(job) == EXPECTED_LOG
    with tarfile.open(fileobj=io.BytesIO(client.send("GET", f"/v1/jobs/{job}/outputs/answer"))) as tar:
        content = tar.extractfile("words")
        assert content is not None
        assert content.read() == WORKDIR_FILE
    return found


def check_money(team: Client, operator: Client, jobs: list[Json]) -> None:
    """Nothing is held any more; each of these jobs was charged once, and nothing else was."""
    charged = {job["attempts"][0]["id"]: job["charge"]["minor"] for job in jobs if job["charge"]["minor"]}
    free = [job for job in jobs if job["state"] == "SUCCEEDED" and not job["charge"]["minor"]]
    assert not free, free[0]
    assert all(job["hold"]["minor"] == 0 for job in jobs)
    bill = team.get("/v1/projects/default/bill?recompute=true")
    assert bill["recomputed"]["differences"] == []
    assert {line["attempt"] for line in bill["lines"]} >= charged.keys()
    keys = Counter(entry["key"] for entry in every(operator, "/v1/ledger"))
    posted = {key: count for key, count in keys.items() if key.startswith("charge:")}
    assert posted == {f"charge:{attempt}:0": 1 for attempt in charged}
    sums: Counter[str] = Counter()
    for row in operator.get("/v1/ledger/balances")["items"]:
        sums[row["balance"]["currency"]] += row["balance"]["minor"]
    assert not any(sums.values()), sums
    project = team.get("/v1/projects/default")
    assert project["held"]["minor"] == 0
    assert project["charged"]["minor"] == bill["total"]["minor"] == sum(charged.values())


def every(client: Client, path: str) -> list[Any]:
    """All pages of a list."""
    found: list[Any] = []
    cursor, mark = None, "&" if "?" in path else "?"
    while True:
        page = client.get(f"{path}{mark}limit=500" + (f"&cursor={cursor}" if cursor else ""))
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found
