"""What the region lacks, asked of the store: each question is about its stretch of time only."""

from baygrid.core.jobs.lifecycle import JobState
from baygrid.ports.bottlenecks import Charged, Unplaced
from baygrid.ports.store import Store
from baygrid.store import bottlenecks
from tests.store.records import attempt, booking, charge, job, organise

SPEC = {"run": "true"}


def test_jobs_that_were_never_placed_are_counted_by_what_they_ask_for(store: Store):
    other = {"run": "false"}
    rows = [
        job(1, submitted_at=9, spec=SPEC),
        job(2, submitted_at=10, spec=SPEC),
        job(3, submitted_at=19, spec=SPEC),
        job(4, submitted_at=15, spec=other),
        job(5, submitted_at=15, spec=SPEC, state=JobState.HELD, cause="money"),
        job(6, submitted_at=15, spec=SPEC, attempts=1),
        job(7, submitted_at=20, spec=SPEC),
    ]
    store.write(lambda tx: tx.jobs.insert(rows))
    found = store.read(lambda tx: tx.bottlenecks.unplaced("job-", 10, 20))
    assert sorted(found, key=str) == sorted(
        [
            Unplaced(JobState.QUEUED, None, SPEC, 2),
            Unplaced(JobState.QUEUED, None, other, 1),
            Unplaced(JobState.HELD, "money", SPEC, 1),
        ],
        key=str,
    )
    assert store.read(lambda tx: tx.bottlenecks.unplaced("job-000003", 10, 12)) == []


def test_placements_of_a_stretch_come_page_by_page(store: Store, monkeypatch):
    monkeypatch.setattr(bottlenecks, "_PAGE", 2)
    rows = [attempt(it, placed_at=10 + it, reasons={"outcome": {"n": it}}) for it in range(1, 8)]
    store.write(lambda tx: tx.attempts.insert(rows))
    found = store.read(lambda tx: [*tx.bottlenecks.placed("att-", 12, 17)])
    assert [it["outcome"]["n"] for it in found] == [2, 3, 4, 5, 6]


def test_charges_of_a_stretch_come_with_whose_they_are_and_none_twice(store: Store, monkeypatch):
    monkeypatch.setattr(bottlenecks, "_PAGE", 2)
    lines = ({"unit": "accelerator-hour", "quantity": "1/3"},)
    times = [9, 10, 10, 10, 12, 19, 19, 20]
    rows = [charge(n=n, at=at, lines=lines, supported=n) for n, at in enumerate(times)]
    rows.append(charge(n=99, at=15, project="other", currency="HKD", lines=lines, supported=99))
    store.write(organise)
    store.write(lambda tx: tx.money.post([booking(1)]))
    store.write(lambda tx: tx.money.insert_charges(rows))
    found = store.read(lambda tx: [*tx.bottlenecks.charged(10, 20)])
    assert sorted(it.supported for it in found) == [1, 2, 3, 4, 5, 6, 99]
    assert found[4] == Charged("lab", "HKD", lines, 99)
