"""What only PostgreSQL has: several servers, transactions that overtake each other, lost connections."""

import threading
from collections.abc import Iterator
from functools import partial

import psycopg
import pytest

from baygrid.ports.records import Cursor, Event
from baygrid.ports.store import Away, Conflict, Store, Tx
from baygrid.store import open_store
from tests import services
from tests.store.records import Heard, answer, event, job, organise
from tests.store.test_threads import together

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("database", [pytest.param("postgresql")], indirect=True),
]


@pytest.fixture
def neighbour(store: Store, url: str) -> Iterator[Store]:
    """A second server on the same database."""
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def by_hand(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        yield connection


def after(store: Store, cursor: Cursor, limit: int = 10**6) -> list[tuple[Cursor, Event]]:
    return store.read(lambda tx: tx.events.after(cursor, limit))


def append(store: Store, number: int) -> None:
    store.write(lambda tx: tx.events.append([event(number)]))


def listening(store: Store) -> Heard:
    """A listener that has heard its first `*`, so it hears of everything from here on."""
    heard = Heard(store)
    heard.wait_for("*")
    heard.clear()
    return heard


def test_other_servers_hear_of_a_commit(store: Store, neighbour: Store):
    heard, own = listening(neighbour), listening(store)
    store.write(organise)
    store.write(lambda tx: tx.region.next_gen("north"))
    heard.wait_for("centre:north")
    append(store, 7)
    assert own.calls[-1] == {"events", "job:job-000007", "project:demo"}
    heard.wait_for("events", "job:job-000007", "project:demo")
    assert [one.data["number"] for _, one in after(neighbour, Cursor())] == [7]


def test_odd_and_many_topics_arrive(store: Store, neighbour: Store):
    heard = listening(neighbour)
    odd = 'it\'s "odd" \\ 100% 区 %s'
    store.write(lambda tx: tx.events.append([event(1, project=odd)]))
    heard.wait_for(f"project:{odd}")
    store.write(lambda tx: tx.events.append([event(number, project=f"p{number}") for number in range(2000)]))
    heard.wait_for("*")


def test_an_open_transaction_holds_events_back_and_readers_are_woken_when_it_ends(
    store: Store, neighbour: Store, by_hand: psycopg.Connection
):
    append(store, 1)
    end = store.read(lambda tx: tx.events.end())
    here, there = listening(store), listening(neighbour)
    by_hand.execute("SELECT pg_current_xact_id()")  # an older transaction that is still running
    append(store, 2)
    there.wait_for("events", "job:job-000002")
    here.wait_for("events", "job:job-000002")
    assert after(store, end) == after(neighbour, end) == []
    assert store.read(lambda tx: tx.events.end()) == end
    here.clear()
    there.clear()
    append(neighbour, 3)
    there.wait_for("events", "job:job-000003")
    here.wait_for("events", "job:job-000003")
    here.clear()
    there.clear()
    assert after(store, end) == []
    by_hand.rollback()
    for heard, reader in ((here, store), (there, neighbour)):
        heard.wait_for("events", "job:job-000002", "job:job-000003")
        assert [one.data["number"] for _, one in after(reader, end)] == [2, 3]


def test_events_that_overtake_each_other_are_read_in_one_order(store: Store, by_hand: psycopg.Connection):
    """The smaller id commits last: a reader by ids alone would miss it."""
    by_hand.execute("INSERT INTO events (at, kind, term, data) VALUES (1, 'slow', 0, '{}')")
    append(store, 2)
    assert after(store, Cursor()) == []
    by_hand.commit()
    append(store, 3)
    assert [one.kind for _, one in after(store, Cursor())] == ["slow", "job.submitted", "job.submitted"]


def test_a_reader_misses_nothing_while_many_write(store: Store, neighbour: Store):
    writers, each = 6, 40
    heard = Heard(store)
    woken = threading.Event()
    store.subscribe(lambda topics: woken.set())
    found: list[tuple[Cursor, Event]] = []

    def three(first: int, tx: Tx) -> None:
        for part in range(3):  # ids of several transactions interleave
            tx.events.append([event(first + part)])
            tx.jobs.count_by_state()

    def write(number: int) -> None:
        for turn in range(each):
            (store, neighbour)[number % 2].write(partial(three, number * 10_000 + turn * 10))

    def read() -> None:
        while len(found) < writers * each * 3:
            woken.clear()
            new = after(store, found[-1][0] if found else Cursor(), 7)
            found.extend(new)
            if not new:
                assert woken.wait(timeout=60), f"{len(found)} read, then nobody called"

    assert together(read, *(lambda number=number: write(number) for number in range(writers))) == []
    cursors = [cursor for cursor, _ in found]
    assert cursors == sorted(set(cursors))
    assert found == after(store, Cursor())
    wanted = [n * 10_000 + t * 10 + p for n in range(writers) for t in range(each) for p in range(3)]
    assert sorted(one.data["number"] for _, one in found) == wanted
    assert heard.calls


def test_only_one_of_two_servers_leads_and_the_other_is_fenced(store: Store, neighbour: Store):
    first = store.write(lambda tx: tx.leadership.campaign("a", 0, 100))
    second = neighbour.write(lambda tx: tx.leadership.campaign("b", 100, 100))
    assert (first, second) == (1, 2)
    assert not store.write(lambda tx: tx.leadership.fence(1, "a", 101, 100))
    assert neighbour.write(lambda tx: tx.leadership.fence(2, "b", 101, 100))


def test_two_servers_with_the_same_key_do_the_work_once(store: Store, neighbour: Store):
    store.write(organise)
    done: list[str] = []

    def work(key: str, tx: Tx) -> str:
        if tx.answers.find("demo", key) is not None:
            return "found"
        tx.money.move("demo", held=1)
        tx.answers.insert(answer(key))
        return "done"

    def ask(server: Store) -> None:
        done.extend(server.write(partial(work, f"k{number}")) for number in range(30))

    assert together(lambda: ask(store), lambda: ask(neighbour), lambda: ask(store)) == []
    assert done.count("done") == 30
    assert store.read(lambda tx: tx.region.projects(["demo"]))["demo"].held == 30


def test_deadlocks_are_run_again(store: Store, neighbour: Store):
    store.write(organise)
    met = threading.Barrier(2)
    runs: list[str] = []

    def move(server: Store, first: str, second: str) -> None:
        def work(tx: Tx) -> None:
            runs.append(first)
            tx.money.move(first, held=1)
            if len(runs) <= 2:
                met.wait(timeout=30)
            tx.money.move(second, held=1)

        server.write(work)

    assert together(lambda: move(store, "demo", "other"), lambda: move(neighbour, "other", "demo")) == []
    assert len(runs) >= 3
    assert {one.held for one in store.read(lambda tx: tx.region.projects()).values()} == {2}


def kill_others(by_hand: psycopg.Connection) -> None:
    by_hand.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    by_hand.commit()


def test_lost_connections_are_made_again(store: Store, by_hand: psycopg.Connection):
    store.write(lambda tx: tx.jobs.insert([job(1)]))
    kill_others(by_hand)
    assert len(store.read(lambda tx: tx.jobs.get(["job-000001"]))) == 1
    kill_others(by_hand)
    store.write(lambda tx: tx.jobs.insert([job(2)]))
    runs: list[int] = []

    def work(tx: Tx) -> None:
        runs.append(1)
        tx.jobs.insert([job(3)])
        if len(runs) == 1:
            kill_others(by_hand)
        tx.jobs.insert([job(4)])

    store.write(work)
    assert len(runs) == 2
    assert len(store.read(lambda tx: tx.jobs.page(None, [], None, 9))) == 4


def test_a_database_that_is_gone_is_away(database: str, postgres: services.Postgres):
    name = postgres.create()
    store = open_store(postgres.url(name))
    store.write(lambda tx: tx.jobs.insert([job(1)]))
    postgres.drop(name)
    with pytest.raises(Away, match="does not exist"):
        store.read(lambda tx: tx.jobs.get(["job-000001"]))
    with pytest.raises(Away, match="may be done or not"):
        store.write(lambda tx: tx.jobs.insert([job(2)]))
    store.close()


def test_news_come_again_after_the_listening_connection_was_lost(
    store: Store, neighbour: Store, by_hand: psycopg.Connection
):
    heard = listening(neighbour)
    kill_others(by_hand)
    append(store, 1)
    heard.wait_for("*")  # whatever it may have missed
    heard.clear()
    append(store, 2)
    heard.wait_for("job:job-000002")


def test_the_pool_is_shared_by_more_threads_than_connections(url: str):
    store = open_store(url, connections=2)

    def insert(number: int) -> None:
        store.write(lambda tx: tx.jobs.insert([job(number)]))

    assert together(*(partial(insert, number) for number in range(12))) == []
    assert len(store.read(lambda tx: tx.jobs.page(None, [], None, 99))) == 12
    store.close()


def test_a_conflict_leaves_the_connection_usable(store: Store):
    runs: list[int] = []

    def work(tx: Tx) -> None:
        runs.append(1)
        tx.jobs.insert([job(1)])
        if len(runs) < 3:
            raise Conflict

    store.write(work)
    assert len(runs) == 3
