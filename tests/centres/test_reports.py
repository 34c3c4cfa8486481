"""When an agent must report again at once, and when what it still has to tell can wait."""

import pytest

from baygrid.centres import reports
from baygrid.centres.remembered import Phase, Remembered
from baygrid.centres.reports import HEARTBEAT_MS, Reporter, final_report
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.centre import Observation
from baygrid.ports.messages import ReportAnswer, SignedUsage, Usage
from tests.centres.site import order

NOW = 1_000_000
NOTHING_STORED = ReportAnswer(gen=0, closed=(), usage_stored=(), inventory_digest="")
RECORD = SignedUsage(Usage("att-1", 1, 0, 1_000, 1, 1, 512, None, 0, 0.5, 100), "s")


def ended(number: int, usage: int = 0) -> Remembered:
    one = Remembered(order("x", number), Phase.FINAL)
    one.final = final_report(one, Observation(AttemptState.SUCCEEDED, started_at=1, ended_at=2), NOW)
    one.unstored = [RECORD] * usage
    return one


@pytest.fixture
def reporter() -> Reporter:
    made = Reporter(1, "cafe")
    made.build({}, 0, NOW)  # the whole state was told just now
    made.answered(NOTHING_STORED)
    return made


def due(reporter: Reporter, kept: dict[str, Remembered], now: int) -> int:
    """How long the next report may wait when this one was answered."""
    report = reporter.build(kept, 0, now)
    assert report.attempts
    reporter.answered(NOTHING_STORED)
    return reporter.due_at - now


def test_ends_that_do_not_fit_are_told_at_once_and_those_refused_are_not(reporter, monkeypatch):
    monkeypatch.setattr(reports, "BYTES_PER_REPORT", 500)
    kept = {one.order.attempt: one for one in map(ended, range(3))}
    for attempt in kept:
        reporter.note(attempt)
    assert [due(reporter, kept, NOW) for _ in range(4)] == [0, 0, HEARTBEAT_MS, HEARTBEAT_MS]


def test_usage_that_is_taken_is_followed_at_once_by_the_rest_and_one_refused_is_not(reporter, monkeypatch):
    monkeypatch.setattr(reports, "USAGE_PER_REPORT", 2)
    one = ended(1, usage=7)
    kept = {one.order.attempt: one}
    reporter.note(one.order.attempt)
    assert due(reporter, kept, NOW) == 0
    del one.unstored[:2]
    assert due(reporter, kept, NOW) == 0
    assert due(reporter, kept, NOW) == HEARTBEAT_MS
    del one.unstored[:2]
    assert due(reporter, kept, NOW) == 0
