"""`baygrid law`: the contract that programs use, and what a person is told. No server runs."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from baygrid.cli.entry import app
from baygrid.cli.errors import CliError

FACTS = """\
direction: cn_out
exporter:
  {jurisdiction: cn, registered_in_gba9: true, ciio: false, state_organ: false, ftz_zone: none}
recipient:
  jurisdiction: hk
  registered_in_hk_or_gba9: true
  on_art42_list: false
  is_foreign_judicial_or_enforcement: false
data:
  {pi: true, spi: false, important: no, core: false, origin: domestic, domestic_mixed: false}
ytd_after: {pi_nonsensitive: 99999, spi: 0}
ground: other
sector: retail
"""  # `no` is the word, as in YAML 1.2


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["law", *arguments], input=stdin)


def told(*arguments: str, stdin: str | None = None) -> Any:
    done = run(*arguments, "--json", stdin=stdin)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture
def facts(tmp_path: Path) -> str:
    path = tmp_path / "facts.yaml"
    path.write_text(FACTS)
    return str(path)


def test_a_decision_has_its_article_and_every_rule_that_was_looked_at(facts: str):
    found = told("decide", facts, "--as-of", "2026-11-22")
    assert (found["outcome"], found["basis"], found["missing"]) == ("EXEMPT", ["Provisions 5(4)"], [])
    assert [it["rule"] for it in found["trace"]][-3:] == ["M9", "M10", "M11"]
    line = found["trace"][-2]
    assert line["held"] is False
    assert line["read"]["ytd_after.pi_nonsensitive"] == 99_999
    assert line["against"]["pi_routes"]["value"] == 100_000
    assert "Provisions 5(4) and 8" in line["against"]["pi_routes"]["reference"]
    zone = next(it for it in found["trace"] if it["rule"] == "M7")
    assert zone["against"]["ftz"]["value"] == "not loaded"


def test_facts_that_contradict_each_other_are_told_with_their_line(facts: str):
    done = run("decide", "-", stdin=FACTS.replace("jurisdiction: hk", "jurisdiction: cn"))
    assert isinstance(done.exception, CliError)
    assert "no border is crossed" in str(done.exception)
    assert "line 5" in str(done.exception)


def test_one_person_more_needs_a_way(facts: str):
    found = told("decide", "-", "--as-of", "2026-11-22", stdin=FACTS.replace("99999", "100000"))
    assert found["outcome"] == "STANDARD_CONTRACT_OR_CERTIFICATION"
    assert found["options"] == ["sc", "cert", "gba_sc"]
    filing = next(it for it in found["obligations"] if it["id"] == "sc-filing")
    assert filing["clock"] == {
        "number": 10, "unit": "working_days", "calendar": "cn", "after": "the contract takes effect",
    }  # fmt: skip


def test_what_is_left_out_is_asked():
    found = told("decide", "-", "--as-of", "2026-11-22", stdin=FACTS.replace("important: no, ", ""))
    assert (found["outcome"], found["missing"]) == ("NEEDS_FACT", ["data.important"])


def test_a_person_is_told_the_same(facts: str):
    done = run("decide", facts, "--as-of", "2026-11-22")
    assert done.stdout.startswith("EXEMPT on 2026-11-22 by M11 (Provisions 5(4))\n")
    assert "ytd_after.pi_nonsensitive 99999" in done.stdout
    assert "not legal advice" in done.stderr


def test_a_choice_that_is_not_open_is_refused_with_the_reason():
    elsewhere = FACTS.replace("registered_in_hk_or_gba9: true", "registered_in_hk_or_gba9: false")
    done = run(
        "decide",
        "-",
        "--as-of",
        "2026-11-22",
        stdin=elsewhere.replace("99999", "100000") + "choice: gba_sc\n",
    )
    assert "refused: gba_sc is not open" in done.stdout, done.output


def test_a_mistake_is_told_with_its_line():
    done = run("decide", "-", stdin="direction: cn_out\ndata: {pi: perhaps}\n")
    assert isinstance(done.exception, CliError)
    assert "line 2, data.pi: must be true or false" in str(done.exception)


@pytest.mark.parametrize("day", ["2022-08-31", "1997-07-01"])
def test_a_day_whose_law_is_not_loaded_is_refused(facts: str, day: str):
    done = run("decide", facts, "--as-of", day)
    assert isinstance(done.exception, CliError)
    assert (done.exception.code, "2022-09-01" in str(done.exception)) == ("not-loaded", True)


def test_a_list_counts_only_where_the_operator_gives_it(tmp_path: Path):
    lists = tmp_path / "lists.yaml"
    lists.write_text(
        "lists: [{kind: ftz, zone: qianhai-shekou, from: 2026-06-01, reference: invented, enabled: true}]\n"
    )
    zone = FACTS.replace("ftz_zone: none", "ftz_zone: Qianhai-Shekou").replace("99999", "2000000")
    facts = zone + "ftz: {listed: false}\n"
    assert told("decide", "-", "--as-of", "2026-11-22", stdin=facts)["outcome"] == "SECURITY_ASSESSMENT"
    with_it = ("--lists", str(lists))
    assert told("decide", "-", "--as-of", "2026-11-22", *with_it, stdin=facts)["basis"] == ["Provisions 6"]
    rules = {it["name"]: it for it in told("rules", "--as-of", "2026-11-22", *with_it)}
    assert rules["ftz qianhai-shekou"]["comes_to"] == "loaded"
    assert rules["hetao"]["comes_to"] == "not loaded"


def test_a_file_of_lists_that_states_none_is_refused(tmp_path: Path, facts: str):
    lists = tmp_path / "lists.yaml"
    lists.write_text("lists: [{kind: ftz, zone: q}]")
    done = run("decide", facts, "--lists", str(lists))
    assert isinstance(done.exception, CliError)
    assert "lists.0.reference: field required" in str(done.exception)


def test_every_fact_that_is_asked_is_listed():
    names = {it["name"] for it in told("facts")}
    assert {"direction", "data.important", "ytd_after.spi", "received_under"} <= names


def test_what_changed_between_two_days():
    found = told("diff", "2024-03-21", "2024-03-22")
    came = {it["after"]["name"] for it in found if it["before"] is None}
    went = {it["before"]["name"] for it in found if it["after"] is None}
    assert {"M4", "M6-hr", "M9", "M10", "M11"} <= came
    assert went == {"M9-order11", "M10-order11"}
    assert told("diff", "2026-11-21", "2026-11-22") == []
