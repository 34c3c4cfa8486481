"""What a queue lets a job ask for."""

from __future__ import annotations

import pytest

from baygrid.app import explain, policies
from baygrid.app.problems import Invalid
from tests.app.stage import OPERATOR, Stage


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.add_site("qianhai")
    stage.add_project("other")
    policies.set_policy(
        stage.platform,
        OPERATOR,
        {"queues": {"fast": {"up_to": "urgent"}, "theirs": {"projects": ["other"]}}},
        None,
    )
    return stage


@pytest.mark.parametrize(
    ("asked", "field", "says"),
    [
        ({"queue": "fsat"}, "queue", "did you mean 'fast'?"),
        ({"queue": "theirs"}, "queue", "use default or fast"),
        ({"priority": "high"}, "priority", "write normal"),
    ],
)
def test_a_queue_refuses_what_it_is_not_for(stage: Stage, asked, field, says):
    for refused in (
        lambda: stage.submit(asked),
        lambda: stage.submit({}, asked),
        lambda: explain.of_document(
            stage.platform, stage.team, {"name": "job", "run": "true", "time": "1h", **asked}
        ),
    ):
        with pytest.raises(Invalid) as found:
            refused()
        path, _, message = str(found.value).partition(": ")
        assert path in (field, f"jobs[1].{field}")
        assert says in message
    assert stage.platform.store.read(lambda tx: tx.jobs.count_by_state()) == {}


def test_a_queue_takes_what_it_is_for(stage: Stage):
    stage.submit({"queue": "fast", "priority": "urgent"}, {"priority": "low"})
