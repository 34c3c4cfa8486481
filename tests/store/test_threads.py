"""Many threads on one store."""

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from baygrid.ports.records import Cursor
from baygrid.ports.store import Store, Tx
from baygrid.store import open_store
from baygrid.store.group import Entry, Group
from tests.store.records import Crash, Failpoints, Heard, answer, attempt, event, job, organise

FILE = pytest.mark.parametrize("database", ["file"], indirect=True)


def together(*works: Callable[[], object]) -> list[BaseException]:
    """Runs each in its own thread, all started at once; what they raised."""
    gate = threading.Barrier(len(works))
    raised: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        gate.wait(timeout=60)
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the caller looks at it
            raised.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=100)
        assert not thread.is_alive()
    return raised


def submit(store: Store, number: int) -> None:
    def work(tx: Tx) -> None:
        key = f"k{number}"
        if tx.answers.find("demo", key) is None:
            assert tx.money.move("demo", held=3)
            tx.jobs.insert([job(number)])
            tx.events.append([event(number)])
            tx.answers.insert(answer(key))

    store.write(work)


def insert(number: int, tx: Tx) -> None:
    tx.jobs.insert([job(number)])


def test_eight_threads_write_and_nothing_is_lost(store: Store):
    store.write(lambda tx: organise(tx, granted=10_000))
    threads, each = 8, 60

    def work(thread: int) -> None:
        for number in range(each):
            submit(store, thread * 1000 + number)
            submit(store, thread * 1000 + number)  # the client asks again

    assert together(*(lambda thread=thread: work(thread) for thread in range(threads))) == []
    demo = store.read(lambda tx: tx.region.projects(["demo"]))["demo"]
    assert demo.held == 3 * threads * each
    assert sum(store.read(lambda tx: tx.jobs.count_by_state()).values()) == threads * each
    numbers = [one.data["number"] for _, one in store.read(lambda tx: tx.events.after(Cursor(), 10**6))]
    assert sorted(numbers) == sorted(
        thread * 1000 + number for thread in range(threads) for number in range(each)
    )


def test_free_money_is_never_spent_twice(store: Store):
    store.write(lambda tx: organise(tx, granted=1000))
    given: list[bool] = []

    def spend() -> None:
        given.extend(store.write(lambda tx: tx.money.move("demo", held=70)) for _ in range(20))

    assert together(*[spend] * 6) == []
    assert given.count(True) == 14
    assert store.read(lambda tx: tx.region.projects(["demo"]))["demo"].free == 20


def test_rows_changed_by_many_lose_no_change(store: Store):
    store.write(lambda tx: tx.jobs.insert([job(1), job(2)]))

    def add() -> None:
        for _ in range(15):

            def work(tx: Tx) -> None:
                read = tx.jobs.get(["job-000001", "job-000002"])
                tx.jobs.update([replace(one, hold=one.hold + 1) for one in read.values()])

            store.write(work)

    assert together(*[add] * 4) == []
    assert [
        one.hold for one in store.read(lambda tx: tx.jobs.get(["job-000001", "job-000002"])).values()
    ] == [560, 560]


def test_one_of_many_candidates_leads(store: Store):
    won: list[int | None] = []
    candidates = [
        lambda name=f"server-{number}": won.append(
            store.write(lambda tx: tx.leadership.campaign(name, 1000, 500))
        )
        for number in range(6)
    ]
    assert together(*candidates) == []
    assert sorted(won, key=lambda term: term or 0) == [None] * 5 + [1]


def extend(start: int, tx: Tx) -> int:
    return tx.logs.extend("att-000001", start, 10)


def test_a_log_is_appended_once_whoever_sends_it(store: Store):
    store.write(lambda tx: tx.attempts.insert([attempt(1)]))

    def send() -> None:
        for start in range(0, 300, 10):
            store.write(partial(extend, start))

    assert together(*[send] * 4) == []
    assert store.read(lambda tx: tx.logs.chunks("att-000001", 0)) == [
        (start, 10) for start in range(0, 300, 10)
    ]


# Group commit


def crowd(
    store: Store, failpoints: Failpoints, works: Sequence[Callable[[Tx], object]]
) -> list[BaseException]:
    """Runs the works as one group: they arrive while another write is about to commit."""
    entered, go_on = threading.Event(), threading.Event()

    def hold_up() -> None:
        entered.set()
        assert go_on.wait(timeout=60)
        failpoints.at("store.commit.before", lambda: None)

    failpoints.at("store.commit.before", hold_up)
    first = threading.Thread(target=lambda: store.write(lambda tx: tx.jobs.insert([job(999_999)])))
    first.start()
    assert entered.wait(timeout=60)
    raised: list[BaseException] = []

    def run(work: Callable[[Tx], object]) -> None:
        try:
            store.write(work)
        except BaseException as error:  # noqa: BLE001 - the caller looks at it
            raised.append(error)

    group: Group = store._group  # type: ignore[attr-defined]
    threads = []
    for place, work in enumerate(works):
        threads.append(threading.Thread(target=run, args=(work,)))
        threads[-1].start()
        while len(group._waiting) <= place:  # nothing else can be waited on
            threads[-1].join(timeout=0.001)
    failpoints.passed.clear()
    go_on.set()
    for thread in (first, *threads):
        thread.join(timeout=60)
    return raised


@FILE
def test_those_who_wait_share_one_commit(store: Store, failpoints: Failpoints):
    works = [partial(insert, number) for number in range(20)]
    assert crowd(store, failpoints, works) == []
    assert failpoints.passed.count("store.commit.before") == 1  # the first had passed it already
    assert failpoints.passed.count("store.commit.after") == 2
    assert store.read(lambda tx: sum(tx.jobs.count_by_state().values())) == 21


@FILE
def test_in_a_group_each_fails_alone(store: Store, failpoints: Failpoints):
    heard = Heard(store)

    def good(number: int) -> Callable[[Tx], object]:
        def work(tx: Tx) -> None:
            tx.jobs.insert([job(number)])
            tx.events.append([event(number)])

        return work

    def bad(error: BaseException) -> Callable[[Tx], object]:
        def work(tx: Tx) -> None:
            tx.jobs.insert([job(77)])
            tx.events.append([event(77)])
            raise error

        return work

    raised = crowd(
        store,
        failpoints,
        [good(1), bad(LookupError("x")), good(2), bad(Crash()), bad(LookupError("y")), good(3)],
    )
    assert sorted(type(error).__name__ for error in raised) == ["Crash", "LookupError", "LookupError"]
    found = {one.id for one in store.read(lambda tx: tx.jobs.page(None, [], None, 99))}
    assert found == {"job-000001", "job-000002", "job-000003", "job-999999"}
    topics = frozenset().union(*heard.calls)
    assert "job:job-000001" in topics
    assert "job:job-000077" not in topics


@FILE
def test_in_a_group_a_conflict_reruns_only_its_own_work(store: Store, failpoints: Failpoints):
    store.write(lambda tx: tx.jobs.insert([job(1)]))
    runs = {1: 0, 2: 0}

    def add(which: int) -> Callable[[Tx], object]:
        stale = store.read(lambda tx: tx.jobs.get(["job-000001"]))["job-000001"]

        def work(tx: Tx) -> None:
            runs[which] += 1
            read = stale if runs[which] == 1 else tx.jobs.get(["job-000001"])["job-000001"]
            tx.jobs.update([replace(read, hold=read.hold + 1)])

        return work

    assert crowd(store, failpoints, [add(1), add(2)]) == []
    assert runs == {1: 1, 2: 2}
    assert store.read(lambda tx: tx.jobs.get(["job-000001"]))["job-000001"].hold == 502


@FILE
def test_a_commit_that_fails_fails_for_all(store: Store, failpoints: Failpoints):
    works = [partial(insert, number) for number in range(5)]
    passed = failpoints.passed

    def disk_full() -> None:
        if passed.count("store.commit.before") == 1:
            raise OSError("no space left on device")

    original = failpoints.at

    def at(name: str, action: Callable[[], None]) -> None:
        original(name, disk_full if name == "store.commit.before" and entered else action)
        entered.append(1)

    entered: list[int] = []
    failpoints.at = at  # type: ignore[method-assign]
    raised = crowd(store, failpoints, works)
    assert [str(error) for error in raised] == ["no space left on device"] * 5
    failpoints.clear()
    assert [one.id for one in store.read(lambda tx: tx.jobs.page(None, [], None, 99))] == ["job-999999"]
    store.write(lambda tx: tx.jobs.insert([job(1)]))


def test_a_caller_interrupted_while_waiting_hands_the_lead_on():
    """Its gate is opened by an exception and not by the leader; the next in line must not wait for ever."""
    entered, go_on = threading.Event(), threading.Event()
    first_work, last_work = (lambda tx: "first"), (lambda tx: "last")
    ran: list[object] = []

    def run(entries: list[Entry]) -> Callable[[], None]:
        for entry in entries:
            ran.append(entry.work)
            if entry.work is first_work:
                entered.set()
                assert go_on.wait(timeout=60)
            entry.result = entry.work
        return lambda: None

    group = Group(run)
    first = threading.Thread(target=group.submit, args=(Entry(first_work),))
    first.start()
    assert entered.wait(timeout=60)
    leaving = Entry(lambda tx: "leaving")
    results: list[object] = []

    class Gate:
        """Lets its caller go with an exception after the lead was handed to it."""

        def __init__(self) -> None:
            self.opened = threading.Event()

        def acquire(self) -> None:
            self.opened.wait(timeout=60)
            raise KeyboardInterrupt

        def release(self) -> None:
            self.opened.set()

    def leave() -> None:
        with pytest.raises(KeyboardInterrupt):
            group._wait(leaving, leaving.gate)  # type: ignore[arg-type]

    leaving.gate = Gate()  # type: ignore[assignment]
    with group._mutex:
        group._waiting.append(leaving)
    leaver = threading.Thread(target=leave)
    leaver.start()
    last = threading.Thread(target=lambda: results.append(group.submit(Entry(last_work))))
    last.start()
    while len(group._waiting) < 2:
        last.join(timeout=0.001)
    go_on.set()
    for thread in (first, leaver, last):
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert ran == [first_work, last_work]
    assert results == [last_work]
    assert not group._busy


_WRITER = r"""
import os, sys, threading
from baygrid.store import open_store
from tests.store.records import event, job, organise
store = open_store(sys.argv[1])
store.write(lambda tx: organise(tx))
def work(thread):
    for number in range(10**6):
        def submit(tx):
            tx.money.move("demo", held=1)
            tx.jobs.insert([job(thread * 10**6 + number)])
            tx.events.append([event(thread * 10**6 + number)])
            return thread * 10**6 + number
        os.write(1, b"%d\n" % store.write(submit))
for thread in range(4):
    threading.Thread(target=work, args=(thread,), daemon=True).start()
threading.Event().wait()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "database", ["file", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_what_was_acknowledged_survives_kill_9(url: str):
    root = Path(__file__).parents[2]
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, url], stdout=subprocess.PIPE, text=True, cwd=root
    )
    assert writer.stdout is not None
    told = [int(writer.stdout.readline()) for _ in range(300)]
    writer.kill()
    told += [int(line) for line in writer.stdout if line.endswith("\n")]
    writer.wait(timeout=60)
    writer.stdout.close()
    store = open_store(url)
    jobs = {int(one.id[4:]) for one in store.read(lambda tx: tx.jobs.page(None, [], None, 10**6))}
    assert jobs >= set(told)
    assert store.read(lambda tx: tx.region.projects(["demo"]))["demo"].held == len(jobs)
    assert len(store.read(lambda tx: tx.events.after(Cursor(), 10**6))) == len(jobs)
    store.close()
