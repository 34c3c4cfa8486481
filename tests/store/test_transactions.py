"""What a transaction is: all or nothing, one snapshot, again on conflict, silent until it is durable."""

import threading

import pytest

from baygrid.ports.store import Conflict, Exists, Store, Tx
from baygrid.store import open_store
from tests.store.records import Crash, Failpoints, Heard, answer, event, job, organise


def known(store: Store) -> list[str]:
    return [one.id for one in store.read(lambda tx: tx.jobs.page(None, [], None, 99))]


def insert(store: Store, number: int) -> None:
    store.write(lambda tx: tx.jobs.insert([job(number)]))


def submit(tx: Tx) -> None:
    tx.jobs.insert([job(1)])
    tx.events.append([event(1)])


def test_a_write_returns_what_its_work_returns(store: Store):
    assert store.write(lambda tx: (1, "a")) == (1, "a")
    assert store.write(lambda tx: None) is None
    assert store.read(lambda tx: {"b": 2}) == {"b": 2}


def test_a_work_that_raises_leaves_nothing(store: Store):
    def work(tx: Tx) -> None:
        organise(tx)
        tx.jobs.insert([job(1), job(2)])
        tx.money.move("demo", held=5)
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        store.write(work)
    assert known(store) == []
    assert store.read(lambda tx: tx.region.projects()) == {}
    insert(store, 1)
    assert known(store) == ["job-000001"]


def test_a_write_sees_its_own_rows(store: Store):
    def work(tx: Tx) -> list[str]:
        tx.jobs.insert([job(1), job(2)])
        return list(tx.jobs.get(["job-000001", "job-000002"]))

    assert store.write(work) == ["job-000001", "job-000002"]


def test_a_read_may_not_write(store: Store):
    for work in (
        lambda tx: tx.jobs.insert([job(1)]),
        lambda tx: tx.money.move("demo", held=1),
        lambda tx: tx.region.next_gen("north"),
    ):
        with pytest.raises(RuntimeError, match="may not write"):
            store.read(work)
    insert(store, 1)


def test_a_read_that_raises_harms_nobody(store: Store):
    with pytest.raises(ZeroDivisionError):
        store.read(lambda tx: 1 // 0)
    insert(store, 1)
    assert known(store) == ["job-000001"]


@pytest.mark.parametrize(
    "database", ["file", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_a_read_is_one_snapshot_and_does_not_wait_for_writers(store: Store):
    insert(store, 1)

    def work(tx: Tx) -> tuple[int, int]:
        before = len(tx.jobs.page(None, [], None, 99))
        other = threading.Thread(target=insert, args=(store, 2))
        other.start()
        other.join(timeout=30)
        assert not other.is_alive()
        return before, len(tx.jobs.page(None, [], None, 99))

    assert store.read(work) == (1, 1)
    assert len(known(store)) == 2

    def write(tx: Tx) -> list[str]:
        tx.jobs.insert([job(3)])
        seen: list[list[str]] = []
        other = threading.Thread(target=lambda: seen.append(known(store)))
        other.start()
        other.join(timeout=30)
        return seen[0]

    assert store.write(write) == ["job-000002", "job-000001"]


def test_a_conflict_runs_the_whole_work_again(store: Store):
    runs: list[int] = []

    def work(tx: Tx) -> int:
        tx.jobs.insert([job(len(runs))])
        runs.append(1)
        if len(runs) < 4:
            raise Conflict
        return len(runs)

    assert store.write(work) == 4
    assert known(store) == ["job-000003"]  # the earlier runs were undone


def test_a_conflict_that_does_not_end_is_given_up(store: Store, failpoints: Failpoints):
    def work(tx: Tx) -> None:
        tx.jobs.insert([job(1)])
        raise Conflict("always")

    with pytest.raises(Conflict, match="always"):
        store.write(work)
    assert known(store) == []
    assert failpoints.passed == []


def test_only_commits_pass_the_failpoints(store: Store, failpoints: Failpoints):
    known(store)
    with pytest.raises(ZeroDivisionError):
        store.write(lambda tx: 1 // 0)
    assert failpoints.passed == []
    insert(store, 1)
    assert failpoints.passed == ["store.commit.before", "store.commit.after"]


def test_a_crash_before_the_commit_leaves_nothing(store: Store, failpoints: Failpoints):
    heard = Heard(store)
    failpoints.crash_at("store.commit.before")
    with pytest.raises(Crash):
        store.write(submit)
    failpoints.clear()
    assert known(store) == []
    assert not any("job:job-000001" in call for call in heard.calls)
    insert(store, 1)
    assert known(store) == ["job-000001"]


def test_a_crash_after_the_commit_leaves_everything(store: Store, failpoints: Failpoints):
    failpoints.crash_at("store.commit.after")
    with pytest.raises(Crash):
        insert(store, 1)
    failpoints.clear()
    assert known(store) == ["job-000001"]
    with pytest.raises(Exists):
        insert(store, 1)
    insert(store, 2)


def test_a_crash_in_the_work_leaves_nothing(store: Store):
    def work(tx: Tx) -> None:
        tx.jobs.insert([job(1)])
        raise Crash

    with pytest.raises(Crash):
        store.write(work)
    assert known(store) == []
    insert(store, 1)


def test_a_retried_request_finds_its_answer_after_a_crash(store: Store, failpoints: Failpoints):
    def work(tx: Tx) -> int:
        found = tx.answers.find("demo", "k1")
        if found is not None:
            return found.status
        tx.jobs.insert([job(1)])
        tx.answers.insert(answer(status=201))
        return 0

    failpoints.crash_at("store.commit.after")
    with pytest.raises(Crash):
        store.write(work)
    failpoints.clear()
    assert store.write(work) == 201


@pytest.mark.parametrize("database", ["file", "memory"], indirect=True)
def test_a_write_inside_a_write_is_refused(store: Store):
    def work(tx: Tx) -> None:
        with pytest.raises(RuntimeError, match="inside"):
            insert(store, 2)
        tx.jobs.insert([job(1)])

    store.write(work)
    assert known(store) == ["job-000001"]


@pytest.mark.parametrize("database", ["memory"], indirect=True)
def test_a_read_inside_a_transaction_in_memory_is_refused(store: Store):
    for outer in (store.read, store.write):
        with pytest.raises(RuntimeError, match="inside"):
            outer(lambda tx: known(store))
    insert(store, 1)


@pytest.mark.parametrize(
    "database", ["file", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_everything_is_there_when_opened_again(url: str):
    first = open_store(url)
    insert(first, 1)
    first.close()
    first.close()
    second = open_store(url)
    assert known(second) == ["job-000001"]
    second.close()


def test_two_stores_in_memory_are_two(store: Store):
    insert(store, 1)
    other = open_store("sqlite://")
    assert known(other) == []
    other.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", ""])
def test_another_url_is_refused(url: str):
    with pytest.raises(ValueError, match=r"database|store"):
        open_store(url)
