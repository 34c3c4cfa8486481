"""Who listens hears what a commit touched."""

import pytest

from baygrid.ports.store import Conflict, Store, Tx
from tests.store.records import Crash, Failpoints, Heard, event, job, organise


def told(heard: Heard) -> frozenset[str]:
    """Everything heard so far but `*`, which a listener on PostgreSQL hears at first."""
    return frozenset().union(*heard.calls) - {"*"}


def test_a_commit_names_its_topics(store: Store):
    store.write(organise)
    heard = Heard(store)
    store.write(
        lambda tx: tx.events.append([event(1), event(2, project="other"), event(3, project=None, job=None)])
    )
    assert told(heard) == {"events", "job:job-000001", "job:job-000002", "project:demo", "project:other"}
    heard.clear()
    store.write(lambda tx: tx.region.next_gen("north"))
    assert told(heard) == {"centre:north"}


def test_what_touches_no_topic_is_silent(store: Store):
    store.write(organise)
    heard = Heard(store)
    store.write(lambda tx: tx.jobs.insert([job(1)]))
    store.write(lambda tx: tx.region.take_report("north", 1, 1, 1))
    store.read(lambda tx: tx.jobs.count_by_state())
    assert told(heard) == frozenset()


def test_a_listener_can_read_what_it_hears_of(store: Store):
    found = []
    store.subscribe(lambda topics: found.append(len(store.read(lambda tx: tx.jobs.page(None, [], None, 9)))))

    def work(tx: Tx) -> None:
        tx.jobs.insert([job(1)])
        tx.events.append([event(1)])

    store.write(work)
    assert 1 in found


def test_one_listener_s_failure_is_nobody_else_s(store: Store, caplog: pytest.LogCaptureFixture):
    def broken(topics: frozenset[str]) -> None:
        raise LookupError("listener")

    store.subscribe(broken)
    heard = Heard(store)
    store.write(lambda tx: tx.events.append([event(1)]))
    assert "events" in told(heard)
    assert "a listener of the store failed" in caplog.text


def test_what_was_rolled_back_is_not_told(store: Store):
    heard = Heard(store)

    def work(tx):
        tx.events.append([event(1)])
        raise LookupError

    with pytest.raises(LookupError):
        store.write(work)
    store.write(lambda tx: tx.events.append([event(2)]))
    assert told(heard) == {"events", "job:job-000002", "project:demo"}


def test_what_a_retried_run_touched_is_not_told(store: Store):
    heard = Heard(store)
    runs = []

    def work(tx):
        runs.append(1)
        tx.events.append([event(len(runs))])
        if len(runs) == 1:
            raise Conflict

    store.write(work)
    assert told(heard) == {"events", "job:job-000002", "project:demo"}


def test_a_server_that_dies_after_its_commit_tells_nobody_in_it(store: Store, failpoints: Failpoints):
    heard = Heard(store)
    failpoints.crash_at("store.commit.after")
    with pytest.raises(Crash):
        store.write(lambda tx: tx.events.append([event(1)]))
    assert told(heard) == frozenset()
