"""`baygrid.Client` over a real server: what it answers, what it refuses, what it never does twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pyarrow as pa
import pytest

from baygrid import BaygridError, Client, JobFailed, NotYet
from baygrid.client.connection import Connection
from baygrid.client.values import Array, Explanation, Job
from baygrid.client.waiting import Standing
from baygrid.core.data.terms import Mode, Terms
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.units import Money
from tests.api.acting import later
from tests.api.sharing import Sharing
from tests.api.world import World, serving

HELLO: dict[str, Any] = {
    "name": "hello",
    "run": "echo hello",
    "time": "1h",
    "resources": {"cpus": 2, "memory": 4},
}
RAIN = pa.table({"id": [1, 2, 3], "place": ["bay", None, "岛"], "wet": [True, False, None]})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def client(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.chdir(tmp_path)
    with serving(world.app) as address, Client(address, world.secrets["team"]) as made:
        yield made


def submitted(client: Client, **fields: Any) -> Job:
    made = client.submit(HELLO | {"infra": "far"}, **fields)
    assert isinstance(made, Job)
    return made


def test_the_package_loads_quickly_and_nothing_that_nobody_asked_for():
    script = (
        "import sys, baygrid; assert not {'httpx2', 'yaml'} & set(sys.modules)\n"
        "from baygrid import Client; assert not {'pyarrow', 'pandas', 'typer', 'rich'} & set(sys.modules)\n"
        "try: baygrid.nothing\n"
        "except AttributeError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "no attribute 'nothing'" in done.stdout


def test_fields_a_dict_and_a_file_are_submitted(client: Client, tmp_path: Path):
    (tmp_path / "files").mkdir()
    file = tmp_path / "files" / "job.yaml"
    file.write_text("name: of-a-file\nrun: cat data.txt\ntime: 1h\nworkdir: work\n")
    (tmp_path / "files" / "work").mkdir()
    (tmp_path / "files" / "work" / "data.txt").write_text("data")
    of_file = client.submit(file, time="2h")
    assert isinstance(of_file, Job)
    assert (of_file.name, of_file.state, of_file.spec["time"]) == ("of-a-file", "QUEUED", "2h")
    assert of_file.spec["workdir"].startswith("blob:")
    assert (of_file.project, of_file.held.currency) == ("demo", "CNY")
    assert of_file.held > Money.zero("CNY")
    assert client.submit(**HELLO).name == "hello"
    array = client.submit(HELLO, array={"range": "0-3", "parallel": 2})
    assert isinstance(array, Array)
    assert (array.size, array.left, array.ended) == (4, 4, False)
    assert [job.name for job in client.jobs(array=array.id)] == ["hello"] * 4
    assert {job.id for job in client.jobs(array="none")} >= {of_file.id}
    assert client.arrays() == (client.job(array.id),)
    assert client.cancel(array).id == array.id


def test_mistakes_come_all_at_once_and_nothing_is_sent(client: Client):
    with pytest.raises(BaygridError) as error:
        client.submit(name="bad name", run="true", workdir="nowhere")
    assert {flaw.path for flaw in error.value.flaws} == {"name", "time"}
    with pytest.raises(BaygridError, match="no folder"):
        client.submit(HELLO, workdir="nowhere")
    with pytest.raises(BaygridError) as refused:
        client.submit(HELLO, project="other")
    assert refused.value.status in (403, 404)
    assert refused.value.detail
    assert client.jobs() == ()


def test_a_key_makes_one_job(client: Client):
    first, second = submitted(client, key="tonight"), submitted(client, key="tonight")
    assert first.id == second.id
    assert len(client.jobs()) == 1


def test_a_submission_whose_answer_is_lost_is_not_doubled(client: Client, monkeypatch: pytest.MonkeyPatch):
    send = httpx2.Client.send
    lost: list[str] = []

    def losing(self, request, **options):
        answer = send(self, request, **options)
        if request.url.path == "/v1/jobs" and request.method == "POST" and not lost:
            lost.append(request.headers["Idempotency-Key"])
            raise httpx2.ReadError("gone")
        return answer

    monkeypatch.setattr(httpx2.Client, "send", losing)
    made = submitted(client)
    assert lost
    assert [job.id for job in client.jobs()] == [made.id]


def test_waiting_tells_stages_progress_and_the_end(client: Client, world: World):
    job = submitted(client)
    told: list[Standing] = []

    def go() -> None:
        world.place()
        (attempt,) = world.attempts(job.id)
        log = b'BAYGRID_PROGRESS {"done": 1, "total": 4}\nhello\n'
        world.report("far", attempt, AttemptState.RUNNING)
        headers = world.headers("far") | {"Baygrid-Attempt-Token": attempt.token}
        address = f"{client.server}/v1/agent/logs/{attempt.id}?offset=0"
        httpx2.put(address, content=log, headers=headers).raise_for_status()
        world.report("far", attempt, AttemptState.FAILED, exit_code=3, cause="exit-code", log_size=len(log))

    later(go)
    with pytest.raises(JobFailed, match="exit code 3") as failed:
        client.wait(job, told.append, seconds=60)
    assert failed.value.job.exit_code == 3
    assert [told[0].stage, told[-1].stage] == ["submitted", "failed"]
    assert (told[-1].done, told[-1].share) == (1, 0.25)
    ended = client.wait(job, check=False)
    assert (ended.state, ended.ended, ended.centre) == ("FAILED", True, "far")
    assert list(client.logs(job)) == ['BAYGRID_PROGRESS {"done": 1, "total": 4}', "hello"]
    assert list(client.logs(job, follow=True, offset=41)) == ["hello"]


def test_waiting_ends_in_time_and_the_job_goes_on(client: Client):
    job = submitted(client)
    with pytest.raises(NotYet, match="has not ended") as error:
        client.wait(job, seconds=0.2)
    assert isinstance(error.value, TimeoutError)
    assert client.job(job.id).state == "QUEUED"


def test_a_cancelled_array_is_waited_for(client: Client):
    array = client.submit(HELLO, array={"range": "0-2"})
    client.cancel(array)
    told: list[Array] = []
    ended = client.wait(array.id, told.append, check=False)
    assert (ended.ended, ended.succeeded, told[-1].states["CANCELLED"]) == (True, False, 3)
    with pytest.raises(JobFailed, match="3 CANCELLED of 3"):
        client.wait(array.id)


def test_where_a_job_would_go_and_why_it_is_there(client: Client, world: World):
    plan = client.explain(HELLO, resources={"cpus": 4})
    assert {(one.centre, one.partition) for one in plan.candidates} >= {("hub", "gpu"), ("far", "cpu")}
    (best,) = (one for one in plan.candidates if one.verdict == "chosen")
    assert (best.centre, best.cost) == ("far", Money.parse("0.81 CNY"))
    assert str(plan) == plan.text
    job = submitted(client)
    world.place()
    assert client.explain(job).outcome
    placed = client.job(job.id)
    assert isinstance(placed, Job)
    assert placed.why is not None
    assert client.explain(job.id).text


def test_prices_and_bills(client: Client):
    (gpu,) = (offer for offer in client.offers() if offer.accelerator)
    assert (gpu.id, gpu.centre, gpu.currency, gpu.accelerator_hour) == ("hub-gpu", "hub", "CNY", Decimal(20))
    bill = client.bill(start=datetime(2026, 1, 1, tzinfo=UTC))
    assert (bill.project, bill.total, bill.lines) == ("demo", Money.zero("CNY"), ())
    assert client.bill(submitted(client)).total == Money.zero("CNY")
    with pytest.raises(BaygridError, match="no project"):
        client.bill("job-1", project="demo")


def test_what_the_server_says_is_the_error(client: Client):
    with pytest.raises(BaygridError) as error:
        client.job("job-0000000000000")
    assert (error.value.status, error.value.code) == (404, "not-found")
    with pytest.raises(BaygridError) as ended:
        client.cancel(client.cancel(submitted(client)).id)
    assert ended.value.status == 409


def test_a_notebook_shows_tables_and_escapes_what_users_wrote(client: Client):
    job = submitted(client, envs={"X": "1"})
    shown = client.jobs()._repr_html_()
    assert f"<td>{job.id}</td>" in shown
    assert "<th scope='col'>submitted at</th>" in shown
    assert client.jobs(state="FAILED")._repr_html_() == "<p>none</p>"
    shown = Explanation("job", "no", "<script>", client.explain(HELLO).candidates)._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "<td>far</td>" in shown
    assert "<th scope='row'>held</th>" in job._repr_html_()


@pytest.fixture
def sharing(tmp_path: Path) -> Iterator[Client]:
    made = Sharing(tmp_path)
    rain = made.offer("rain", made.parquet("rain", RAIN))
    made.share(rain, share="weather", terms=Terms(("id", "place"), "id > 1"))
    made.share(rain, share="figures", terms=Terms(None, None, {}, Mode.AGGREGATE, 2))
    with serving(made.app) as address, Client(address, made.secrets["rival"]) as client:
        yield client
    made.close()


def test_shared_tables_are_read_as_arrow_pandas_and_polars(sharing: Client):
    (listed,) = sharing.tables("rain")
    assert (listed.ref, listed.columns) == ("demo/rain", ("id", "place", "wet"))
    figures, weather = sorted(sharing.shared(), key=lambda table: table.name)
    assert (weather.name, weather.columns, weather.least) == ("weather.demo.rain", ("id", "place"), None)
    assert (figures.name, figures.least) == ("figures.demo.rain", 2)
    rows = sharing.read(weather)
    assert sorted(rows.arrow.to_pylist(), key=lambda row: row["id"]) == [
        {"id": 2, "place": None},
        {"id": 3, "place": "岛"},
    ]
    assert sharing.read(weather.name, columns=["place"], where="id = 3").pandas().to_dict("list") == {
        "place": ["岛"]
    }
    assert sharing.read(weather, where="id = 3").polars().to_dicts() == [{"id": 3, "place": "岛"}]
    assert "<td>岛</td>" in rows._repr_html_()
    with pytest.raises(BaygridError, match="only figures over at least 2 persons"):
        sharing.read(figures)
    groups = sharing.sql("SELECT place, count(*) AS n FROM figures.demo.rain GROUP BY place")
    assert (len(groups), groups.withheld) == (0, 3)


def test_an_answer_that_was_cut_is_never_taken_for_a_whole_one(
    sharing: Client, monkeypatch: pytest.MonkeyPatch
):
    some = sharing.sql("SELECT id FROM weather.demo.rain", rows=1)
    assert (len(some), some.more) == (1, True)
    monkeypatch.setattr("baygrid.client.client.MOST", 1)
    with pytest.raises(BaygridError, match="more than the 1 rows"):
        sharing.sql("SELECT id FROM weather.demo.rain")
    with pytest.raises(BaygridError, match="no table nothing"):
        sharing.read("nothing")


def test_polars_that_is_not_there_is_said(sharing: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BaygridError, match="polars is not installed") as error:
        sharing.sql("SELECT 1 AS one").polars()
    assert error.value.cure == "pip install 'baygrid[dataframes]'"


def test_the_settings_are_those_of_the_command_line(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BAYGRID_SERVER", client.server)
    monkeypatch.setenv("BAYGRID_TOKEN", world.secrets["rival"])
    with Client() as other:
        assert other._connection.get("/v1/me")["project"] == "other"
        assert repr(other) == f"Client('{client.server}')"
    assert isinstance(other._connection, Connection)
