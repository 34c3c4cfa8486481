"""What happens at the same moment, on both databases: a threshold is not passed by two who each fit, and who
ends a contract wins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from baygrid.app import contracts, gates, grants, persons
from baygrid.app.contract_steps import Refused
from baygrid.app.grants import ReadRefused
from baygrid.app.problems import WrongState
from baygrid.core.data.contracts import State
from baygrid.ports.store import Store
from baygrid.store import open_store
from tests.app.data_stage import SENSITIVE, DataStage

CLIENTS = 16


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path) -> Iterator[Store]:
    url = (
        f"sqlite:///{tmp_path}/a.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    )
    opened = open_store(url)
    yield opened
    opened.close()


def together(works: list[Callable[[], None]]) -> None:
    gate = threading.Barrier(len(works))
    failed: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        gate.wait(timeout=60)
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised below
            failed.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert failed == []


def test_of_many_that_would_pass_a_threshold_together_those_that_fit_are_final(store: Store):
    """9,000 sensitive persons are shown; 16 contracts of 100 each: nine fit below 10,000."""
    stage = DataStage(store)
    stage.shared(stage.table("old", [f"p{n}" for n in range(9_000)], SENSITIVE), choice="sc", share="old")
    ids = []
    for client in range(CLIENTS):
        name = f"new{client}"
        stage.table(name, [f"{client}-{n}" for n in range(100)], SENSITIVE)
        ids.append(stage.request(f"hospital/{name}", choice="sc", share=name))
        stage.agree(ids[-1])
        stage.record(ids[-1], "notice", "separate-consent", "pipia", "sc-template", "sc-effective")
    refused: list[str] = []

    def finalize(id: str) -> None:
        try:
            gates.finalize(stage.platform, stage.hospital, id)
        except Refused as why:
            refused.append(str(why))

    together([lambda id=id: finalize(id) for id in ids])  # type: ignore[misc]
    final = [id for id in ids if stage.state(id).state is State.FINALIZED]
    assert len(final) == 9
    assert len(refused) == CLIENTS - 9
    assert all("Provisions 7" in it for it in refused)
    count = persons.counted(stage.platform, stage.hospital, None)
    assert (count.exposed.pi, count.exposed.spi) == (0, 9_900)
    assert [row.version for row in count.history] == list(range(1, 11))
    assert [row.spi for row in count.history] == list(range(9_000, 9_901, 100))


def test_who_ends_a_contract_wins_whatever_the_other_does(store: Store):
    stage = DataStage(store)
    stage.table("visits", ["a", "b"])
    for round in range(4):
        id = stage.request("hospital/visits", share=f"s{round}")
        stage.agree(id)
        stage.record_all(id)

        def end(id: str = id) -> None:
            contracts.terminate(stage.platform, stage.lab, id, "stop")

        def finalize(id: str = id) -> None:
            try:
                gates.finalize(stage.platform, stage.hospital, id)
            except WrongState as late:
                assert "TERMINATED" in str(late)  # noqa: PT017

        together([end, finalize])
        assert stage.state(id).state is State.TERMINATED
        with pytest.raises(ReadRefused):
            grants.may_read(stage.platform, grants.Bearer("lab", "x"), f"s{round}", "hospital", "visits")
        (grant,) = stage.store.read(lambda tx, id=id: tx.contracts.grants([id]))  # type: ignore[misc]
        assert grant.opened is None or grant.closed is not None


def test_of_many_who_suspend_at_once_each_side_has_its_own(store: Store):
    stage = DataStage(store)
    id = stage.shared(stage.table("visits", ["a", "b"]))
    told: list[str] = []

    def suspend(actor) -> None:
        try:
            contracts.suspend(stage.platform, actor, id, "a leak")
        except WrongState as again:
            told.append(str(again))

    together([lambda actor=actor: suspend(actor) for actor in [stage.lab, stage.hospital] * 4])  # type: ignore[misc]
    assert sorted(it.side.value for it in stage.state(id).suspensions) == ["consumer", "provider"]
    assert len(told) == 6
