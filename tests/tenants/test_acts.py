"""Who names what is another tenant's, to change or to use it, is told what is told of what there is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.routing import APIRoute

from baygrid.portal.app import PAGES
from tests.api.world import job
from tests.portal.conftest import csrf
from tests.tenants.asking import READS, Ask, cookie, told
from tests.tenants.region import Region, Tenant
from tests.tenants.test_leaks import ABSENT, differ, masked

TESTS = Path(__file__).parents[1]
ROWS = {
    place: yaml.safe_load((TESTS / place / "matrix.yaml").read_text(encoding="utf-8"))
    for place in ("api", "portal")
}
NOTHING = ABSENT | {
    "token": "tok-nothing",
    "user": "user-nothing",
    "invitation": "invitation-nothing",
    "notification": "subscription-nothing",
    "attempt": "att-nothing",
}
BY_LINK = "/v1/profiles/{link}"
"""For whoever has the link."""
USES: tuple[dict[str, Any], ...] = (
    {"after": ["{job}"]},
    {"after": ["{array}"]},
    {"inputs": {"data": "dataset:{project}/{dataset}"}},
    {"workdir": "blob:{sha256}"},
    {"project": "{project}"},
)
"""What a job may name."""


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    found = Region(tmp_path_factory.mktemp("acts"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def amber(region: Region) -> Tenant:
    return region.settle("amber", "4410.10")


@pytest.fixture(scope="module")
def zircon(region: Region) -> Tenant:
    return region.settle("zircon", "7319.42")


def filled(document: Any, things: dict[str, str]) -> Any:
    """What a row of the matrix says of project demo, said of these."""
    if isinstance(document, dict):
        return {key: things[key] if key in things else filled(it, things) for key, it in document.items()}
    text = json.dumps(document).replace("demo", "{project}").replace("uni", "{organisation}")
    for name, value in things.items():
        text = text.replace(f"{{{name}}}", value)
    return json.loads(text)


def acts(region: Region) -> Iterator[tuple[Ask, Any]]:
    """Every endpoint and form that changes something, with a body."""
    for route in region.app.routes:
        if isinstance(route, APIRoute):
            for method in sorted(set(route.methods or ()) - set(READS)):
                row = ROWS["api"][f"{method} {route.path}"][0]
                yield Ask(method, route.path, filled_query(row)), row.get("body")
    for page in PAGES:
        if page.method == "POST":
            row = ROWS["portal"][f"POST /portal/{page.path}"][0]
            yield Ask("POST", f"/portal/{page.path}"), row.get("form", {})


def filled_query(row: dict[str, Any]) -> str:
    return str(row.get("query", "")).replace("demo", "{project}").replace("uni", "{organisation}")


def of_zircon(region: Region) -> dict[str, list[tuple[Any, ...]]]:
    """All rows that say so."""
    return {
        name: [row for row in rows if "zircon" in repr(row).lower()] for name, rows in region.dump().items()
    }


def test_nobody_changes_what_is_others_or_learns_that_it_is_there(
    region: Region, amber: Tenant, zircon: Tenant
):
    before, wrong, asked = of_zircon(region), [], 0
    bearers = {who: amber.headers(who) for who in ("reading", "using", "managing")}
    bearers["another centre"] = region.headers("hub")
    browsers = {who: cookie(amber.sessions[who]) for who in ("viewer", "lead", "admin")}
    marks = {}
    for who, headers in browsers.items():
        region.client.headers.update(headers)
        marks[who] = csrf(region.client)
        del region.client.headers["cookie"]
    for act, body in acts(region):
        if act.address == BY_LINK or not (act.names or filled(body, zircon.things) != filled(body, NOTHING)):
            continue
        in_portal = act.address.startswith("/portal")
        for who, headers in (browsers if in_portal else bearers).items():
            answers = []
            for things in (zircon.things, NOTHING):
                sent = filled(body, things)
                if in_portal:
                    more = {"data": {"csrf": marks[who]} | sent}
                else:
                    more = {} if body is None else {"json": sent}
                answer = region.client.request(act.method, act.url(things), headers=headers, **more)
                answers.append(masked(told(answer), things))
                asked += 1
            if answers and answers[0] != answers[1]:
                wrong.append(f"{who}: {act.method} {act.url(zircon.things)} {body}: {differ(*answers)}")
    assert not wrong, "\n".join(wrong)
    assert asked > 300
    assert of_zircon(region) == before


@pytest.mark.parametrize("uses", USES, ids=lambda it: next(iter(it)))
@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/placements/explain"])
def test_no_job_uses_what_is_others(
    region: Region, amber: Tenant, zircon: Tenant, path: str, uses: dict[str, Any]
):
    before = of_zircon(region)
    answers = []
    for things in (zircon.things, NOTHING):
        answer = region.client.post(path, json=job(**filled(uses, things)), headers=amber.headers())
        assert answer.status_code >= 400 or "explain" in path
        answers.append(masked(told(answer), things))
    assert answers[0] == answers[1]
    assert of_zircon(region) == before
