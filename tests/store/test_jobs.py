"""Jobs in the store."""

from dataclasses import replace
from functools import partial

import pytest

from baygrid.core.jobs.lifecycle import JobState
from baygrid.ports.records import Held
from baygrid.ports.store import Conflict, Exists, Store
from tests.store.records import job


def insert(rows, tx) -> None:
    tx.jobs.insert(rows)


def ids(jobs) -> list[str]:
    return [one.id for one in jobs]


def test_a_job_comes_back_as_it_was(store: Store):
    given = job(
        1, ended_at=7, cause="exit-code", detail="exit code 3", exit_code=3, state=JobState.FAILED, version=4,
        asked=600, attempts=3, retries=1, checkpoint="ab" * 32, array="array-1", index=7,
        waits_for=("job-8", "array-2"), not_before=9,
    )  # fmt: skip
    bare = job(2)
    store.write(lambda tx: tx.jobs.insert([given, bare]))
    assert store.read(lambda tx: tx.jobs.get([given.id, bare.id, "job-none"])) == {
        given.id: given,
        bare.id: bare,
    }
    assert store.read(lambda tx: tx.jobs.get([given.id])) == {given.id: given}
    assert store.read(lambda tx: tx.jobs.get([])) == {}


def test_an_id_is_taken_once(store: Store):
    store.write(lambda tx: tx.jobs.insert([job(1)]))
    for rows in ([job(1)], [job(2), job(1)], [job(3), job(3)]):
        with pytest.raises(Exists):
            store.write(partial(insert, rows))
    assert ids(store.read(lambda tx: tx.jobs.page(None, [], None, 10))) == ["job-000001"]


@pytest.mark.parametrize("many", [1, 2, 50])
def test_an_update_writes_the_fields_and_counts_the_version(store: Store, many: int):
    given = [job(number) for number in range(many)]
    store.write(lambda tx: tx.jobs.insert(given))
    changed = [
        replace(
            one,
            state=JobState.FAILED,
            hold=0,
            ended_at=9,
            cause="lost",
            detail="gone",
            exit_code=1,
            spec={"a": 1},
        )
        for one in given
    ]
    store.write(lambda tx: tx.jobs.update(changed))
    found = store.read(lambda tx: tx.jobs.get(ids(given)))
    assert list(found.values()) == [replace(one, version=1) for one in changed]


@pytest.mark.parametrize("many", [1, 3])
def test_a_stale_version_is_a_conflict_and_nothing_is_written(store: Store, many: int):
    given = [job(number) for number in range(many)]
    store.write(lambda tx: tx.jobs.insert(given))
    store.write(lambda tx: tx.jobs.update([given[-1]]))
    runs = []

    def work(tx):
        runs.append(1)
        tx.jobs.update([replace(one, hold=1) for one in given])

    with pytest.raises(Conflict):
        store.write(work)
    assert len(runs) > 1  # it was tried again
    assert {one.hold for one in store.read(lambda tx: tx.jobs.get(ids(given))).values()} == {500}


def test_no_rows_is_nothing_to_do(store: Store):
    store.write(lambda tx: tx.jobs.insert([]))
    store.write(lambda tx: tx.jobs.update([]))


def test_an_unknown_job_cannot_be_updated(store: Store):
    with pytest.raises(Conflict):
        store.write(lambda tx: tx.jobs.update([job(1)]))


def test_pages_run_newest_first_by_project_state_and_place(store: Store):
    def fill(tx):
        for number in range(12):
            state = [JobState.QUEUED, JobState.ACTIVE, JobState.SUCCEEDED][number % 3]
            tx.jobs.insert([job(number, project=["demo", "other"][number % 2], state=state)])

    store.write(fill)

    def page(*arguments):
        return [int(id[-6:]) for id in ids(store.read(lambda tx: tx.jobs.page(*arguments)))]

    everything = list(reversed(range(12)))
    assert page(None, [], None, 99) == everything
    assert page(None, list(JobState), None, 99) == everything
    assert page(None, [], "job-000005", 3) == [4, 3, 2]
    assert page("demo", [], None, 3) == [10, 8, 6]
    assert page("demo", [], "job-000006", 99) == [4, 2, 0]
    assert page("demo", [JobState.QUEUED], None, 99) == [6, 0]
    assert page(None, [JobState.QUEUED, JobState.ACTIVE], None, 5) == [10, 9, 7, 6, 4]
    assert page(None, [JobState.QUEUED, JobState.ACTIVE], "job-000007", 3) == [6, 4, 3]
    assert page("other", [JobState.QUEUED, JobState.SUCCEEDED], "job-000009", 9) == [5, 3]
    assert page("nobody", [], None, 9) == []
    assert page(None, [JobState.HELD], None, 9) == []


def test_ids_sort_byte_by_byte(store: Store):
    names = ["B", "a", "A", "b", "-", "_", "é", "中"]
    store.write(lambda tx: tx.jobs.insert([job(name) for name in names]))
    assert ids(store.read(lambda tx: tx.jobs.queued(None, 99))) == sorted(names)
    assert ids(store.read(lambda tx: tx.jobs.page(None, [], "a", 99))) == ["_", "B", "A", "-"]
    both = [JobState.QUEUED, JobState.ACTIVE]
    assert ids(store.read(lambda tx: tx.jobs.page(None, both, None, 99))) == sorted(names, reverse=True)


def test_the_queue_is_read_in_stretches_oldest_first(store: Store):
    rows = [job(number, state=JobState.ACTIVE if number == 3 else JobState.QUEUED) for number in range(6)]
    store.write(lambda tx: tx.jobs.insert(rows))
    assert ids(store.read(lambda tx: tx.jobs.queued(None, 2))) == ["job-000000", "job-000001"]
    assert ids(store.read(lambda tx: tx.jobs.queued("job-000001", 9))) == [
        "job-000002",
        "job-000004",
        "job-000005",
    ]


def test_states_are_counted(store: Store):
    assert store.read(lambda tx: tx.jobs.count_by_state()) == {}
    store.write(lambda tx: tx.jobs.insert([job(1), job(2), job(3, state=JobState.HELD)]))
    assert store.read(lambda tx: tx.jobs.count_by_state()) == {JobState.QUEUED: 2, JobState.HELD: 1}


def element(number: int, state: JobState = JobState.HELD, cause: str | None = "array", **fields):
    return job(number, array="array-1", index=number, state=state, cause=cause, **fields)


def test_elements_of_an_array_are_found_by_why_they_are_held(store: Store):
    rows = [
        element(1, JobState.SUCCEEDED, None),
        element(2, JobState.ACTIVE, None),
        element(3, JobState.QUEUED, None),
        element(4, cause="money"),
        element(5, cause="after"),
        *(element(number) for number in range(6, 10)),
        job(10, state=JobState.HELD, cause="money"),
        job(11, array="array-2", index=1, state=JobState.HELD, cause="array"),
    ]
    store.write(lambda tx: tx.jobs.insert(rows))
    read = store.read
    assert ids(read(lambda tx: tx.jobs.held_in("array-1", Held.ARRAY, 2))) == ["job-000006", "job-000007"]
    assert ids(read(lambda tx: tx.jobs.held_in("array-1", Held.AFTER, 9))) == ["job-000005"]
    assert read(lambda tx: tx.jobs.busy_in("array-1")) == 4
    assert ids(read(lambda tx: tx.jobs.open_in("array-1"))) == ids(rows[1:9])
    assert read(lambda tx: tx.jobs.count_in("array-1")) == {
        (JobState.SUCCEEDED, None): 1,
        (JobState.ACTIVE, None): 1,
        (JobState.QUEUED, None): 1,
        (JobState.HELD, "money"): 1,
        (JobState.HELD, "after"): 1,
        (JobState.HELD, "array"): 4,
    }
    assert ids(read(lambda tx: tx.jobs.page("demo", [], None, 3, "array-1"))) == [
        "job-000009", "job-000008", "job-000007",
    ]  # fmt: skip
    held = [JobState.HELD]
    assert ids(read(lambda tx: tx.jobs.page(None, held, "job-000006", 9, "array-1"))) == [
        "job-000005", "job-000004",
    ]  # fmt: skip


def test_who_waits_is_found_by_what_it_waits_for(store: Store):
    waiting = [
        job(1, state=JobState.HELD, waits_for=("job-a", "job-b")),
        job(2, state=JobState.HELD, waits_for=("job-b",)),
        job(3, state=JobState.CANCELLED, waits_for=("job-b",)),
    ]
    store.write(lambda tx: tx.jobs.insert(waiting))
    everybody = ["job-000001", "job-000002", "job-000003"]
    assert store.read(lambda tx: tx.jobs.waiters(["job-a", "job-b", "job-x"])) == everybody
    assert store.read(lambda tx: tx.jobs.waiters(["job-a"])) == ["job-000001"]
    assert store.read(lambda tx: tx.jobs.waiters([])) == []
    assert store.write(lambda tx: tx.jobs.lock(["job-000002", "job-none"])) == {"job-000002": waiting[1]}
    assert store.write(lambda tx: tx.jobs.lock([])) == {}


def test_who_has_backed_off_long_enough(store: Store):
    off = {"state": JobState.HELD, "cause": Held.BACK_OFF}
    rows = [job(1, not_before=30, **off), job(2, not_before=20, **off), job(3, not_before=31, **off), job(4)]
    store.write(lambda tx: tx.jobs.insert([*rows, job(5, state=JobState.HELD, cause=Held.MONEY)]))
    assert ids(store.read(lambda tx: tx.jobs.rested(30, 9))) == ["job-000002", "job-000001"]
    assert ids(store.read(lambda tx: tx.jobs.rested(30, 1))) == ["job-000002"]
    assert store.read(lambda tx: tx.jobs.rested(19, 9)) == []
