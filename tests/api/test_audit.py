"""The audit over the API: answers as the contract says, pages, and files that are canonical."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from baygrid.api import audit_schemas, schemas
from baygrid.app.signatures import signed_by
from baygrid.core.data.chain import check
from baygrid.core.data.evidence import (
    first_altered_byte,
    first_difference,
    read_end,
    read_evidence,
    read_link,
    wrong_signature,
)
from baygrid.ports.bundles import load
from tests.api.world import SIGNER, World


@pytest.fixture
def ask(world: World, api: TestClient):
    for number in range(7):
        project = ("demo", "other")[number % 2]
        world.store.write(
            lambda tx: tx.audit.append(number, "read", {"行": number}, contract=None, project=project)  # noqa: B023
        )

    def get(path: str, who: str = "team") -> Any:
        return api.get(path, headers=world.headers(who))

    return get


def test_a_list_newest_first_and_in_pages(ask):
    first = ask("/v1/audit?limit=3", "operator").json()
    schemas.Listing[audit_schemas.Link].model_validate(first)
    assert [it["n"] for it in first["items"]] == [7, 6, 5]
    second = ask(f"/v1/audit?limit=9&cursor={first['next']}", "operator").json()
    assert ([it["n"] for it in second["items"]], second["next"]) == ([4, 3, 2, 1], None)
    assert [it["n"] for it in ask("/v1/audit").json()["items"]] == [7, 5, 3, 1]
    assert first["items"][0]["at"] == "1970-01-01T00:00:00.006Z"
    for wrong in ("x", "-1", "1" * 30):
        assert ask(f"/v1/audit?cursor={wrong}").status_code == 422
        assert ask(f"/v1/audit/chain?cursor={wrong}").status_code == 422


def test_links_that_are_looked_for(ask):
    def found(query: str, who: str = "operator") -> list[int]:
        return [it["n"] for it in ask(f"/v1/audit?{query}", who).json()["items"]]

    assert found("kind=rea") == [7, 6, 5, 4, 3, 2, 1]
    assert found("kind=token") == []
    assert found("about=other") == [6, 4, 2]
    assert found("about=other", "team") == [], "nothing of others"
    times = "from=1970-01-01T00:00:00.002Z&to=1970-01-01T00:00:00.004Z"
    assert found(times) == [4, 3]
    assert ask("/v1/audit?from=then", "operator").status_code == 422


def test_the_chain_in_pages(ask):
    end, _ = read_end(ask("/v1/audit/end").json())
    links, next = [], "0"
    while next:
        page = ask(f"/v1/audit/chain?limit=2&cursor={next}").json()
        schemas.Listing[audit_schemas.FullLink | audit_schemas.HiddenLink].model_validate(page)
        links += [read_link(it) for it in page["items"]]
        next = page["next"]
    found = check(links, end=end)
    assert (found.flaw, found.shown, found.hidden) == (None, 4, 3)


def test_files_are_written_as_they_were_signed(ask):
    for path, who in (("/v1/audit/export", "operator"), ("/v1/audit/end", "team")):
        answer = ask(path, who)
        assert answer.headers["content-type"] == "application/json"
        assert first_altered_byte(answer.content, load(answer.content)) is None
    everything = read_evidence(ask("/v1/audit/export?after=2", "operator").json())
    assert first_difference(everything, signed_by, SIGNER.public_key) is None
    assert [link.n for link in everything.links] == [3, 4, 5, 6, 7]
    assert wrong_signature(read_end(ask("/v1/audit/end").json())[1], signed_by, SIGNER.public_key) is None
