"""What a project is told outside of the platform: over the API, by real deliveries to servers on this
machine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from baygrid.app import telling
from baygrid.app.notices import MOST, seal_webhooks_anew
from baygrid.app.platform import Platform
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.letter.smtp import EachAnew, Server, Tls
from baygrid.papers.words import LANGUAGES
from baygrid.ports.records import Event
from baygrid.staging.posting import WebCourier
from baygrid.staging.rules import Rules
from baygrid.store.vault import AesVault
from tests.api.world import VAULT, World, job
from tests.letter import postbox
from tests.staging.site import Names, Served, Site, authority, loopback, serving

HOURS = 3_600_000


@dataclass
class Outside:
    """The region, and the servers that it may tell."""

    world: World
    api: TestClient
    site: Site
    box: postbox.Postbox
    platform: Platform

    def add(self, target: str, who: str = "team", **more) -> dict:
        body = {"target": target, **more}
        made = self.api.post("/v1/notifications", json=body, headers=self.world.headers(who))
        assert made.status_code == 201, made.text
        return made.json()

    def deliver(self) -> None:
        """All that is due."""
        for _ in range(200):
            if telling.step(self.platform) > self.world.clock():
                return
        raise AssertionError("it does not come to rest")

    def end_a_job(self, state: AttemptState = AttemptState.SUCCEEDED, **more) -> str:
        made = self.api.post("/v1/jobs", json=job("images", infra="far"), headers=self.world.headers("team"))
        assert made.status_code == 201, made.text
        self.world.place()
        (attempt,) = self.world.attempts(made.json()["id"])
        self.world.report("far", attempt, state, ended_at=self.world.clock(), **more)
        return str(made.json()["id"])

    def tell(self, kind: str, **data) -> None:
        event = Event(self.world.clock(), kind, "demo", data=data)
        self.world.store.write(lambda tx: tx.events.append([event]))

    def listed(self) -> list[dict]:
        found = self.api.get("/v1/notifications", headers=self.world.headers("team"))
        return list(found.json()["items"])


@pytest.fixture
def outside(world: World, tmp_path: Path) -> Iterator[Outside]:
    box = postbox.Postbox()
    with serving(tmp_path) as site, postbox.serving(box) as port:
        trusted = tmp_path / "ca.pem"
        trusted.write_bytes(authority()[0])
        rules = Rules(ca=str(trusted), own=loopback(site.port))
        platform = replace(
            world.platform,
            courier=WebCourier(rules, time.monotonic, Names()),
            mailer=EachAnew(Server("127.0.0.1", port, Tls.NONE)),
            mail_from="region@example.org",
        )
        world.app.state.server = replace(world.app.state.server, platform=platform)
        site.things["/hook"] = Served(b"", status=204)
        with TestClient(world.app, base_url="http://test") as api:
            yield Outside(world, api, site, box, platform)


def test_the_end_of_a_job_is_told_signed(outside: Outside):
    made = outside.add(outside.site.uri("/hook?key=1"))
    id = outside.end_a_job()
    outside.deliver()
    (body,) = outside.site.posted
    said = json.loads(body)
    assert (said["type"], said["data"]["job"], said["data"]["name"]) == ("job-succeeded", id, "images")
    headers = outside.site.asked[0][1]
    assert headers["webhook-id"] == said["id"]
    signed = f"{said['id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(made["secret"].removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 120
    (row,) = outside.listed()
    assert (row["waiting"], row["failures"], row["told_at"] is None) == (0, 0, False)
    assert "secret" not in row
    assert "key=1" not in row["target"]


def test_nothing_is_written_when_nothing_is_due(outside: Outside):
    outside.add(outside.site.uri("/hook"))
    before = outside.world.dump()
    wake = telling.step(outside.platform)
    assert wake > outside.world.clock()
    assert outside.world.dump() == before


def test_what_did_not_arrive_is_tried_later_with_the_same_id(outside: Outside):
    outside.site.things["/hook"] = Served(b"", status=503)
    outside.add(outside.site.uri("/hook"))
    outside.end_a_job()
    outside.deliver()
    assert len(outside.site.posted) == 1
    (row,) = outside.listed()
    assert (row["waiting"], row["failures"]) == (1, 1)
    assert row["said"].endswith("answered 503")
    outside.world.clock.ahead_ms += telling.wait_ms(1) - 1_000
    outside.deliver()
    assert len(outside.site.posted) == 1  # not before its time
    outside.site.things["/hook"] = Served(b"", status=204)
    outside.world.clock.ahead_ms += 1_000
    outside.deliver()
    first, second = (headers["webhook-id"] for _, headers in outside.site.asked)
    assert first == second
    (row,) = outside.listed()
    assert (row["waiting"], row["failures"], row["said"]) == (0, 0, "")


def test_it_is_given_up_visibly(outside: Outside):
    outside.site.things["/hook"] = Served(b"", status=500)
    outside.add(outside.site.uri("/hook"))
    id = outside.end_a_job(AttemptState.FAILED, exit_code=1, cause="exit")
    tries = 0
    while outside.listed()[0]["waiting"] and tries < 100:
        outside.deliver()
        outside.world.clock.ahead_ms += HOURS
        tries += 1
    assert 20 < tries < 30
    events = outside.api.get("/v1/events?project=demo", headers=outside.world.headers("team")).text
    assert "notification-given-up" in events
    assert id in events


def test_who_answers_that_it_wants_no_more_is_asked_once(outside: Outside):
    outside.site.things["/hook"] = Served(b"", status=410)
    outside.add(outside.site.uri("/hook"))
    outside.end_a_job()
    outside.deliver()
    assert outside.listed()[0]["waiting"] == 0
    assert len(outside.site.posted) == 1


def test_a_server_that_dies_after_sending_sends_again(outside: Outside):
    """Claimed, sent, and the process is gone before it is noted: once more after the claim has ended."""
    outside.add(outside.site.uri("/hook"))
    outside.end_a_job()
    now = outside.world.clock()
    notice = outside.world.store.write(lambda tx: tx.notices.claim(now, now + telling.CLAIM_MS))
    assert notice is not None
    outside.deliver()
    assert outside.site.posted == []  # nobody else sends what one has claimed
    outside.world.clock.ahead_ms += telling.CLAIM_MS
    outside.deliver()
    assert len(outside.site.posted) == 1


def test_only_what_was_asked_for_is_told_and_only_of_the_project(outside: Outside):
    outside.add(outside.site.uri("/hook"), topics=["budget"])
    outside.add(outside.site.uri("/other"), "rival")
    outside.end_a_job()
    outside.tell("contract-suspend", contract="contract-1", state="FINALIZED", side="provider")
    outside.deliver()
    assert outside.site.posted == []
    outside.tell("budget-alert", month="2026-11", percent=80, charged=800_00, budget=1_000_00)
    outside.deliver()
    assert [json.loads(body)["type"] for body in outside.site.posted] == ["budget-alert"]


def test_an_event_that_is_taken_back_is_told_to_nobody(outside: Outside):
    """The outbox is of the same transaction."""
    outside.add(outside.site.uri("/hook"))

    def fails(tx) -> None:
        tx.events.append([Event(outside.world.clock(), "budget-alert", "demo", data={})])
        raise ValueError("not this time")

    with pytest.raises(ValueError, match="not this time"):
        outside.world.store.write(fails)
    assert outside.world.store.read(lambda tx: tx.notices.next_at()) is None


def test_a_mail_in_each_language(outside: Outside):
    for number, language in enumerate(LANGUAGES):
        outside.add(f"mailto:reader{number}@example.org", language=language)
    outside.end_a_job(AttemptState.FAILED, exit_code=1, cause="exit")
    outside.tell("budget-alert", month="2026-11", percent=80, charged=800_00, budget=1_000_00)
    steps = ("request", "offer", "accept", "agree", "verify", "finalize", "record", "suspend", "resume",
             "terminate", "expiring")  # fmt: skip
    for step in steps:
        outside.tell(f"contract-{step}", contract="contract-1", until=1_800_000_000_000)
    outside.deliver()
    subjects: dict[str, list[str]] = {}
    for _, _, raw, _ in outside.box.taken:
        message = message_from_bytes(raw, policy=default)
        text = message.get_content()
        subjects.setdefault(message["Content-Language"], []).append(message["Subject"])
        assert "demo" in text
        assert "{" not in text
        assert message["Subject"] in text.splitlines()[0]
    assert {language: len(found) for language, found in subjects.items()} == dict.fromkeys(
        LANGUAGES, 2 + len(steps)
    )
    firsts = {language: found[0] for language, found in subjects.items()}
    assert firsts == {
        "en": "Job images failed",
        "zh-Hans": "作业 images 失败",
        "zh-Hant": "作業 images 失敗",
        "ja": "ジョブ images が失敗しました",
    }
    assert all(len(set(found)) == len(found) for found in subjects.values())


def test_a_mail_that_is_refused_for_good_is_given_up(outside: Outside):
    outside.box.rcpt["gone@example.org"] = "550 no such user"
    outside.add("mailto:gone@example.org")
    outside.end_a_job()
    outside.deliver()
    (row,) = outside.listed()
    assert (row["waiting"], row["said"]) == (0, "550 no such user")


def test_a_test_goes_the_same_way(outside: Outside):
    made = outside.add(outside.site.uri("/hook"))
    answer = outside.api.post(f"/v1/notifications/{made['id']}/test", headers=outside.world.headers("team"))
    assert answer.status_code == 202
    outside.deliver()
    assert json.loads(outside.site.posted[0])["type"] == "test"


def test_what_is_removed_is_told_nothing_more(outside: Outside):
    made = outside.add(outside.site.uri("/hook"))
    outside.end_a_job()
    team = outside.world.headers("team")
    assert outside.api.delete(f"/v1/notifications/{made['id']}", headers=team).status_code == 204
    outside.deliver()
    assert outside.site.posted == []


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("https://169.254.169.254/latest/meta-data", "link-local"),
        ("https://100.100.100.200/", "metadata"),
        ("s3://bucket/key", "must be an https: address"),
        ("file:///etc/passwd", "must be an https: address"),
        ("https://user:word@example.org/", "user or password"),
        ("mailto:li@example.org,wu@example.org", "one mail address"),
        ("mailto:li@example.org\nBcc: wu@example.org", "one mail address"),
        ("li@example.org", "must begin with"),
    ],
)
def test_what_is_no_target(outside: Outside, target: str, told: str):
    before = outside.world.dump()
    answer = outside.api.post(
        "/v1/notifications", json={"target": target}, headers=outside.world.headers("team")
    )
    assert answer.status_code == 422, answer.text
    assert told in answer.json()["detail"]
    assert outside.world.dump() == before


def test_where_no_mail_is_sent_it_is_said(world: World, api: TestClient):
    answer = api.post(
        "/v1/notifications", json={"target": "mailto:li@example.org"}, headers=world.headers("team")
    )
    assert answer.status_code == 503
    assert "--smtp" in answer.json()["detail"]


def test_a_project_has_so_many_and_each_address_once(outside: Outside):
    for number in range(MOST):
        outside.add(f"https://hooks.example.org/{number}")
    team = outside.world.headers("team")
    body = {"target": "https://hooks.example.org/more"}
    answer = outside.api.post("/v1/notifications", json=body, headers=team)
    assert (answer.status_code, "20 subscriptions" in answer.json()["detail"]) == (409, True)
    outside.api.delete(f"/v1/notifications/{outside.listed()[0]['id']}", headers=team)
    body = {"target": "https://hooks.example.org/5"}
    answer = outside.api.post("/v1/notifications", json=body, headers=team)
    assert (answer.status_code, "already" in answer.json()["detail"]) == (409, True)


def test_its_secret_outlives_a_new_key_and_is_not_in_the_database(outside: Outside):
    made = outside.add(outside.site.uri("/hook"))
    new, old = b"another key, 32 bytes long......", b"a key of tests, 32 bytes long..."
    platform = replace(outside.platform, vault=AesVault([new, old]))
    assert seal_webhooks_anew(platform) == 0
    outside.platform = replace(outside.platform, vault=AesVault([new]))
    outside.end_a_job()
    outside.deliver()
    (body,) = outside.site.posted
    headers = outside.site.asked[0][1]
    stamp = headers["webhook-timestamp"]
    assert headers["webhook-signature"] == telling.signature(
        made["secret"], headers["webhook-id"], stamp, body
    )
    assert VAULT.key != AesVault([new]).key
    raw = b"".join(path.read_bytes() for path in outside.world.folder.iterdir() if path.is_file())
    assert made["secret"].encode() not in raw
