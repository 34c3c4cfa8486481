"""What must hold after each fault: one true end for every job, no command twice, money to the second, and
nothing left behind."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

from tests.campaign.faults import Fault
from tests.campaign.jobs import Job, Stream, until
from tests.campaign.region import Region
from tests.campaign.slurm import Slurm, Used, price
from tests.faults.checks import every
from tests.faults.region import FINAL, Client, Json

MEMORY_GIB = 1


def check(region: Region, slurm: Slurm, stream: Stream, jobs: list[Job], fault: Fault) -> None:
    """Waits until all of `jobs` have ended."""
    found = [check_job(stream, job, fault) for job in jobs]
    check_once(stream, found)
    check_charges(slurm, stream, found, fault)
    check_at_rest(region, slurm, stream)


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
        assert ended.get(last["id"]) == last["exit_code"], last


def check_charges(slurm: Slurm, stream: Stream, found: list[Json], fault: Fault) -> None:
    """Each attempt costs what Slurm itself says that it had, to the second; what never began costs nothing.
    Of what Slurm has forgotten (`fault.forgets`) the time counts that its folder tells."""
    ids = stream.book.engine_ids()
    attempts = [attempt for job in found for attempt in job["attempts"] if attempt["id"] in ids]
    forgotten = {attempt["id"] for attempt in attempts if attempt["raw"] == "absent"}
    assert not forgotten or fault.forgets, forgotten
    asked = {ids[attempt["id"]] for attempt in attempts if attempt["id"] not in forgotten}
    until(lambda: slurm.used(asked).keys() >= asked, f"Slurm's accounts of {asked}")
    used = slurm.used(asked)
    for job in found:
        paid: Counter[str] = Counter()
        for line in stream.client.get(f"/v1/jobs/{job['id']}/bill")["lines"]:
            paid[line["attempt"]] += line["amount"]["minor"]
        for attempt in job["attempts"]:
            had = used.get(ids.get(attempt["id"], ""))
            if had is not None:
                assert paid[attempt["id"]] == price(had, MEMORY_GIB), (attempt, had, paid)
            elif attempt["id"] in forgotten:
                span = instant(attempt["ended_at"]) - instant(attempt["started_at"])
                most = Used("", span.seconds + 1, 1 + int(job["name"].partition("-")[2]) % 2)
                assert paid[attempt["id"]] <= price(most, MEMORY_GIB), (attempt, paid)
            else:
                assert not paid[attempt["id"]], (attempt, paid)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def check_at_rest(region: Region, slurm: Slurm, stream: Stream) -> None:
    """Nothing lives, is held, or grows."""
    until(slurm.idle, "the end of all at Slurm")
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
