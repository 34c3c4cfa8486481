"""Contracts about data and recipients on the command line, against a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from baygrid.app.tokens import issue
from baygrid.ports.records import Role
from tests.api.world import World, serving
from tests.cli.conftest import Call

ASK = ("contract", "request", "--table", "clinic/beds", "--purpose", "a study", "--ground", "other")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(tmp_path)
    made.clinic()
    made.secrets["clinic"] = made.store.write(
        lambda tx: issue(made.platform, tx, Role.TEAM, "clinic", None, "clinic")
    )[1]
    with serving(made.app) as address:
        monkeypatch.setenv("BAYGRID_SERVER", address)
        monkeypatch.setenv("BAYGRID_TOKEN", made.secrets["team"])
        yield made
    made.close()


@pytest.fixture
def run(call: Call, world: World, monkeypatch: pytest.MonkeyPatch):
    """A command of `team`, or of whoever is named."""

    def run(*arguments: str, who: str = "team") -> str:
        monkeypatch.setenv("BAYGRID_TOKEN", world.secrets[who])
        code, out, error = call(*arguments)
        assert code == 0, error
        return out

    return run


def told(run, *arguments: str, who: str = "team") -> Any:
    return json.loads(run(*arguments, "--json", who=who))


def final(run) -> str:
    id: str = told(run, *ASK)["id"]
    run("contract", "offer", id, "--from", "2026-01-01", who="clinic")
    run("contract", "accept", id)
    run("contract", "agree", id, who="clinic")
    run("contract", "verify", id)
    assert run("contract", "finalize", id, who="clinic") == f"{id} is FINALIZED\n"
    return id


def test_from_a_request_to_its_end(run, call: Call):
    id = final(run)
    shown = run("contract", "show", id)
    assert "it can be read now" in shown
    assert "FREE, Provisions 3" in shown
    assert id in run("contracts")
    assert "facts-kept" in run("contract", "obligations", id)
    assert "suspended the contract: a leak" in run("contract", "suspend", id, "--reason", "a leak")
    assert "suspended" in run("contracts")
    run("contract", "resume", id)
    assert "TERMINATED" in run("contract", "terminate", id, "--reason", "enough", who="clinic")
    assert "it cannot be read: the contract is TERMINATED" in run("contract", "show", id)
    code, _, error = call("contract", "accept", id)
    assert code == 1
    assert "for good" in error


def test_terms_come_from_a_file(run, call: Call):
    Path("terms.yaml").write_text(
        "clinic/beds:\n  columns: [age]\n  mode: aggregate\n  k: 5\n", encoding="utf-8"
    )
    made = told(run, "contract", "request", "--terms", "terms.yaml", "--purpose", "a study")
    assert made["grants"][0]["terms"] == {
        "columns": ["age"], "filter": None, "masks": {}, "mode": "aggregate", "k": 5,
    }  # fmt: skip
    assert "figures over 5" in run("contract", "show", made["id"])
    Path("terms.yaml").write_text("- clinic/beds\n", encoding="utf-8")
    assert "has no terms" in call("contract", "request", "--terms", "terms.yaml", "--purpose", "x")[2]


def test_a_record_keeps_the_documents_digest(run, call: Call):
    id = final(run)
    Path("facts.pdf").write_bytes(b"%PDF")
    command = ("contract", "record", id, "facts-kept", "--by", "Chan Tai Man")
    made = told(run, *command, "--document", "facts.pdf", "--day", "2026-01-02")
    (record,) = [it["record"] for it in made["obligations"] if it["id"] == "facts-kept"]
    assert record["by"] == "Chan Tai Man"
    assert record["sha256"] == "315d429b7714cedb6ad04ac31240145257692630457f3c88253c5beceac76027"
    assert "cannot read absent.pdf" in call(*command, "--document", "absent.pdf")[2]
    assert "or a reference" in call(*command)[2]


def test_documents_are_written_as_files(run):
    id = final(run)
    assert "drafts, not legal advice" in run("contract", "documents", id, "-o", "papers")
    assert sorted(it.name for it in Path("papers").iterdir()) == [
        "filing-checklist.md",
        "impact-assessment.md",
    ]
    assert told(run, "contract", "odrl", id)["state"] == "FINALIZED"


def test_persons_are_shown_with_what_is_ahead(run):
    shown = run("persons")
    assert "uni, since" in shown
    assert "1,000,000" in shown
    assert told(run, "persons", "--organisation", "clinic", who="operator")["exposed"] == {"pi": 0, "spi": 0}


def test_a_recipient_gets_a_profile_once(run, call: Call, monkeypatch: pytest.MonkeyPatch):
    link = told(run, "recipient", "add", "anna")["url"]
    assert "not yet" in run("recipients")
    monkeypatch.delenv("BAYGRID_TOKEN")
    code, out, error = call("recipient", "profile", link, "-o", "anna.share")
    assert code == 0, error
    assert "good until" in out
    profile = json.loads(Path("anna.share").read_text(encoding="utf-8"))
    assert profile["bearerToken"].startswith("bgs_")
    assert Path("anna.share").stat().st_mode & 0o777 == 0o600
    assert "not there yet" in call("recipient", "profile", link, "-o", "anna.share")[2]
    code, _, error = call("recipient", "profile", link, "-o", "again.share")
    assert (code, "was used" in error, Path("again.share").exists()) == (1, True, False)
    assert "no activation link" in call("recipient", "profile", "anna", "-o", "x.share")[2]
    again = told(run, "recipient", "rotate", "anna", "--overlap-hours", "1")
    assert again["url"] != link
    assert run("recipient", "revoke", "anna") == "anna reads nothing any more\n"
