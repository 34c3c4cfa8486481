"""What must hold after each fault: one true end for every job, no command twice, money to the second, and
nothing left behind."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.campaign.book import until
from tests.campaign.engine import Engine
from tests.campaign.faults import Fault
from tests.campaign.jobs import Job, Stream
from tests.campaign.region import Region
from tests.faults.checks import every
from tests.faults.region import FINAL, Client, Json


def check(region: Region, engine: Engine, stream: Stream, jobs: list[Job], fault: Fault) -> None:
    """Waits until all of `jobs` have ended."""
    found = [check_job(stream, job, fault) for job in jobs]
    check_once(stream, found)
    check_charges(engine, stream, found, fault)
    check_at_rest(region, engine, stream)


def check_job(stream: Stream, job: Job, fault: Fault) -> Json:
    """It ended once, as its command did."""
    told = stream.client.job_events(job.id)
    kinds = Counter(event["kind"] for event in told)
    assert sum(kinds[kind] for kind in FINAL) == 1, (job, kinds)
    found: Json = stream.client.get(f"/v1/jobs/{job.id}")
    *earlier, last = found["attempts"]
    assert not earlier or fault.interrupts or fault.forgets, (job, found["attempts"])
    for attempt in earlier:
        assert attempt["started_at"] is None or fault.interrupts, (job, attempt)
        assert (attempt["state"], attempt["cause"]) == ("FAILED", "interrupted"), (job, attempt)
    expected = ("SUCCEEDED", None, 0) if job.code == 0 else ("FAILED", "exit-code", job.code)
    assert (last["state"], last["cause"], last["exit_code"]) == expected, (job, last)
    assert (found["state"], found["hold"]["minor"]) == (last["state"], 0), (job, found)
    log = stream.client.log(job.id)
    assert log == f"out-{job.number}\n".encode() or fault.loses_logs, (job, log)
    return found


def check_once(stream: Stream, found: list[Json]) -> None:
    """No attempt's command began twice, and the last of each job came to its end."""
    begun, ended = stream.book.begun(), stream.book.ended()
    assert set(begun.values()) <= {1}, [attempt for attempt, times in begun.items() if times > 1]
    for job in found:
        last = job["attempts"][-1]
        assert ended[last["id"]][0] == last["exit_code"], last


def check_charges(engine: Engine, stream: Stream, found: list[Json], fault: Fault) -> None:
    """Each attempt costs what its centre says that it had."""
    paid: Counter[str] = Counter()
    for job in found:
        for line in stream.client.get(f"/v1/jobs/{job['id']}/bill")["lines"]:
            paid[line["attempt"]] += line["amount"]["minor"]
    attempts = [attempt for job in found for attempt in job["attempts"]]
    engine.check_charges(stream.book, attempts, paid, forgets=fault.forgets)


def check_at_rest(region: Region, engine: Engine, stream: Stream) -> None:
    """Nothing lives, is held, or grows."""
    until(engine.idle, f"the end of all at {engine.centre.name}")
    until(lambda: not processes_of(stream.book.path), "the end of all processes of jobs")
    project = stream.client.get("/v1/projects/default")
    assert project["held"]["minor"] == 0, project
    region.check_processes()


def check_money(operator: Client) -> None:
    """Over the whole campaign: every charge posted once, and books that balance."""
    bill = operator.get("/v1/projects/default/bill?recompute=true")
    assert bill["recomputed"]["differences"] == []
    entries = [entry["key"] for entry in every(operator, "/v1/ledger")]
    posted = Counter(key for key in entries if key.startswith("charge:"))
    assert set(posted.values()) <= {1}, posted
    sums: Counter[str] = Counter()
    for row in operator.get("/v1/ledger/balances")["items"]:
        sums[row["balance"]["currency"]] += row["balance"]["minor"]
    assert not any(sums.values()), sums
    project = operator.get("/v1/projects/default")
    assert project["charged"]["minor"] == bill["total"]["minor"]


def processes_of(book: Path) -> list[int]:
    """Whose environment names the book."""
    mark, found = f"BOOK={book}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found
