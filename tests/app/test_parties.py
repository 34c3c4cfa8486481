"""What an operator verifies of organisations."""

import pytest

from baygrid.app import parties, projects
from baygrid.app.problems import Forbidden, Invalid, NotFound
from baygrid.core.data.parties import FACTS as FACTS_OF_PARTIES
from baygrid.ports.records import Kind
from baygrid.rulebooks.cross_border.book import facts
from tests.app.stage import OPERATOR, START, Stage

FACTS = {"jurisdiction": "cn", "city": "Shenzhen", "registered_in_gba9": True, "ciio": False}


def kinds(stage: Stage) -> list[str]:
    return [link.kind for link in stage.store.read(lambda tx: tx.audit.after(0, 99))]


def test_what_is_said_anew_is_a_new_version_and_hangs_on_the_audit(stage: Stage):
    first = parties.set_party(stage.platform, OPERATOR, "acme", {"facts": FACTS})
    stage.pass_time(5)
    again = parties.set_party(stage.platform, OPERATOR, "acme", {"facts": FACTS})
    assert again == first
    assert (first.version, first.made_at, first.facts) == (1, START, FACTS)
    second = parties.set_party(stage.platform, OPERATOR, "acme", {"facts": FACTS | {"ciio": True}})
    assert (second.version, second.made_at) == (2, START + 5)
    assert parties.parties(stage.platform, OPERATOR) == [second]
    assert kinds(stage) == ["party-set", "party-set"]
    (link, _) = stage.store.read(lambda tx: tx.audit.after(0, 99))
    assert link.data["facts"] == FACTS
    assert link.data["by"] == OPERATOR.token_id


def test_a_project_sees_its_own_organisation_only(stage: Stage):
    projects.add_organisation(stage.platform, OPERATOR, "uni", Kind.UNIVERSITY, "Uni")
    rival = stage.add_project("study", "uni")
    own = parties.set_party(stage.platform, OPERATOR, "acme", {"facts": FACTS})
    assert parties.parties(stage.platform, stage.team) == [own]
    assert parties.parties(stage.platform, rival) == []


def test_only_an_operator_verifies(stage: Stage):
    with pytest.raises(Forbidden):
        parties.set_party(stage.platform, stage.team, "acme", {"facts": FACTS})
    with pytest.raises(NotFound):
        parties.set_party(stage.platform, OPERATOR, "nobody", {"facts": FACTS})
    with pytest.raises(Invalid) as raised:
        parties.set_party(stage.platform, OPERATOR, "acme", {"facts": {"ciio": "no", "cioo": True}})
    assert [it["path"] for it in raised.value.extra["problems"]] == ["facts.ciio", "facts.cioo"]
    assert parties.parties(stage.platform, OPERATOR) == []
    assert kinds(stage) == []


def test_the_facts_of_parties_are_those_that_the_law_asks_for():
    """But for what is so of one contract only."""
    of_contracts = {"approved_by_authority", "data_processor"}
    asked = {name for name in facts()[0] if name.startswith(("exporter.", "recipient."))}
    assert set(FACTS_OF_PARTIES) | of_contracts == {name.partition(".")[2] for name in asked} | {"sector"}
