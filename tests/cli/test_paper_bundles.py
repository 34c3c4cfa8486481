"""Bundles of issued papers from a server to a file, and verified without it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from baygrid.app import closing, credit_notes, vouchers
from baygrid.app.access import Actor
from baygrid.app.entitlement import Asked
from baygrid.core.pricing.months import Month
from baygrid.core.units import Money
from baygrid.ports.records import Role
from tests.api.liar import HOUR, SUCCEEDED, Liar
from tests.api.world import SIGNER, World, job, serving
from tests.cli.conftest import Call

OPERATOR = Actor("tok-operator", Role.OPERATOR, "operator")
FACTS = {"start_up": True, "compute_contract": 10, "compute_contract_name": "contract 1"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, World, str]]:
    """A server whose project demo ran a job with a voucher; its month is closed."""
    world = World(tmp_path_factory.mktemp("region"))
    vouchers.add_pool(
        world.platform, OPERATOR, name="region", payer="the bureau", rulebook="example",
        clause="compute-share", amount=Money.parse("1000 CNY"),
    )  # fmt: skip
    vouchers.issue(world.platform, OPERATOR, Asked("uni", None, "region", FACTS))
    with serving(world.app) as url, httpx2.Client(base_url=url, timeout=60) as client:
        document = job(resources={"cpus": 8, "memory": 4}, infra="far")
        made = client.post("/v1/jobs", json=document, headers=world.headers("team"))
        assert made.status_code == 201, made.text
        world.place()
        (mine,) = world.attempts(made.json()["id"])
        world.clock.ahead_ms += HOUR
        agent = Liar(world, client, mine, mine)
        ended = agent.item(SUCCEEDED, started_at=agent.now - HOUR + 1, ended_at=agent.now, exit_code=0)
        usage = agent.usage(start=agent.now - HOUR + 1)
        body = agent.report(replace(ended, usage=(usage,)))
        assert agent.send(body, **world.headers("far")).json()["usage_stored"] == [[mine.id, 0]]
        month = Month.of(world.clock())
        world.clock.ahead_ms += month.end + closing.OVER_MS - world.clock()
        closing.close(world.platform, OPERATOR, str(month), dry_run=False)
        yield url, world, f"{month}-0001"
    world.close()


@pytest.mark.parametrize(("noun", "who"), [("invoices", "team"), ("settlements", "far")])
def test_whom_a_paper_concerns_verifies_it(call: Call, address: Any, noun: str, who: str):
    url, world, number = address
    reach = ("--server", url, "--token", world.secrets[who])
    code, said, error = call(noun, "bundle", number, "-o", "paper.json", *reach)
    assert (code, said) == (0, ""), error
    assert "check it with `baygrid bill verify paper.json`" in error
    code, said, _ = call("bill", "verify", "paper.json", "--key", SIGNER.public_key)
    assert (code, said.startswith("every line is right: 1 papers")) == (0, True)


def test_a_claim_is_one_file_for_its_payer(call: Call, address: Any, tmp_path: Path):
    url, world, number = address
    reach = ("--server", url, "--token", world.secrets["operator"])
    for language in ("zh-Hans", "en"):
        code, _, error = call("claims", "bundle", number, "-o", "c.zip", "--language", language, *reach)
        assert code == 0, error
        assert zipfile.ZipFile(tmp_path / "c.zip").namelist() == ["bundle.json", f"claim-{number}.csv"]
        code, said, error = call("bill", "verify", "c.zip", "--key", SIGNER.public_key)
        assert (code, said.startswith("every line is right: 2 papers")) == (0, True), error
    assert call("claims", "bundle", number, *reach)[0] == 2, "a zip goes to a file"
    assert call("claims", "bundle", number, "-o", "d.zip", "--language", "fr", *reach)[0] == 1
    assert not (tmp_path / "d.zip").exists()


def test_a_credit_note(call: Call, address: Any):
    url, world, number = address
    note = credit_notes.credit(world.platform, OPERATOR, number, Money(1, "CNY"), "an error")
    reach = ("--server", url, "--token", world.secrets["team"])
    assert call("credit-notes", "bundle", note.row.number, "-o", "note.json", *reach)[0] == 0
    assert call("bill", "verify", "note.json")[1].startswith("every line is right: 2 papers")
