"""The catalogue, contracts and counters as pages: from a search to a read, by two sides and the law."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from baygrid.core.data.contracts import State
from baygrid.store import open_store
from tests.app.data_stage import LAB, OPEN, SENSITIVE, DataStage
from tests.portal.conftest import csrf
from tests.portal.stages import OPERATOR, lead, looking
from tests.portal.test_money import plain


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[DataStage]:
    store = open_store(f"sqlite:///{tmp_path}/a.db")
    yield DataStage(store)
    store.close()


def send(client: TestClient, address: str, **typed: str | list[str]) -> tuple[int, str]:
    """The status of the answer, and where it leads, or what it says."""
    answer = client.post(address, data={"csrf": csrf(client), **typed})
    return answer.status_code, answer.headers.get("location") or answer.text


def test_tables_are_found_by_their_labels_and_a_wish_is_counted(stage: DataStage):
    stage.table("visits", ["a"])
    stage.table("weather", (), OPEN, open=True)
    with looking(stage, lead("lab")) as client:
        assert "2 tables" in client.get("/portal/data").text
        found = plain(client.get("/portal/data?q=personal").text)
        assert "hospital/visits" in found
        assert "hospital/weather" not in found
        assert "Qianhai, Shenzhen" in found
        assert "s3://" not in client.get("/portal/data/tables/hospital/visits").text
        nothing = client.get("/portal/data?q=traffic")
        assert "Nothing is found" in nothing.text
        assert send(client, "/portal/data/wanted", text=" ")[0] == 422
        assert send(client, "/portal/data/wanted", text="traffic <b>")[0] == 303
        assert "traffic &lt;b&gt;" in client.get("/portal/data").text


def test_an_owner_says_what_columns_are_and_what_contradicts_itself_comes_back(stage: DataStage):
    stage.table("visits", ["a"], {}, columns=["id", "city"])
    address = "/portal/data/tables/hospital/visits"
    with looking(stage, lead("hospital")) as client:
        assert plain(client.get(address).text).count("nobody has said") == 2
        said = {"0-persons": "plain", "0-importance": "ordinary", "0-subject": "subject"}
        code, page = send(client, f"{address}/labels", by="Li Hua", **said)
        assert code == 422
        assert "persons are told apart is personal" in page
        assert 'value="Li Hua"' in page
        assert send(client, f"{address}/labels", by="", **said)[0] == 422
        said["0-persons"] = "personal"
        assert send(client, f"{address}/labels", by="Li Hua", **said) == (303, address)
        page = plain(client.get(address).text)
        assert page.count("nobody has said") == 1
        assert "confirmed by Li Hua" in page
    with looking(stage, lead("lab")) as client:
        assert "Confirm these labels" not in client.get(address).text
        assert send(client, f"{address}/labels", by="Eve", **said)[0] == 404


def test_from_a_request_to_a_contract_in_force(stage: DataStage):
    table = stage.table("visits", [f"person {n}" for n in range(950)], SENSITIVE)
    asking = f"/portal/data/tables/{table}/request"
    with looking(stage, lead("lab")) as lab, looking(stage, lead("hospital")) as hospital:
        wanted = {"purpose": "a study of <waiting>", "ground": "other", "mode": "rows"}
        code, page = send(lab, asking, **wanted)
        assert code == 422
        assert "Choose at least one column" in page
        assert "a study of &lt;waiting&gt;" in page
        code, contract = send(lab, asking, columns=["id", "illness"], **wanted)
        assert code == 303
        (id,) = re.findall(r"contract-\w+", contract)

        def step(client: TestClient, name: str, **more: str) -> int:
            assert f'value="{name}"' in client.get(contract).text
            return send(client, f"{contract}/step", step=name, **more)[0]

        code, page = send(hospital, f"{contract}/step", step="agree")
        assert code == 409, "a route must be chosen first"
        assert "none is chosen: sc, cert, gba_sc" in page
        assert step(hospital, "offer", choice="gba_sc", until="2027-06-30") == 303
        assert "Offer these terms" not in lab.get(contract).text, "that is the other side's"
        assert step(lab, "accept") == 303
        assert step(hospital, "agree") == 303
        assert step(lab, "verify") == 303
        code, page = send(hospital, f"{contract}/step", step="finalize")
        assert code == 409, "what the law wants first is not recorded"
        shown = hospital.get(contract).text
        assert "in the way" in shown
        recorded = {"by": "Li Hua", "day": "2026-11-23", "reference": "file 7"}
        due = list(dict.fromkeys(re.findall(r'name="obligation" value="([\w-]+)"', shown)))
        bad = {**recorded, "day": "yesterday", "obligation": due[0]}
        assert send(hospital, f"{contract}/record", **bad)[0] == 422
        for obligation in due:
            assert send(hospital, f"{contract}/record", obligation=obligation, **recorded)[0] == 303
        assert step(hospital, "finalize") == 303
        assert stage.state(id).state is State.FINALIZED
        page = plain(lab.get(contract).text)
        assert "30 Jun 2027" in page
        assert "✓" not in page, "that is the style sheet's"
        assert step(lab, "suspend", reason="a holiday") == 303
        assert "Suspended by the consumer" in plain(hospital.get(contract).text)
        assert 'value="resume"' in lab.get(contract).text
        assert step(lab, "resume") == 303
        assert step(lab, "terminate", reason="it is done") == 303
        assert stage.state(id).state is State.TERMINATED
        assert "Nothing: it has ended." in lab.get(contract).text
        assert "Contract: ended" in plain(hospital.get("/portal/data/reads").text)


def test_a_contract_is_for_its_two_sides(stage: DataStage):
    id = stage.request(stage.table("visits", ["a"]))
    stage.join("stranger", LAB)
    with looking(stage, lead("stranger")) as client:
        assert client.get(f"/portal/data/contracts/{id}").status_code == 404
        assert send(client, f"/portal/data/contracts/{id}/step", step="terminate", reason="x")[0] == 404
        assert id not in client.get("/portal/data/contracts").text
        assert id not in client.get("/portal/data/reads").text
    assert stage.state(id).state is State.REQUESTED
    with looking(stage, lead("lab")) as client:
        assert send(client, f"/portal/data/contracts/{id}/step", step="explode")[0] == 422


def test_persons_are_counted_and_the_next_threshold_is_told(stage: DataStage):
    stage.shared(stage.table("visits", [f"person {n}" for n in range(95)]))
    with looking(stage, lead("hospital"), language="zh-CN") as client:
        text = plain(client.get("/portal/data/persons").text)
        assert "仅涉及非敏感信息的人数 95" in text
        assert "95 / 100,000" in text
    with looking(stage, OPERATOR) as client:
        assert "95 / 100,000" in plain(client.get("/portal/data/persons?organisation=hospital").text)
        assert client.get("/portal/data/persons?organisation=nobody").status_code == 404
