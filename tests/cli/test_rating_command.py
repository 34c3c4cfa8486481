"""`baygrid rate` before anything is measured: what it gives the engine, and what it says of defects."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from baygrid.cli.commands import rate
from baygrid.cli.entry import app
from baygrid.cli.errors import CliError
from baygrid.workloads import command
from baygrid.workloads.engines.working import WorkerWrong
from baygrid.workloads.rating import gemm, measuring
from tests.core.ratings import cpu_rating


class Engine:
    workers = 7

    def close(self) -> None: ...


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The numbers of workers that engines, and matrix products, were asked for; nothing is measured."""
    found: list[Any] = []

    def engine_of(name: str, workers: int | None, _: str) -> Engine:
        found.append((name, workers))
        return Engine()

    monkeypatch.setattr(command, "engine_of", engine_of)
    monkeypatch.setattr(gemm, "measured", found.append)
    monkeypatch.setattr(measuring, "measure", lambda *_: cpu_rating())
    monkeypatch.setattr(rate, "settle", lambda: None)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return found


def measured(engine: str = "local", workers: str | None = None) -> Any:
    session: Any = SimpleNamespace(json=True)
    return rate._measured(session, "images", engine, rate._counts(workers), 1.0, 1, None, None)


def test_without_a_number_the_engine_says_how_many_workers_there_are(asked: list[Any]):
    measured("ray")
    assert asked == [("ray", None), 7]


def test_a_list_of_workers_is_measured_one_after_the_other(asked: list[Any]):
    assert len(measured(workers="1,2")) == 2
    assert asked == [("local", 1), 7, ("local", 2), 7]


def test_a_defect_of_a_worker_is_told(asked: list[Any], monkeypatch: pytest.MonkeyPatch):
    def wrong(*_: Any) -> None:
        raise WorkerWrong("Traceback: boom")

    monkeypatch.setattr(measuring, "measure", wrong)
    with pytest.raises(CliError, match="a defect of a worker: Traceback: boom") as told:
        measured()
    assert (told.value.code, told.value.exit_code) == ("defect", 70)


def test_a_cluster_is_not_rated_as_if_it_were_this_machine(asked: list[Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    with pytest.raises(CliError, match="of one node") as told:
        measured("ray")
    assert told.value.cure.startswith("unset RAY_ADDRESS")
    assert asked == []
    assert measured("local")


@pytest.mark.parametrize("wrong", [("--engine", "slurm"), ("--pflops", "0"), ("--pflops", "-3")])
def test_an_option_that_means_nothing_is_refused_before_anything_is_measured(wrong: tuple[str, str]):
    told = CliRunner().invoke(app, ["rate", *wrong])
    assert told.exit_code == 2
    assert wrong[0] in told.output
