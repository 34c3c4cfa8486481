"""What ran at centres without Baygrid: each job once, by account; usage of a centre by when it ended."""

from dataclasses import replace

from baygrid.ports.store import Store
from tests.store.records import outside, usage

HOURS_2 = 7_200


def test_a_job_is_kept_once_and_an_id_may_come_again_after_years(store: Store):
    for _ in range(2):
        store.write(lambda tx: tx.outside.insert([outside(), outside("18", account="li", accelerators={})]))
    store.write(lambda tx: tx.outside.insert([outside(end=10_800_000, start=3_600_000)]))
    found = store.read(lambda tx: tx.outside.by_account("north", 0, 1 << 60))
    assert found == [("chen", 2, 2 * HOURS_2 * 16, 2 * HOURS_2 * 12), ("li", 1, HOURS_2 * 16, 0)]


def test_it_counts_when_it_ended_and_where(store: Store):
    store.write(lambda tx: tx.outside.insert([outside(), replace(outside("9"), centre="south")]))
    ended = 7_200_000
    for start, end, jobs in ((0, ended, 0), (ended, ended + 1, 1), (ended + 1, 1 << 60, 0)):
        span = ("north", start, end)
        found = store.read(lambda tx: tx.outside.by_account(*span))  # noqa: B023 - at once
        assert sum(row[1] for row in found) == jobs


def test_a_sum_may_be_larger_than_any_whole_number_of_64_bits(store: Store):
    rows = [outside(str(n), cpus=1 << 33, end=34_560_000_000) for n in range(300)]
    store.write(lambda tx: tx.outside.insert(rows))
    ((_, jobs, cpu_s, _),) = store.read(lambda tx: tx.outside.by_account("north", 0, 1 << 60))
    assert (jobs, cpu_s > 2**63) == (300, True)


def test_usage_of_a_centre_by_when_it_ended(store: Store):
    rows = [usage(), usage("att-000002", centre="south"), usage("att-000003", stored_at=2_000_000)]
    store.write(lambda tx: tx.money.insert_usage(rows))
    assert store.read(lambda tx: tx.money.usage_at("north", 0, 21)) == [rows[0], rows[2]]
    assert store.read(lambda tx: tx.money.usage_at("north", 0, 20)) == []
    assert store.read(lambda tx: tx.money.usage_at("north", 21, 99)) == []
