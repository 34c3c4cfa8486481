"""The audit: who is told what, files that anybody can check, what an altered or missing link does to them."""

from dataclasses import replace
from typing import Any

import pytest

from baygrid.app import audit, contracts, grants, projects
from baygrid.app.access import Actor
from baygrid.app.bundles import NoSigner
from baygrid.app.grants import ReadRefused
from baygrid.app.problems import Forbidden, NotFound, TooLarge
from baygrid.app.signatures import signed_by
from baygrid.core.data.chain import End, Hidden, Link, check
from baygrid.core.data.contracts import Side, Step
from baygrid.core.data.evidence import checked, first_difference, read_end, read_evidence, wrong_signature
from baygrid.core.data.terms import Terms
from baygrid.ports.contracts import ContractStep, GrantRow
from baygrid.ports.records import Kind
from baygrid.ports.store import Tx
from tests.app.data_stage import DataStage
from tests.app.stage import OPERATOR, Stage
from tests.store.records import data_contract


@pytest.fixture
def sides(stage: Stage) -> tuple[Actor, Actor]:
    """The consumer of demo's contract, and somebody else."""
    projects.add_organisation(stage.platform, OPERATOR, "uni", Kind.UNIVERSITY, "Uni")
    return stage.add_project("study", "uni"), stage.add_project("third", "uni")


@pytest.fixture(autouse=True)
def _links(stage: Stage, sides: tuple[Actor, Actor]) -> None:
    """Contract con-1 is between demo and study; links 2, 4 and 5 are its."""

    def begin(tx: Tx) -> None:
        row = data_contract(id="con-1", provider="demo", consumer="study", exporter="acme")
        tx.contracts.insert(row, [GrantRow("grant-1", "con-1", "demo", "patients", Terms())])
        tx.contracts.append_step(ContractStep("con-1", 0, 5, Step.REQUEST, Side.CONSUMER, "tok", {"a": 1}))
        for kind, contract, project in (
            ("table-added", None, "demo"),
            ("contract-request", "con-1", "study"),
            ("read", None, "third"),
            ("contract-agree", "con-1", "demo"),
            ("read", "con-1", "study"),
            ("table-added", None, "third"),
        ):
            tx.audit.append(stage.now, kind, {"of": kind}, contract=contract, project=project)

    stage.store.write(begin)


def numbers(stage: Stage, actor: Actor, **more: Any) -> list[int]:
    asked = {"before": None, "limit": 99} | more
    return [link.n for link in audit.links(stage.platform, actor, **asked)]


def test_a_project_is_told_of_itself_and_of_its_contracts(stage: Stage, sides: tuple[Actor, Actor]):
    consumer, third = sides
    assert numbers(stage, OPERATOR) == [6, 5, 4, 3, 2, 1]
    assert numbers(stage, stage.team) == [5, 4, 2, 1]
    assert numbers(stage, consumer) == [5, 4, 2]
    assert numbers(stage, third) == [6, 3]
    assert numbers(stage, third, contract="con-1") == []
    assert numbers(stage, stage.team, before=4, limit=1) == [2]


def test_everybody_can_check_the_whole_chain(stage: Stage, sides: tuple[Actor, Actor]):
    _, third = sides
    end, signature = read_end(audit.signed_end(stage.platform, third))
    assert wrong_signature(signature, signed_by, stage.platform.signer.public_key) is None  # type: ignore[union-attr]
    for actor in (OPERATOR, stage.team, third):
        pages: list[Link | Hidden] = []
        while page := audit.chain(stage.platform, actor, after=len(pages), limit=4):
            pages += page
        assert check(pages, end=end).flaw is None
        shown = {link.n for link in pages if isinstance(link, Link)}
        assert shown == set(numbers(stage, actor))


def test_evidence_of_a_contract(stage: Stage, sides: tuple[Actor, Actor]):
    for actor in (OPERATOR, stage.team, sides[0]):
        document = audit.export(stage.platform, actor, "con-1")
        it = read_evidence(document)
        assert first_difference(it, signed_by, stage.platform.signer.public_key) is None  # type: ignore[union-attr]
        assert [link.n for link in it.links if isinstance(link, Link)][:3] == [2, 4, 5]
        assert it.start.n == 1
        assert (it.links[-1].n, it.end) == (it.end.n, stage.store.read(lambda tx: tx.audit.end()))
        assert document["contract"]["id"] == "con-1"
        assert document["contract"]["grants"][0]["name"] == "patients"
        assert document["contract"]["steps"][0]["data"] == {"a": 1}
        assert "third" not in str(document)
    links = stage.store.read(lambda tx: tx.audit.after(6, 9))
    assert [(it.kind, it.project, it.contract) for it in links] == [
        ("evidence-exported", None, "con-1"),
        ("evidence-exported", "demo", "con-1"),
        ("evidence-exported", "study", "con-1"),
    ]


def test_evidence_is_for_the_sides_of_a_contract_only(stage: Stage, sides: tuple[Actor, Actor]):
    for actor, contract in ((sides[1], "con-1"), (OPERATOR, "con-9"), (stage.team, "con-9")):
        with pytest.raises(NotFound, match=f"there is no contract '{contract}'"):
            audit.export(stage.platform, actor, contract)
    assert stage.store.read(lambda tx: tx.audit.end()).n == 6


def test_without_a_signing_key_nothing_is_exported(stage: Stage):
    platform = replace(stage.platform, signer=None)
    for work in (
        lambda: audit.export(platform, OPERATOR, "con-1"),
        lambda: audit.export_all(platform, OPERATOR, 0),
        lambda: audit.signed_end(platform, OPERATOR),
    ):
        with pytest.raises(NoSigner):
            work()
    assert stage.store.read(lambda tx: tx.audit.end()).n == 6


def test_all_links_in_parts(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audit, "MOST_LINKS", 4)
    first = read_evidence(audit.export_all(stage.platform, OPERATOR, 0))
    second = read_evidence(audit.export_all(stage.platform, OPERATOR, 4))
    assert [link.n for link in (*first.links, *second.links)] == [1, 2, 3, 4, 5, 6]
    assert second.start == first.end == End(4, first.links[-1].hash)
    for it in (first, second):
        assert first_difference(it, signed_by) is None
        assert checked(it).hidden == 0
    with pytest.raises(NotFound, match="there is no link 7"):
        audit.export_all(stage.platform, OPERATOR, 7)
    with pytest.raises(Forbidden):
        audit.export_all(stage.platform, stage.team, 0)
    with pytest.raises(TooLarge, match="export --after"):
        audit.export(stage.platform, OPERATOR, "con-1")


def test_the_evidence_of_a_contract_names_the_articles_the_reads_and_the_refusal():
    stage = DataStage()
    visits = stage.table("visits", ["Li", "Wu"])
    id = stage.shared(visits)
    bearer = stage.bearer()
    permit = grants.may_read(stage.platform, bearer, "hospital", "hospital", "visits")
    grants.served(stage.platform, permit, "read", {"rows": 2})
    contracts.suspend(stage.platform, stage.hospital, id, "a complaint")
    with pytest.raises(ReadRefused):
        grants.may_read(stage.platform, bearer, "hospital", "hospital", "visits")
    stage.shared(stage.table("others", ["Ma"]), share="second")
    it = read_evidence(audit.export(stage.platform, stage.lab, id))
    assert first_difference(it, signed_by) is None
    shown = {link.kind: link.data for link in it.links if isinstance(link, Link)}
    assert "Provisions 5(4)" in str(shown["contract-agree"])
    assert shown["read"]["rows"] == 2
    assert shown["read-refused"]["reason"]["code"] == "contract-suspended"
    assert it.contract is not None
    assert [step["step"] for step in it.contract["steps"]][-1] == "suspend"
    assert any(isinstance(link, Hidden) for link in it.links)
    assert "second" not in str(it.contract)
