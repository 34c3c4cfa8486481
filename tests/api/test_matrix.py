"""Every endpoint, asked by everybody, for every kind of thing: matrix.yaml is the table."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from baygrid.app import contracts, gates
from baygrid.app.access import Actor
from baygrid.app.contract_terms import Wanted
from baygrid.app.papers import sealed
from baygrid.core.data.terms import Terms
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.papers import PaperKind
from baygrid.ports.records import Role
from tests.api.levels import everybody
from tests.api.world import World, job

MATRIX: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "matrix.yaml").read_text(encoding="utf-8")
)
WHO = {
    "none": None,
    "team": "team",
    "rival": "rival",
    "centre": "far",
    "stranger": "hub",
    "operator": "operator",
}
LEVELS: dict[str, dict[str, dict[str, int]]] = yaml.safe_load(
    (Path(__file__).parent / "levels.yaml").read_text(encoding="utf-8")
)
READS = ("GET", "HEAD")
NOTED = {
    "GET /v1/audit/evidence/{contract}": "who carries evidence out is in the audit",
    "POST /v1/device/token": "whoever asks too often is told to slow down",
}
"""What changes something though it is a read, or refused; whatever else is changes nothing."""
LIKE = {
    "reading": "team", "using": "team", "member": "team", "lead": "team", "lead's browser": "team",
    "keeper": "operator", "reading keeper": "operator", "centre's user": "centre",
    "stranger's user": "stranger", "joining": "none", "recipient": "none", "expired": "none",
    "revoked": "none", "disabled": "none", "no member any more": "none",
}  # fmt: skip
"""Who else asks, and whose column of the table they have where levels.yaml and the rule say nothing else."""
ROWS = [
    pytest.param(endpoint, row, id=f"{endpoint} {row['thing']}")
    for endpoint, rows in MATRIX.items()
    for row in rows
]
BLOB = b"what a job works on"
RESULT = b"what the job made"
EVERYBODYS = b"what everybody puts"
LISTING = {
    "offer": "far-cpu",
    "kind": "committed",
    "quantity": 4,
    "rate": "0.1",
    "end": "2031-01-01T00:00:00Z",
}
_numbers = itertools.count()


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("matrix"))
    yield world
    world.close()


@pytest.fixture(scope="module")
def client(region: World) -> Iterator[TestClient]:
    with TestClient(region.app, base_url="http://test") as found:
        yield found


@dataclass(frozen=True)
class Further:
    """A region of its own, where nobody has asked before, and headers of all of `LIKE`."""

    region: World
    client: TestClient
    headers: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def further(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Further]:
    world = World(tmp_path_factory.mktemp("further"))
    with TestClient(world.app, base_url="http://test") as client:
        yield Further(world, client, everybody(world))
    world.close()


def test_every_endpoint_is_in_the_table(region: World):
    routes = [route for route in region.app.routes if isinstance(route, APIRoute)]
    assert {f"{method} {route.path}" for route in routes for method in route.methods or ()} == set(MATRIX)


def test_every_row_names_everybody():
    assert all(set(WHO) <= set(row) for rows in MATRIX.values() for row in rows)
    own = {
        endpoint
        for endpoint in MATRIX
        if any(f"{{{name}}}" in endpoint for name in ("project", "job", "array"))
    }
    for endpoint in own:
        assert {row["thing"] for row in MATRIX[endpoint]} >= {"demo", "absent"}, endpoint


@pytest.mark.parametrize(("endpoint", "row"), ROWS)
def test_the_table(region: World, client: TestClient, endpoint: str, row: dict[str, Any]):
    method, address = endpoint.split(" ")
    things = _absent() if row["thing"] == "absent" else _present(region, client, method, address)
    found, bodies = {}, []
    for name, who in WHO.items():
        answer = _asked(region, client, method, address, row, things, region.headers(who))
        found[name] = answer.status_code
        bodies.append(f"{name}: {answer.status_code} {answer.text[:300]}")
        if answer.status_code >= 400 and method != "HEAD":
            delta = address.startswith("/delta-sharing/")
            kind = "application/json" if delta else "application/problem+json"
            assert answer.headers["content-type"] == kind
            told = answer.json()
            assert told.keys() == {"errorCode", "message"} if delta else told["status"] == answer.status_code
    assert found == {name: row[name] for name in WHO}, "\n".join(bodies)


def expected(endpoint: str, row: dict[str, Any], who: str) -> int:
    """What levels.yaml says, else the rule."""
    said = LEVELS.get(endpoint, {}).get(_key(row), {})
    return said.get(who, _by_rule(endpoint, row, who))


def _by_rule(endpoint: str, row: dict[str, Any], who: str) -> int:
    """As `LIKE`, but for those who may only read, only write, or only join."""
    reads = endpoint.split(" ")[0] in READS
    status, closed = row[LIKE[who]], row["none"] == 401
    if who == "lead's browser" and not reads:
        status = row["none"]  # no form acts by a cookie
    if closed and ((who in ("reading", "reading keeper") and not reads) or (who == "using" and reads)):
        status = 403
    if closed and who == "joining":
        status = 403
    return status


def _key(row: dict[str, Any]) -> str:
    return f"{row['thing']}?{row['query']}" if "query" in row else str(row["thing"])


def test_levels_say_only_what_the_rule_does_not():
    rows = {endpoint: {_key(row): row for row in rows} for endpoint, rows in MATRIX.items()}
    for endpoint, things in LEVELS.items():
        for key, said in things.items():
            for who, status in said.items():
                assert _by_rule(endpoint, rows[endpoint][key], who) != status, (endpoint, key, who)


@pytest.mark.parametrize(("endpoint", "row"), ROWS)
def test_further_columns_of_the_table(further: Further, endpoint: str, row: dict[str, Any]):
    """Every role and level, by service token, user's token or browser, and what is good for nothing now."""
    region, client = further.region, further.client
    method, address = endpoint.split(" ")
    things = _absent() if row["thing"] == "absent" else _present(region, client, method, address)
    wanted = {who: expected(endpoint, row, who) for who in LIKE}
    found, bodies = {}, []
    for who in sorted(wanted, key=lambda it: wanted[it] < 400):
        if wanted[who] < 400 and method not in READS and row["thing"] != "absent":
            things = _present(region, client, method, address)  # what the one before took is gone
        answer = _asked(region, client, method, address, row, things, further.headers[who])
        found[who] = answer.status_code
        bodies.append(f"{who}: {answer.status_code} {answer.text[:300]}")
    assert found == wanted, "\n".join(bodies)


def _asked(
    region: World,
    client: TestClient,
    method: str,
    address: str,
    row: dict[str, Any],
    things: dict[str, str],
    headers: dict[str, str],
) -> httpx2.Response:
    things["new"] = f"new-{next(_numbers)}"
    url = _filled(address, things) + (f"?{row['query']}" if "query" in row else "")
    sent: dict[str, Any] = {"headers": headers}
    if "body" in row:
        sent["json"] = json.loads(_filled(json.dumps(row["body"]), things, braces=False))
    if "raw" in row:
        sent["content"] = EVERYBODYS if row["raw"] == "blob" else b"a line\n"
        sent["headers"] = headers | {"Baygrid-Attempt-Token": things["attempt_token"]}
    before = region.version()
    answer = client.request(method, url, **sent)
    if (answer.status_code >= 400 or method in READS) and f"{method} {address}" not in NOTED:
        assert region.version() == before, f"{method} {address}: {answer.status_code}, and something changed"
    return answer


def test_another_projects_thing_looks_like_none(region: World, client: TestClient):
    """The whole answer, not only its status, but for the name that was asked for."""
    addresses = [
        endpoint
        for endpoint, rows in MATRIX.items()
        for row in rows
        if row["thing"] == "demo" and row["rival"] == 404 and "body" not in row and "raw" not in row
    ]
    assert len(addresses) > 10
    for endpoint in addresses:
        method, address = endpoint.split(" ")
        if "{" not in address:
            continue
        theirs, none = _present(region, client, method, address), _absent()
        headers = region.headers("rival")
        answers = []
        for things in (theirs, none):
            answer = client.request(method, _filled(address, things), headers=headers)
            text = answer.text
            named = (
                "array",
                "job",
                "voucher",
                "application",
                "contract",
                "notification",
                "project",
                "sha256",
                "name",
                "number",
            )
            for name in (name for name in named if name in things):
                text = text.replace(things[name], name.upper())
            kept = {k: v for k, v in answer.headers.items() if k not in ("date", "content-length")}
            answers.append((answer.status_code, text, kept))
        assert answers[0] == answers[1], endpoint


def _absent() -> dict[str, str]:
    absent = dict.fromkeys(
        (
            "project",
            "centre",
            "offer",
            "token",
            "attempt_token",
            "member",
            "pool",
            "listing",
            "table",
            "organisation",
            "body",
            "share",
            "schema",
            "file",
            "recipient",
            "link",
            "chart",
            "user",
            "invitation",
        ),
        "absent",
    )
    return absent | {
        "name": "no-such-name",
        "tunnel": "tun-absent",
        "voucher": "vch-absent",
        "application": "application-absent",
        "contract": "contract-absent",
        "notification": "subscription-absent",
        "array": "array-absent",
        "job": "job-absent",
        "attempt": "att-absent",
        "sha256": "0" * 64,
        "number": "2026-01-9999",
    }


def _present(region: World, client: TestClient, method: str, address: str) -> dict[str, str]:
    """Things of project demo; the job runs at centre far."""
    things = _absent() | {"project": "demo", "centre": "far", "offer": "far-cpu", "name": "result"}
    things["sha256"] = hashlib.sha256(BLOB if method != "PUT" else EVERYBODYS).hexdigest()
    if "{offer}" in address:
        made = client.post(
            "/v1/offers",
            json={"centre": "far", "partition": f"p{next(_numbers)}", "currency": "CNY"},
            headers=region.headers("operator"),
        )
        things["offer"] = made.json()["id"]
    if "{listing}" in address:
        made = client.post("/v1/listings", json=LISTING, headers=region.headers("operator"))
        assert made.status_code == 201, made.text
        things["listing"] = made.json()["id"]
    if address.startswith("/v1/datasets/"):
        body = {"name": "result", "uri": "s3://photos/2026/", "jurisdiction": "CN-QH"}
        assert client.post("/v1/datasets", json=body, headers=region.headers("team")).status_code == 201
    if "{table}" in address:
        things["table"] = "patients"
        table = {"name": "patients", "title": "Patients", "format": "parquet", "uri": "s3://bay/patients/"}
        table |= {"place": "CN-QH"}
        made = client.post("/v1/tables", json={**table, "open": True}, headers=region.headers("team"))
        assert made.status_code == 201, made.text
    if address == "/v1/contracts":
        region.clinic()
    if "{contract}" in address:
        things["contract"] = _contract(region, address)
    if "{recipient}" in address or "{link}" in address:
        made = client.post(
            "/v1/recipients", json={"name": f"anna-{next(_numbers)}"}, headers=region.headers("team")
        )
        assert made.status_code == 201, made.text
        things["recipient"] = made.json()["recipient"]["name"]
        things["link"] = made.json()["link"].rpartition("/")[2]
    if "{chart}" in address:
        things["chart"] = "data.requests_unmet"
    if "{organisation}" in address:
        things["organisation"] = "uni"
    if "/secrets/{name}" in address:
        secret = f"/v1/projects/demo/secrets/{things['name']}"
        made = client.put(secret, json={"value": "secret"}, headers=region.headers("team"))
        assert made.status_code == 200, made.text
    if "{notification}" in address:
        target = f"https://hooks.example.org/{next(_numbers)}"
        made = client.post("/v1/notifications", json={"target": target}, headers=region.headers("team"))
        assert made.status_code == 201, made.text
        things["notification"] = made.json()["id"]
    if "{member}" in address:
        body = {"name": f"metro-{next(_numbers)}", "kind": "network"}
        made = client.post("/v1/exchange/members", json=body, headers=region.headers("operator"))
        things["member"] = made.json()["name"]
    if "{pool}" in address or "{voucher}" in address:
        things |= _voucher(region, client)
    if "{application}" in address:
        decided = address.endswith(("/approve", "/refuse"))
        things["application"] = _application(region, client, reviewed=decided)
    for kind in PaperKind:
        if address.startswith(f"/v1/{kind.value}s/{{number}}"):
            things["number"] = _paper(region, kind)
    if address.endswith("/budget"):
        made = client.put(
            "/v1/projects/demo/budget", json={"amount": "1000000 CNY"}, headers=region.headers("operator")
        )
        assert made.status_code == 200, made.text
    if "{token}" in address:
        body = {"role": "team", "project": "demo", "label": "to be revoked"}
        made = client.post("/v1/tokens", json=body, headers=region.headers("operator"))
        things["token"] = made.json()["id"]
    if "{array}" in address:
        document = job(array={"range": "0-4", "parallel": 1})
        made = client.post("/v1/jobs", json=document, headers=region.headers("team"))
        assert made.status_code == 201, made.text
        things["array"] = made.json()["id"]
    if "{job}" in address or "{attempt}" in address or ("{sha256}" in address and method != "PUT"):
        _run_a_job(region, client, things, ended="/outputs" in address)
    return things


def _voucher(region: World, client: TestClient) -> dict[str, str]:
    """Of the organisation of project demo, and its pool."""
    operator = region.headers("operator")
    pool = {
        "name": f"pool-{next(_numbers)}",
        "payer": "bureau",
        "rulebook": "example",
        "clause": "compute-share",
        "amount": "1000 CNY",
    }
    assert client.post("/v1/pools", json=pool, headers=operator).status_code == 201
    facts = {"start_up": True, "compute_contract": 10, "compute_contract_name": pool["name"]}
    asked = {"organisation": "uni", "pool": pool["name"], "facts": facts}
    made = client.post("/v1/vouchers", json=asked, headers=operator)
    assert made.status_code == 201, made.text
    return {"pool": pool["name"], "voucher": made.json()["id"]}


def _contract(region: World, address: str) -> str:
    """Project demo reads a table of the clinic's; it stands such that demo can take the step of the address,
    if a consumer can."""
    clinic = region.clinic()
    demo = Actor("tok-demo", Role.TEAM, "demo", project="demo")
    asked = Wanted(
        {"clinic/beds": Terms()}, "a study", until=region.clock() + 9_000_000, choice="sc", ground="other"
    )
    step = address.rpartition("/")[2]
    made = contracts.request(region.platform, demo, asked, share=f"s{next(_numbers)}")
    id = made.row.id
    if step == "agree":
        return id
    contracts.offer(region.platform, clinic, id, Wanted())
    if step in ("request", "accept", "offer"):
        return id
    contracts.accept(region.platform, demo, id)
    gates.agree(region.platform, clinic, id)
    if step == "verify":
        return id
    contracts.verify(region.platform, demo, id)
    if step != "finalize":
        gates.finalize(region.platform, clinic, id)
    if step == "resume":
        contracts.suspend(region.platform, demo, id, "a leak")
    return id


def _paper(region: World, kind: PaperKind) -> str:
    """Of project demo, of the centre where its attempts run, or of some pool."""
    subject = {PaperKind.SETTLEMENT: "far", PaperKind.CLAIM: "support"}.get(kind, "demo")
    number = f"2026-10-{next(_numbers) + 1:04d}"
    document = {
        "kind": kind.value,
        "number": number,
        "month": "2026-10",
        "currency": "CNY",
        "issued_at": 1_796_054_700_000,
        "project": subject,
        "organisation": {"name": "uni", "title": "Uni", "kind": "university"},
        "tax": None,
        **dict.fromkeys(("total", "payable", "amount"), "100.00 CNY"),
    }
    row = sealed(kind, subject, document)
    region.store.write(lambda tx: tx.papers.insert([(row, 10_000)]))
    return number


def _application(region: World, client: TestClient, *, reviewed: bool) -> str:
    """For project demo; reviewed by an operator whom nobody else is."""
    asked = {"amount": "5 CNY", "to": "2090-01-01T00:00:00Z", "purpose": "training"}
    made = client.post("/v1/applications", json=asked, headers=region.headers("team"))
    assert made.status_code == 201, made.text
    id: str = made.json()["id"]
    if reviewed:
        token = client.post("/v1/tokens", json={"role": "operator"}, headers=region.headers("operator"))
        other = {"Authorization": f"Bearer {token.json()['token']}"}
        said = {"amount": "4 CNY", "note": "as last year"}
        answer = client.post(f"/v1/applications/{id}/review", json=said, headers=other)
        assert answer.status_code == 200, answer.text
    return id


def _run_a_job(region: World, client: TestClient, things: dict[str, str], *, ended: bool) -> None:
    team = region.headers("team")
    things["sha256"] = hashlib.sha256(BLOB).hexdigest()
    # By its own way, so that the leader is told, too: the tests of a worker share the region.
    opened = client.post("/v1/centres/far/open", headers=region.headers("operator"))
    assert opened.status_code == 200, opened.text
    assert client.put(f"/v1/blobs/{things['sha256']}", content=BLOB, headers=team).status_code == 201
    document = job(workdir=f"blob:{things['sha256']}", outputs={"result": "result"}, infra="far")
    made = client.post("/v1/jobs", json=document | {"resources": {"cpus": 1, "memory": 1}}, headers=team)
    assert made.status_code == 201, made.text
    region.place()
    why = client.get(f"/v1/jobs/{made.json()['id']}/explain", headers=team)
    leader = region.scheduler.term, made.json()["id"] in region.platform.follower.region.backlog
    assert region.attempts(made.json()["id"]), (leader, why.text)
    (attempt,) = region.attempts(made.json()["id"])
    things |= {"job": attempt.job, "attempt": attempt.id, "attempt_token": attempt.token}
    if not ended:
        region.report("far", attempt, AttemptState.PUBLISHING)
        return
    far = region.headers("far")
    result = hashlib.sha256(RESULT).hexdigest()
    assert client.put(f"/v1/blobs/{result}", content=RESULT, headers=far).status_code == 201
    region.report("far", attempt, AttemptState.SUCCEEDED, outputs={"result": result})


def _filled(text: str, things: dict[str, str], *, braces: bool = True) -> str:
    for name, value in things.items():
        text = text.replace(f"{{{name}}}", value)
    assert not braces or "{" not in text
    return text
