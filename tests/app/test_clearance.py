"""The last look at the law of a job's datasets: between its place and the first byte at its centre."""

from dataclasses import replace

import pytest

from baygrid.app import borders, contracts, explain, jobs
from baygrid.core.data.labels import Important, Origin, Together
from baygrid.core.data.lineage import Content
from baygrid.core.jobs.lifecycle import AttemptState, JobState
from baygrid.ports.messages import AttemptReport, Stop
from baygrid.ports.records import AttemptRecord, DatasetRecord, JobRecord
from baygrid.ports.store import Tx
from tests.app.data_stage import DataStage

REF = "dataset:hospital/visits@1"
PERSONAL = Together(True, False, Important.NO, False, Origin.DOMESTIC, False)


class Region(DataStage):
    """`hospital` lets `lab` have the persons of a dataset by a contract, and `lab` computes in Hong Kong."""

    def __init__(self) -> None:
        super().__init__()
        self.table("visits", [f"p{n}" for n in range(3)])
        dataset = DatasetRecord(
            "hospital", "visits", 1, "CN-QH", self.uri("visits"), None, 10, True, self.now, "", None, (),
            Content(PERSONAL, 3),
        )  # fmt: skip

        def known(tx: Tx) -> None:
            tx.datasets.insert(dataset)
            row = tx.catalogue.table("hospital", "visits")
            assert row is not None
            tx.catalogue.insert_table(replace(row, version=2, uri=REF))

        self.store.write(known)
        self.contract = self.shared("hospital/visits")
        self.site = self.add_site("far", jurisdiction="HK", cpu_hour="0.1")

    def placed(self) -> str:
        (job,) = self.submit({"inputs": {"visits": REF}}, actor=self.lab)
        self.schedule()
        assert self.attempt(job).state is AttemptState.PLACED
        return job

    def job(self, id: str) -> JobRecord:
        return jobs.job(self.platform, self.lab, id).job

    def attempt(self, job: str) -> AttemptRecord:
        (attempt,) = jobs.job(self.platform, self.lab, job).attempts
        return attempt

    def revoke(self) -> None:
        contracts.terminate(self.platform, self.hospital, self.contract, "we do not want it any more")

    def stopped(self, stop: Stop) -> None:
        """By an agent that never began it."""
        said = AttemptReport(stop.attempt, stop.token, AttemptState.PREEMPTED, ended_at=self.now)
        self.site.report(said)

    def links(self) -> list[str]:
        return [link.kind for link in self.store.read(lambda tx: tx.audit.after(0, 100))]


@pytest.fixture
def region() -> Region:
    return Region()


def test_a_contract_that_ends_after_the_job_was_placed_stops_its_order(region: Region):
    job = region.placed()
    assert region.links()[-1] == "dataset-allowed"
    region.revoke()
    said = region.site.desired()
    attempt = region.attempt(job)
    assert said.orders == ()
    assert [(it.attempt, it.reason) for it in said.stops] == [(attempt.id, "preempted")]
    (link,) = region.store.read(lambda tx: tx.audit.newest(None, 1))
    assert (link.kind, link.project) == ("dataset-barred", "hospital")
    assert (link.data["job"], link.data["attempt"]) == (job, attempt.id)
    assert (link.data["dataset"], link.data["to"]) == (REF, "HK")
    assert borders.COUNTED in link.data["decision"]["missing"]
    assert region.kinds("lab")[-2:] == ["job-judged", "law-stop-requested"]
    assert "its datasets may not go there any more" in explain.of_job(region.platform, region.lab, job).text


def test_the_job_goes_back_to_the_queue_with_its_bar_and_is_placed_once_it_may(region: Region):
    job = region.placed()
    region.revoke()
    (stop,) = region.site.desired().stops
    region.stopped(stop)
    attempt, row = region.attempt(job), region.job(job)
    assert (attempt.state, attempt.cause, attempt.started_at) == (AttemptState.PREEMPTED, "barred", None)
    assert row.state is JobState.QUEUED
    assert [(bar.jurisdiction, bar.data) for bar in row.bars or ()] == [("HK", REF)]
    region.schedule()
    assert region.job(job).state is JobState.QUEUED
    assert "contract" in str(explain.of_job(region.platform, region.lab, job))
    region.contract = region.shared("hospital/visits")
    region.schedule()
    assert region.job(job).state is JobState.ACTIVE
    assert [order.job for order in region.site.desired().orders] == [job]


def test_who_asks_twice_is_told_the_same_and_the_audit_once(region: Region):
    job = region.placed()
    region.revoke()
    first, again = region.site.desired(), region.site.desired()
    assert first == again
    assert region.links().count("dataset-barred") == 1
    jobs.cancel(region.platform, region.lab, job)  # a user's word still counts more
    (stop,) = region.site.desired().stops
    region.stopped(stop)
    assert region.job(job).state is JobState.CANCELLED


def test_what_is_barred_beside_it_holds_nothing_else_back(region: Region):
    (other,) = region.submit({"name": "other"}, actor=region.lab)
    job = region.placed()
    region.revoke()
    said = region.site.desired()
    assert [order.job for order in said.orders] == [other]
    assert [stop.attempt for stop in said.stops] == [region.attempt(job).id]


def test_what_was_staged_while_it_was_allowed_goes_on(region: Region):
    job = region.placed()
    (order,) = region.site.desired().orders
    region.site.report(region.site.says(order, AttemptState.RUNNING))
    region.revoke()
    assert [it.job for it in region.site.desired().orders] == [job]


def test_where_no_job_has_datasets_the_law_is_not_asked(region: Region, monkeypatch: pytest.MonkeyPatch):
    (plain,) = region.submit({}, actor=region.lab)
    region.schedule()

    def asked(*_: object) -> None:
        raise AssertionError("the law was asked")

    monkeypatch.setattr("baygrid.app.clearance.Borders", asked)
    assert [order.job for order in region.site.desired().orders] == [plain]
