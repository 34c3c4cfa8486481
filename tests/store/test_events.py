"""The event stream, answers and leadership in the store."""

import pytest

from baygrid.ports.records import Cursor, Event
from baygrid.ports.store import Conflict, Store
from tests.store.records import answer, event

START = Cursor()


def after(store: Store, cursor: Cursor = START, limit: int = 99, **chosen: str) -> list[tuple[Cursor, Event]]:
    return store.read(lambda tx: tx.events.after(cursor, limit, **chosen))


def append(store: Store, rows: list[Event]) -> None:
    store.write(lambda tx: tx.events.append(rows))


def test_the_stream_keeps_the_order_of_writing(store: Store):
    given = [event(number) for number in range(9)]
    full = Event(5, "k", "p", "j", "a", "c", 7, {"deep": [1, {"x": None}]})
    for rows in ([given[0]], given[1:5], given[5:], [full], []):
        append(store, rows)
    found = after(store)
    assert [one for _, one in found] == [*given, full]
    cursors = [cursor for cursor, _ in found]
    assert cursors == sorted(set(cursors))
    assert [Cursor.parse(str(cursor)) for cursor in cursors] == cursors


def test_every_cursor_continues_where_it_was(store: Store):
    store.write(lambda tx: tx.events.append([event(number) for number in range(5)]))
    store.write(lambda tx: tx.events.append([event(number) for number in range(5, 8)]))
    found = after(store)
    for place, (cursor, _) in enumerate(found):
        assert after(store, cursor) == found[place + 1 :]
        assert after(store, cursor, 2) == found[place + 1 : place + 3]


def test_one_project_or_one_job(store: Store):
    rows = [event(number % 3, project=["demo", "other"][number % 2]) for number in range(12)]
    store.write(lambda tx: tx.events.append(rows))
    assert [one for _, one in after(store, project="demo")] == rows[::2]
    assert [one for _, one in after(store, job="job-000001")] == rows[1::3]
    assert [one for _, one in after(store, project="demo", job="job-000001")] == rows[4::6]
    assert [one for _, one in after(store, project="other", limit=2)] == rows[1:5:2]
    assert after(store, job="none") == []


def test_the_end_is_where_nothing_follows_yet(store: Store):
    assert store.read(lambda tx: tx.events.end()) == Cursor()
    store.write(lambda tx: tx.events.append([event(1), event(2)]))
    end = store.read(lambda tx: tx.events.end())
    assert end == after(store)[-1][0]
    assert after(store, end) == []
    store.write(lambda tx: tx.events.append([event(3)]))
    assert [one for _, one in after(store, end)] == [event(3)]


def test_an_answer_is_kept_once(store: Store):
    assert store.read(lambda tx: tx.answers.find("demo", "k1")) is None
    given = answer(body='{"id": "任务"}')
    store.write(lambda tx: tx.answers.insert(given))
    assert store.read(lambda tx: tx.answers.find("demo", "k1")) == given
    assert store.read(lambda tx: tx.answers.find("other", "k1")) is None
    with pytest.raises(Conflict):
        store.write(lambda tx: tx.answers.insert(answer(status=500)))


def test_a_request_that_loses_the_race_finds_the_winner_s_answer(store: Store):
    """The first run sees no answer, as if it had looked just before the other committed."""
    store.write(lambda tx: tx.answers.insert(answer(status=201)))
    looked = []

    def work(tx) -> int:
        looked.append(1)
        found = tx.answers.find("demo", "k1") if len(looked) > 1 else None
        if found is not None:
            return found.status
        tx.answers.insert(answer(status=202))
        return 202

    assert store.write(work) == 201


def test_one_leads_until_the_lease_runs_out(store: Store):
    def campaign(holder, now):
        return store.write(lambda tx: tx.leadership.campaign(holder, now, 100))

    def current():
        return store.read(lambda tx: tx.leadership.current())

    assert current() == (0, "", 0)
    assert campaign("a", 1000) == 1
    assert campaign("b", 1099) is None
    assert campaign("a", 1050) == 1  # renewed
    assert current() == (1, "a", 1150)
    assert campaign("b", 1149) is None
    assert campaign("b", 1150) == 2
    assert campaign("a", 1200) is None
    assert campaign("b", 1250) == 3  # its own lease had run out: another may have led
    assert current() == (3, "b", 1350)


def lead(store: Store, holder: str, now: int) -> int:
    term = store.write(lambda tx: tx.leadership.campaign(holder, now, 100))
    assert term is not None
    return term


def test_a_fence_holds_for_the_term_s_holder_only(store: Store):
    def fence(term, holder, now=1000):
        return store.write(lambda tx: tx.leadership.fence(term, holder, now, 100))

    assert not fence(0, "")
    term = lead(store, "a", 1000)
    assert fence(term, "a", 1050)
    assert store.read(lambda tx: tx.leadership.current()) == (term, "a", 1150)
    assert not fence(term, "b")
    assert not fence(term + 1, "a")
    assert fence(term, "a", 5000)  # late, but nobody took it


def test_who_resigns_lets_another_lead_at_once(store: Store):
    term = lead(store, "a", 1000)
    store.write(lambda tx: tx.leadership.resign(term, "b"))
    assert store.write(lambda tx: tx.leadership.campaign("b", 1001, 100)) is None
    store.write(lambda tx: tx.leadership.resign(term, "a"))
    assert not store.write(lambda tx: tx.leadership.fence(term, "a", 1002, 100))
    assert store.write(lambda tx: tx.leadership.campaign("b", 1003, 100)) == term + 1
