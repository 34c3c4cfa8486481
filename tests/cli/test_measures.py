"""`baygrid measures`: the contract that programs use, and what a person is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from typer.testing import CliRunner, Result

from baygrid.cli.entry import app
from baygrid.cli.errors import CliError

FACTS = """\
applicant_kind: company
start_up: true
compute_for_training: true
compute_contract: 20000000.02
compute_contract_name: contract 7
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["measures", *arguments])


def told(*arguments: str) -> Any:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture
def facts(tmp_path: Path) -> str:
    path = tmp_path / "facts.yaml"
    path.write_text(FACTS)
    return str(path)


def test_each_clause_has_a_status_a_ceiling_what_is_missing_and_a_reference(facts: str):
    found = told("check", facts, "--rulebook", "shenzhen-2024", "--as-of", "2026-12-17")
    clauses = {clause["id"]: clause for clause in found["clauses"]}
    voucher = clauses["compute-voucher"]
    assert (voucher["status"], voucher["ceiling"], voucher["missing"]) == ("eligible", "10000000.00", [])
    assert "compute_cap is 10,000,000" in voucher["reasons"]
    assert "Measures 2024-12-18" in voucher["reference"]
    assert {"says": "compute_rate_start_up", "value": "0.60", "reference": "start-ups 60 %"} in voucher[
        "trace"
    ]
    assert clauses["model-voucher"]["status"] == "missing_facts"
    assert clauses["model-voucher"]["missing"] == ["model_filed", "claimed_by_buyer", "model_cost"]
    assert clauses["basic-research"]["status"] == "not_loaded"


def test_the_day_after_the_last_nothing_has_the_old_rate(facts: str):
    found = told("check", facts, "--rulebook", "shenzhen-2024", "--as-of", "2026-12-18")
    loaded = [clause for clause in found["clauses"] if clause["status"] != "not_loaded"]
    assert {clause["status"] for clause in loaded} == {"lapsed"}
    assert {clause["ceiling"] for clause in found["clauses"]} == {None}


def test_a_person_is_told_that_a_draft_is_no_law(facts: str, tmp_path: Path):
    (tmp_path / "growth.yaml").write_text("revenue_last: 150000000\nrevenue_before_last: 50000000\n")
    done = run("check", str(tmp_path / "growth.yaml"), "--rulebook", "qianhai-draft")
    assert "500,000.00" in done.stdout
    assert "not in force today: draft" in done.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("compute_contracts: 1", "no clause of this rulebook asks for it"),
        ("compute_contract: 0.001", "more than two decimals"),
        ("compute_contract: -1", "a number from 0"),
        ("compute_contract: 123456789012345678.25", "too many digits to be exact"),
        ("start_up: maybe", "true or false"),
        ("applicant_kind: shop", "one of company"),
        ("claimed: [{clause: none, amount: 1, date: 2025-01-01}]", "there is no clause 'none'"),
        ("claimed: [{clause: compute-voucher, amount: 1, date: soon, cost: c}]", "a day such as"),
        ("claimed: [{clause: compute-voucher, amount: 1, date: 2025-01-01}]", "must say its cost"),
        ("claimed: false", "must be a list"),
        ("pools: {basic-research: 1}", "has no pool"),
        ("corpus_sources_opened: 1000000000000000000000", "a whole number from 0 to"),
        ("compute_contract: 10:30", "must be a number"),
        ("compute_contract: !!timestamp x", "not valid YAML"),
        ("pools: {compute-voucher: much}", "must be a number"),
        ("- 1", "a mapping of facts"),
    ],
)
def test_a_mistake_in_the_facts_is_told_with_its_place(text: str, says: str, tmp_path: Path):
    (tmp_path / "facts.yaml").write_text(text)
    done = run("check", str(tmp_path / "facts.yaml"), "--rulebook", "shenzhen-2024")
    assert isinstance(done.exception, CliError)
    assert says in str(done.exception)


def test_what_a_rulebook_asks_can_be_asked():
    found = told("facts", "--rulebook", "shenzhen-2024")
    kinds = {fact["name"]: fact["kind"] for fact in found}
    assert kinds["compute_contract"] == "money"
    assert all(fact["question"].endswith(("?", ")")) for fact in found)


def test_two_texts_are_told_apart_for_one_applicant(tmp_path: Path):
    (tmp_path / "facts.yaml").write_text(
        "newly_settled: true\npaid_in_capital: 100000000\noffice_area: 100\noffice_months: 12\n"
        "office_months_before: 0\n"
        "operating_since: 2023-06-01\nregistered_capital: 20000000\noffice_zone: qianwan\n"
    )
    found = told("diff", "qianhai-draft", "qianhai-v1", str(tmp_path / "facts.yaml"))
    assert {"what": "number", "name": "capital_above", "before": "", "after": "20000000"} in found
    assert run("diff", "qianhai-draft", "qianhai-v1", "-").exit_code == 0
    outcomes = {it["name"]: it for it in found if it["what"] == "outcome"}
    assert outcomes["office-rent"]["before"] == "eligible at most 72,000.00"
    assert outcomes["office-rent"]["after"] == "not eligible"


def test_the_calendar_can_be_read_by_calendars():
    done = run("calendar", "--rulebook", "qianhai-v2")
    events: list[Any] = Calendar.from_ical(done.stdout).walk("VEVENT")
    days = [str(event["DTSTART"].dt) for event in events]
    assert days == ["2024-09-03", "2024-09-29", "2024-10-27"]
    assert len({str(event["UID"]) for event in events}) == 3


def test_an_examples_days_are_in_nobodys_calendar():
    assert {it["rulebook"] for it in told("calendar")} == {"shenzhen-2024", "qianhai-v1", "qianhai-v2"}


def test_facts_from_stdin_are_whole_or_refused():
    text = f"compute_contract: 20000000{chr(32) * (1 << 20)}00\n"
    done = CliRunner().invoke(app, ["measures", "check", "-", "--rulebook", "shenzhen-2024"], input=text)
    assert isinstance(done.exception, CliError)
    assert done.exception.code == "too-large"


def test_an_unknown_rulebook_names_those_there_are():
    done = run("facts", "--rulebook", "atlantis")
    assert isinstance(done.exception, CliError)
    assert "shenzhen-2024" in done.exception.cure


def test_what_a_rulebook_would_cost_is_told_with_its_pools(tmp_path: Path):
    table = tmp_path / "companies.csv"
    table.write_text(
        "\ufeffcompany,model_filed,claimed_by_buyer,model_cost\nA,true,true,1000000\nB,true,true,0.10\n"
        "C,false,,\nD,true,true,\n"
    )
    found = told("simulate", str(table), "--rulebook", "shenzhen-2024", "--as-of", "2025-03-29")
    (voucher,) = (it for it in found if it["clause"] == "model-voucher")
    assert voucher["companies"] == {"not_eligible": 1, "eligible": 2, "missing_facts": 1}
    assert (voucher["ceilings"], voucher["pool"]) == ("300000.03", "100000000.00")


def test_a_table_with_a_mistake_is_told_with_its_line(tmp_path: Path):
    table = tmp_path / "companies.csv"
    table.write_text("company,model_cost\nA,much\n")
    done = run("simulate", str(table), "--rulebook", "shenzhen-2024")
    assert isinstance(done.exception, CliError)
    assert "line 2, model_cost" in str(done.exception)
