"""What was counted of the registry is not counted again until the registry changes."""

from itertools import count
from threading import Event, Thread

import pytest

from baygrid.app.counted import Counted
from baygrid.ports.registry import ZonesRow
from tests.app.stage import Stage


def test_it_is_counted_anew_when_the_registry_has_changed():
    stage, numbers = Stage(), count()
    counted = Counted(stage.store)
    assert [counted.of("a", lambda: next(numbers)) for _ in range(3)] == [0, 0, 0]
    assert counted.of("b", lambda: next(numbers)) == 1
    stage.store.write(lambda tx: tx.registry.insert_zones(ZonesRow(1, {}, 1, "tok-1")))
    assert counted.of("a", lambda: next(numbers)) == 2


def test_what_changed_while_it_was_counted_is_counted_next_time():
    stage = Stage()
    counted = Counted(stage.store)

    def counts() -> str:
        stage.store.write(lambda tx: tx.registry.insert_zones(ZonesRow(1, {}, 1, "tok-1")))
        return "before or after"

    assert counted.of("a", counts) == "before or after"
    assert counted.of("a", lambda: "after") == "after"


def test_who_asks_meanwhile_waits_for_the_one_that_counts():
    counted = Counted(Stage().store)
    begun, go, told = Event(), Event(), list[str]()

    def counts() -> str:
        begun.set()
        go.wait(10)
        return "one"

    first = Thread(target=lambda: told.append(counted.of("a", counts)))
    first.start()
    assert begun.wait(10)
    second = Thread(target=lambda: told.append(counted.of("a", lambda: "two")))
    second.start()
    go.set()
    first.join(10)
    second.join(10)
    assert told == ["one", "one"]


def test_a_failure_is_not_kept():
    counted = Counted(Stage().store)
    with pytest.raises(ZeroDivisionError):
        counted.of("a", lambda: 1 // 0)
    assert counted.of("a", lambda: 1) == 1
