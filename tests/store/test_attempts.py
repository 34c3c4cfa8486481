"""Attempts and their logs in the store."""

from dataclasses import replace
from functools import partial

import pytest

from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.records import Want
from baygrid.ports.store import Conflict, Exists, Store
from tests.store.records import attempt


def insert(rows, tx) -> None:
    tx.attempts.insert(rows)


def ids(attempts) -> list[str]:
    return [one.id for one in attempts]


def test_an_attempt_comes_back_as_it_was(store: Store):
    given = attempt(
        1,
        accelerator=None,
        accelerators=0,
        state=AttemptState.FAILED,
        want=Want.NOTHING,
        gen=7,
        version=3,
        stop_reason="cancelled",
        raw="NODE_FAIL",
        started_at=5,
        ended_at=6,
        exit_code=1,
        cause="exit-code",
        detail="it fell",
        outputs={"labels": "ab" * 32},
        log_size=12,
    )
    bare = attempt(2, nodes=(), count=3)
    store.write(lambda tx: tx.attempts.insert([given, bare]))
    assert store.read(lambda tx: tx.attempts.get([given.id, bare.id, "?"])) == {
        given.id: given,
        bare.id: bare,
    }
    assert store.read(lambda tx: tx.attempts.get([bare.id])) == {bare.id: bare}
    assert store.read(lambda tx: tx.attempts.get([])) == {}


def test_a_job_has_each_number_once(store: Store):
    store.write(lambda tx: tx.attempts.insert([attempt(1)]))
    for taken in (attempt(1), attempt(2, job="job-000001")):
        with pytest.raises(Exists):
            store.write(partial(insert, [taken]))


@pytest.mark.parametrize("many", [1, 2, 40])
def test_an_update_leaves_the_log_alone(store: Store, many: int):
    given = [attempt(number) for number in range(many)]
    store.write(lambda tx: tx.attempts.insert(given))
    store.write(lambda tx: [tx.logs.extend(one.id, 0, 10) for one in given])
    changed = [
        replace(
            one,
            state=AttemptState.RUNNING,
            started_at=3,
            raw="R",
            want=Want.STOP,
            gen=4,
            stop_reason="x",
            log_size=99,
        )
        for one in given
    ]
    store.write(lambda tx: tx.attempts.update(changed))
    found = store.read(lambda tx: tx.attempts.get(ids(given)))
    assert list(found.values()) == [replace(one, version=1, log_size=10) for one in changed]
    with pytest.raises(Conflict):
        store.write(lambda tx: tx.attempts.update(changed))


def test_by_job_and_number(store: Store):
    rows = [attempt(3, job="b"), attempt(1, job="a", n=1), attempt(2, job="a", n=0), attempt(4, job="c")]
    store.write(lambda tx: tx.attempts.insert(rows))
    found = store.read(lambda tx: tx.attempts.of_jobs(["b", "a", "none"]))
    assert [(one.job, one.n) for one in found] == [("a", 0), ("a", 1), ("b", 0)]
    assert store.read(lambda tx: tx.attempts.of_jobs([])) == []


def test_what_is_wanted_of_a_centre_since(store: Store):
    rows = [
        attempt(1, gen=3),
        attempt(2, gen=2, want=Want.STOP),
        attempt(3, gen=4, want=Want.NOTHING),
        attempt(4, gen=5, centre="south"),
        attempt(5, gen=3),
    ]
    store.write(lambda tx: tx.attempts.insert(rows))
    assert ids(store.read(lambda tx: tx.attempts.wanted("north", 0))) == [
        "att-000002",
        "att-000001",
        "att-000005",
    ]
    assert ids(store.read(lambda tx: tx.attempts.wanted("north", 2))) == ["att-000001", "att-000005"]
    assert ids(store.read(lambda tx: tx.attempts.wanted("north", 3))) == []


def test_the_living_are_those_not_final_or_still_wanted(store: Store):
    rows = [
        attempt(1),
        attempt(2, state=AttemptState.LOST, want=Want.STOP),
        attempt(3, state=AttemptState.SUCCEEDED, want=Want.NOTHING),
        attempt(4, state=AttemptState.UNKNOWN, want=Want.NOTHING),
    ]
    store.write(lambda tx: tx.attempts.insert(rows))
    assert ids(store.read(lambda tx: tx.attempts.live())) == ["att-000001", "att-000002", "att-000004"]
    store.write(lambda tx: tx.attempts.update([replace(rows[1], want=Want.NOTHING)]))
    assert ids(store.read(lambda tx: tx.attempts.live())) == ["att-000001", "att-000004"]


def test_a_log_grows_only_at_its_end(store: Store):
    store.write(lambda tx: tx.attempts.insert([attempt(1), attempt(2)]))
    id = "att-000001"

    def extend(offset, size):
        return store.write(lambda tx: tx.logs.extend(id, offset, size))

    assert extend(5, 10) == 0  # a gap
    assert extend(0, 10) == 10
    assert extend(0, 10) == 10  # said again
    assert extend(10, 0) == 10
    assert extend(10, 5) == 15
    assert extend(12, 9) == 15  # overlapping
    assert extend(15, 1) == 16

    def chunks(offset):
        return store.read(lambda tx: tx.logs.chunks(id, offset))

    assert chunks(0) == [(0, 10), (10, 5), (15, 1)]
    assert chunks(9) == [(0, 10), (10, 5), (15, 1)]
    assert chunks(10) == [(10, 5), (15, 1)]
    assert chunks(15) == [(15, 1)]
    assert chunks(16) == []
    assert chunks(99) == []
    assert store.read(lambda tx: tx.logs.chunks("att-000002", 0)) == []
    assert store.read(lambda tx: tx.attempts.get([id]))[id].log_size == 16


def test_an_unknown_attempt_has_no_log(store: Store):
    with pytest.raises(KeyError):
        store.write(lambda tx: tx.logs.extend("att-none", 0, 1))
    assert store.read(lambda tx: tx.logs.chunks("att-none", 0)) == []


def test_what_ended_is_found_newest_first_when_there_is_too_much(store: Store):
    over = [
        attempt(n, state=AttemptState.SUCCEEDED, want=Want.NOTHING, started_at=10, ended_at=100 + n)
        for n in range(1, 5)
    ]
    never_ran = attempt(5, state=AttemptState.CANCELLED, want=Want.NOTHING, ended_at=200)
    still_stopping = attempt(6, state=AttemptState.LOST, want=Want.STOP, started_at=10, ended_at=200)
    running = attempt(7, state=AttemptState.RUNNING, started_at=10)
    store.write(lambda tx: tx.attempts.insert([*over, never_ran, still_stopping, running]))
    assert store.read(lambda tx: tx.attempts.ended(102, 10)) == over[1:]
    assert store.read(lambda tx: tx.attempts.ended(0, 2)) == over[2:]


def test_what_centres_took_with_them_is_found_by_project_and_time(store: Store):
    lost, cut = AttemptState.LOST, AttemptState.FAILED
    given = [
        attempt(1, state=lost, ended_at=10),
        attempt(2, state=cut, cause="interrupted", ended_at=9),
        attempt(3, state=cut, cause="exit-code", ended_at=9),
        attempt(4, state=lost, ended_at=20),
        attempt(5, state=lost, ended_at=10, project="other"),
        attempt(6),
    ]
    store.write(lambda tx: tx.attempts.insert(given))
    project = given[0].project
    assert ids(store.read(lambda tx: tx.attempts.broken(project, 9, 20))) == [given[1].id, given[0].id]
