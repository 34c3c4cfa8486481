"""Setting the placement policy: names that must be there, what a team may see of it, what a job may ask."""

from __future__ import annotations

from typing import Any

import pytest

from baygrid.app import policies, projects
from baygrid.app.access import Actor
from baygrid.app.problems import Forbidden, Invalid
from baygrid.core.jobs.spec import JobSpec, parse
from baygrid.core.placement import policy_file
from baygrid.core.units import Money
from baygrid.ports.records import Cursor, Kind, Role
from tests.app.stage import HOUR, OPERATOR, Stage


@pytest.fixture
def stage() -> Stage:
    """Centre hub with nodes hub-0 and hub-1; project demo of acme, project rival of other."""
    made = Stage()
    made.add_site("hub", nodes=2)
    projects.add_organisation(made.platform, OPERATOR, "other", Kind.COMPANY, "Other")
    projects.add_project(made.platform, OPERATOR, "rival", "other", "CNY", Money.parse("1 CNY"))
    return made


def declare(stage: Stage, document: object, valid_from: int | None = None, actor: Actor = OPERATOR):
    return policies.set_policy(stage.platform, actor, document, valid_from)


def reserved(**fields: Any) -> dict[str, Any]:
    window = {"from": "2030-01-01T00:00:00Z", "until": "2030-01-02T00:00:00Z"}
    one = {"name": "exam", "centre": "hub", "partition": "main", "nodes": ["hub-0"], **window, **fields}
    return {"reservations": [one]}


def test_the_newest_that_has_begun_is_in_force_and_the_others_are_kept(stage: Stage):
    assert policies.policy(stage.platform, OPERATOR) is None
    first = declare(stage, {"reserve": 1})
    later = declare(stage, {"reserve": 3}, stage.now + HOUR)
    stage.pass_time(1000)
    second = declare(stage, {"reserve": 2})
    assert policies.policy(stage.platform, OPERATOR) == second
    stage.pass_time(HOUR)
    assert policies.policy(stage.platform, OPERATOR) == later
    assert policies.history(stage.platform, OPERATOR) == [later, second, first]


def test_setting_one_is_an_event_and_a_new_version_of_the_region(stage: Stage):
    before = stage.store.read(lambda tx: tx.region.version())
    row = declare(stage, {"half_life": "7d"})
    event = stage.store.read(lambda tx: tx.events.after(Cursor(), 100))[-1][1]
    assert (event.kind, event.data) == ("policy-set", {"policy": row.id, "valid_from": stage.now})
    assert stage.store.read(lambda tx: tx.region.version()) == before + 1


def test_the_past_cannot_be_changed(stage: Stage):
    with pytest.raises(Invalid, match="valid_from: lies in the past"):
        declare(stage, {}, stage.now - 1)
    assert policies.history(stage.platform, OPERATOR) == []


@pytest.mark.parametrize(
    ("document", "path", "says"),
    [
        ({"shares": {"acne": 2}}, "shares.acne", "no organisation 'acne': did you mean 'acme'?"),
        ({"shares": {"acme/dem": 2}}, "shares.acme/dem", "no project of acme 'dem': did you mean 'demo'?"),
        ({"shares": {"acme/rival": 2}}, "shares.acme/rival", "no project of acme 'rival': there are demo"),
        ({"shares": {"acme/demo/tok-9": 2}}, "shares.acme/demo/tok-9", "no token 'tok-9'"),
        ({"queues": {"q": {"projects": ["dmeo"]}}}, "queues.q.projects", "did you mean 'demo'?"),
        ({"queues": {"q": {"quotas": {"H100": 1}}}}, "queues.q.quotas.H100", "there are cpu"),
        ({"flavors": {"CPU": {"watts": 5}}}, "flavors.CPU", "no accelerator 'CPU'"),
        ({"centres": {"hup": {}}}, "centres.hup", "no centre 'hup': did you mean 'hub'?"),
        (reserved(centre="hup"), "reservations[0].centre", "did you mean 'hub'?"),
        (reserved(partition="mian"), "reservations[0].partition", "did you mean 'main'?"),
        (reserved(nodes=["hub-0", "hub-9"]), "reservations[0].nodes", "no node of hub/main 'hub-9'"),
        (reserved(projects=["nobody"]), "reservations[0].projects", "there are demo, rival"),
        ({"half_lief": "7d"}, "", "did you mean 'half_life'?"),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_the_nearest(
    stage: Stage, document: object, path: str, says: str
):
    with pytest.raises(Invalid) as refused:
        declare(stage, document)
    (problem,) = refused.value.extra["problems"]
    assert problem["path"] == path
    assert says in problem["message"]
    assert policies.history(stage.platform, OPERATOR) == []


def test_all_names_that_are_not_there_are_told_at_once(stage: Stage):
    with pytest.raises(Invalid) as refused:
        declare(stage, {"shares": {"x": 1, "y": 1}, "centres": {"z": {}}} | reserved(nodes=["a", "b"]))
    assert len(refused.value.extra["problems"]) == 5


def test_a_name_that_is_there_is_taken(stage: Stage):
    stage.add_site("far")
    (token,) = [t.id for t in stage.store.read(lambda tx: tx.region.tokens()) if t.centre == "far"]
    document = {
        "shares": {"acme": 2, "acme/demo": 4, f"acme/demo/{token}": 3},
        "queues": {"default": {"projects": ["demo", "rival"], "quotas": {"cpu": 4}}},
        "centres": {"far": {"pue": 1.3}},
    } | reserved(projects=["demo"])
    row = declare(stage, document)
    assert policy_file.parse(row.document) == policy_file.parse(document)


def test_a_team_reads_it_without_what_names_others(stage: Stage):
    declare(
        stage,
        {
            "shares": {"acme": 2, "acme/demo": 4, "other": 1, "other/rival": 7},
            "queues": {"a": {"projects": ["rival", "demo"]}, "b": {"projects": ["rival"]}, "c": {}},
        }
        | reserved(projects=["rival"]),
    )
    for rows in ([policies.policy(stage.platform, stage.team)], policies.history(stage.platform, stage.team)):
        (row,) = rows
        assert row is not None
        assert row.document["shares"] == {"acme/demo": 4}
        assert row.document["queues"] == {"a": {"projects": ["demo"]}, "b": {"projects": []}, "c": {}}
        assert "rival" not in str(row.document)
        assert "other" not in str(row.document)


def test_only_an_operator_sets_it_and_a_centre_does_not_read_it(stage: Stage):
    with pytest.raises(Forbidden):
        declare(stage, {}, actor=stage.team)
    for read in (policies.policy, policies.history):
        with pytest.raises(Forbidden):
            read(stage.platform, Actor("tok", Role.CENTRE, "hub", centre="hub"))


QUEUES = policy_file.parse(
    {"queues": {"train": {"up_to": "high", "projects": ["demo"]}, "rivals": {"projects": ["rival"]}}}
)


def spec(**fields: object) -> JobSpec:
    return parse({"name": "job", "project": "demo", "run": "true", "time": "1h", **fields})


@pytest.mark.parametrize(
    "fields",
    [{}, {"priority": "low"}, {"queue": "train"}, {"queue": "train", "priority": "high"}],
    ids=str,
)
def test_what_a_queue_allows(fields: dict[str, object]):
    policies.check_queue(QUEUES, spec(**fields), "demo")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"queue": "trian"}, "queue: there is no queue 'trian': did you mean 'train'?"),
        ({"queue": "rivals"}, "queue: queue 'rivals' is not for project 'demo': use default or train"),
        (
            {"queue": "train", "priority": "urgent"},
            "priority: .* up to priority high, not urgent: write high",
        ),
        ({"priority": "high"}, "priority: queue 'default' takes jobs up to priority normal"),
    ],
    ids=str,
)
def test_what_a_queue_does_not_allow(fields: dict[str, object], says: str):
    with pytest.raises(Invalid, match=says):
        policies.check_queue(QUEUES, spec(**fields), "demo")
