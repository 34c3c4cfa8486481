"""Submitting a job, following it, and looking at what it made."""

from __future__ import annotations

import html
import itertools
import re

import pytest
from starlette.testclient import TestClient

from baygrid.portal import job_form
from baygrid.portal.language import LANGUAGES
from tests.api.world import World, job
from tests.portal import made
from tests.portal.conftest import Visitor, csrf

HELLO = "name: hello\ntime: 5m\nresources: {cpus: 1, memory: 1}\nrun: echo hello\n"

BOMB = "a: &a [x]\n" + "".join(
    f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in itertools.pairwise("abcdefghi")
)
"""A few lines that come to very many values."""


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return html.unescape(found[1])


@pytest.fixture
def team(visitor: Visitor) -> TestClient:
    return visitor("team")


def jobs(world: World, client: TestClient) -> list[dict[str, object]]:
    found: list[dict[str, object]] = client.get("/v1/jobs", headers=world.headers("team")).json()["items"]
    return found


def test_a_job_is_priced_before_it_is_sent_and_sent_once(world: World, team: TestClient):
    typed = {"csrf": csrf(team), "as": "file", "text": HELLO}
    at_once = team.post("/portal/submit", data=typed | {"do": "send"})
    assert at_once.status_code == 200
    assert jobs(world, team) == [], "nothing is sent of which no price was shown"
    priced = team.post("/portal/submit", data=typed | {"do": "check"}).text
    assert "far/cpu" in priced
    assert "CN¥0.03" in priced, "a CPU and a GiB for 5 minutes, and the time to stop"
    again = typed | {"do": "send", "checked": hidden(priced, "checked"), "key": hidden(priced, "key")}
    changed = team.post("/portal/submit", data=again | {"text": HELLO.replace("5m", "6h")})
    assert changed.status_code == 200, "another price is shown first"
    assert jobs(world, team) == []
    sent = [team.post("/portal/submit", data=again) for _ in range(2)]
    assert [it.status_code for it in sent] == [303, 303]
    (only,) = jobs(world, team)
    assert sent[0].headers["location"] == sent[1].headers["location"] == f"/portal/jobs/{only['id']}"
    page = team.get(sent[0].headers["location"]).text
    assert "Submitted." in page
    assert "Submitted." not in team.get(sent[0].headers["location"]).text, "it is told once"


def test_a_form_comes_to_the_same_file(world: World, team: TestClient):
    fields = dict.fromkeys(job_form.FIELDS, "") | {
        "name": "typed",
        "time": "30m",
        "nodes": "1",
        "run": "echo a\r\necho b\r\n",
        "resources.accelerators": "H100",
        "count": "2",
        "resources.cpus": "4+",
        "envs": "A=1\nB=x=y\n",
        "prefer": "time",
        "budget.max_cost": "100 CNY",
    }
    typed = fields | {"csrf": csrf(team), "as": "form"}
    priced = team.post("/portal/submit", data=typed | {"do": "check"})
    assert priced.status_code == 200, priced.text
    sent = team.post(
        "/portal/submit",
        data=typed
        | {"do": "send", "checked": hidden(priced.text, "checked"), "key": hidden(priced.text, "key")},
    )
    assert sent.status_code == 303, sent.text
    (line,) = jobs(world, team)
    spec = team.get(f"/v1/jobs/{line['id']}", headers=world.headers("team")).json()["spec"]
    assert (spec["run"], spec["envs"], spec["prefer"]) == ("echo a\necho b", {"A": "1", "B": "x=y"}, "time")
    assert spec["resources"]["accelerators"] == {"H100": 2}
    as_file = team.post("/portal/submit", data=typed | {"do": "file"}).text
    assert "run: |" in as_file


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: [", "not valid YAML"),
        ("name: a\nname: b\n", "line 2, name</code>: is written twice"),
        (HELLO.replace("time: 5m", "tme: 5m"), "line 2"),
        (HELLO + "project: other\n", "there is no project"),
        ("- a\n", "must be a job file"),
        (BOMB, "has more than"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_lines_and_what_was_typed_stays(
    world: World, team: TestClient, text: str, told: str
):
    answer = team.post("/portal/submit", data={"csrf": csrf(team), "as": "file", "do": "check", "text": text})
    assert 400 <= answer.status_code < 500
    page = html.unescape(answer.text)
    assert told in page
    assert text[:200] in page
    assert jobs(world, team) == []


def test_what_no_centre_can_run_is_priced_nowhere_and_not_sent(team: TestClient):
    typed = {"csrf": csrf(team), "as": "file", "text": HELLO.replace("cpus: 1", "cpus: 9999")}
    page = team.post("/portal/submit", data=typed | {"do": "check"}).text
    assert "Nothing in the region can run it" in page
    assert 'value="send"' not in page
    sent = team.post("/portal/submit", data=typed | {"do": "send", "checked": hidden(page, "checked")})
    assert sent.status_code == 422


def test_mistakes_stand_beside_their_fields(team: TestClient):
    fields = dict.fromkeys(job_form.FIELDS, "") | {
        "name": "a b",
        "time": "soon",
        "run": "x",
        "envs": "no sign",
    }
    typed = fields | {"csrf": csrf(team), "as": "form", "do": "check"}
    first = team.post("/portal/submit", data=typed).text
    assert 'id="envs-error">line 1: write NAME=VALUE' in first
    second = team.post("/portal/submit", data=typed | {"envs": ""}).text
    assert 'id="name-error"' in second
    assert 'id="time-error"' in second
    assert 'aria-invalid="true" aria-describedby="time-error' in second


def test_every_template_can_be_priced(team: TestClient):
    mark = csrf(team)
    for name in job_form.TEMPLATES:
        page = team.get(f"/portal/submit?template={name}&as=file").text
        text = re.search(r'name="text"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
        assert text is not None
        typed = {"csrf": mark, "as": "file", "do": "check", "text": html.unescape(text[1])}
        assert team.post("/portal/submit", data=typed).status_code == 200, name
    assert team.get("/portal/submit?template=../app").status_code == 404


def test_a_job_page_tells_stages_log_cost_and_results(team: TestClient, things: dict[str, str]):
    page = team.get(f"/portal/jobs/{things['job']}").text
    for told in ("Succeeded", "Running", "Job submitted", "step 1", "far/cpu", "CN¥", "made", "Why there"):
        assert told in page, told
    assert "<b>步骤</b>" not in page, "a log is text"
    assert "&lt;b&gt;步骤&lt;/b&gt; 2" in page
    assert "job.js" not in page, "nothing changes any more"


def test_results_are_shown_and_nothing_in_them_is_run(team: TestClient, things: dict[str, str]):
    address = f"/portal/jobs/{things['job']}/outputs/made"
    page = team.get(address).text
    assert page.count("<img ") == 2
    assert "<audio controls" in page
    assert "各位早上好" in page, "what is said stands beside the sound"
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert 'class="map"' in page
    for path, kind, kept in (
        ("photos/one.png", "image/png", False),
        ("voice.wav", "audio/wav", False),
        ("page.html", "application/octet-stream", True),
        ("drawing.svg", "application/octet-stream", True),
    ):
        answer = team.get(f"{address}/file", params={"path": path})
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert answer.content == made.FILES[path]
        assert ("attachment" in answer.headers.get("content-disposition", "")) == kept
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["../../etc/passwd", "/etc/passwd", "secret.txt", "photos/../rows.csv", "./rows.csv", "photos", ""],
)
def test_only_files_of_the_output_are_there(team: TestClient, things: dict[str, str], path: str):
    address = f"/portal/jobs/{things['job']}/outputs/made/file"
    assert team.get(address, params={"path": path}).status_code == 404


def test_what_is_no_tar_is_said_to_be_none(world: World, team: TestClient):
    with TestClient(world.app, base_url="http://localhost") as client:
        bad = made.run(world, client, b"\x1f\x8b not a tar")
    answer = team.get(f"/portal/jobs/{bad}/outputs/made")
    assert answer.status_code == 409
    assert "cannot be looked into" in answer.text


def test_a_job_is_cancelled_run_again_and_changed(world: World, team: TestClient, things: dict[str, str]):
    mark = csrf(team)
    again = team.post(f"/portal/jobs/{things['job']}/again", data={"csrf": mark, "key": "k1"})
    twice = team.post(f"/portal/jobs/{things['job']}/again", data={"csrf": mark, "key": "k1"})
    assert again.headers["location"] == twice.headers["location"]
    new = again.headers["location"]
    assert new != f"/portal/jobs/{things['job']}"
    team.post(f"{new}/cancel", data={"csrf": mark})
    assert "Cancelled" in team.get(new).text
    assert (
        "already ended" in team.get(team.post(f"{new}/cancel", data={"csrf": mark}).headers["location"]).text
    )
    clone = team.get(f"/portal/submit?clone={things['job']}").text
    assert "run: echo hello" in clone


def test_a_viewer_looks_and_does_nothing(world: World, visitor: Visitor, things: dict[str, str]):
    viewer = visitor("viewer")
    assert viewer.get(f"/portal/jobs/{things['job']}").status_code == 200
    assert viewer.get("/portal/submit").status_code == 403
    assert '/portal/submit"' not in viewer.get("/portal/").text
    mark = csrf(viewer)
    for address in (f"jobs/{things['job']}/again", f"jobs/{things['job']}/cancel", "submit"):
        answer = viewer.post(f"/portal/{address}", data={"csrf": mark, "text": HELLO, "as": "file"})
        assert answer.status_code == 403, address


def test_the_queue_tells_position_and_start(world: World, team: TestClient):
    for name in ("first", "second", "third"):
        sent = team.post(
            "/v1/jobs", json=job(name, infra="far", resources={"cpus": 32, "memory": 4}, nodes=4),
            headers=world.headers("team"),
        )  # fmt: skip
        assert sent.status_code == 201, sent.text
    world.place()
    page = team.get("/portal/queue").text
    assert "1 of 2" in page
    assert "2 of 2" in page
    assert page.index("second") < page.index("third")
    assert re.search(r"between .* and ", page)


@pytest.fixture
def pages(things: dict[str, str]) -> list[str]:
    return [
        "/portal/", "/portal/offers", "/portal/submit", "/portal/submit?as=file", "/portal/jobs",
        "/portal/queue", f"/portal/jobs?array={things['array']}", f"/portal/jobs/{things['job']}",
        f"/portal/jobs/{things['job']}/outputs/made", "/portal/sign-in",
    ]  # fmt: skip


def test_every_page_is_there_in_every_language_and_has_nothing_inline(visitor: Visitor, pages: list[str]):
    for tag in LANGUAGES:
        client = visitor("team", tag)
        for address in pages:
            answer = client.get(address)
            assert answer.status_code == 200, (tag, address)
            assert f'<html lang="{tag}">' in answer.text
            assert not re.search(r"<script(?![^>]* src=)|<style|<[^>]+\sstyle=|<[^>]+\son\w+=", answer.text)
