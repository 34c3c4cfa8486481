"""The embedded agent begins anew for as long as it takes."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from baygrid.wiring import agents


class Driver:
    def __init__(self) -> None:
        self.open = True

    def enter(self, tunnel): ...

    def close(self) -> None:
        self.open = False


class Failing:
    def run(self) -> str:
        raise OSError("the disk is full")


class Working:
    def __init__(self) -> None:
        self.begun, self.ended = threading.Event(), threading.Event()

    def run(self) -> str:
        self.begun.set()
        self.ended.wait(20)
        return "stopped"

    def stop(self) -> None:
        self.ended.set()


@pytest.fixture
def drivers(monkeypatch):
    made: list[Driver] = []

    def local(given):
        made.append(Driver())
        return made[-1]

    monkeypatch.setattr(agents, "DRIVERS", {"local": local})
    transport = SimpleNamespace(close=lambda: None)
    monkeypatch.setattr(agents, "EmbeddedTransport", lambda platform, name, failpoint: transport)
    return made


def test_it_begins_anew_also_after_it_could_not(tmp_path, monkeypatch, drivers):
    works = Working()
    course = iter([Failing(), OSError("still full"), OSError("still full"), works])

    def loop(*given):
        made = next(course)
        if isinstance(made, Exception):
            raise made
        return made

    monkeypatch.setattr(agents, "_loop", loop)
    platform: Any = None
    agent = agents.EmbeddedAgent(platform, "here", tmp_path / "state", (), again_s=0.0)
    agent.start()
    assert works.begun.wait(20)
    assert [driver.open for driver in drivers] == [False, False, False, True]
    agent.stop()
    assert not drivers[-1].open
