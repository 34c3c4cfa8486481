"""Parties and the catalogue on the command line, against a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.world import World, serving
from tests.cli.conftest import Call

_SAID = ("--name", "patients", "--title", "Patients 病人", "--format", "parquet", "--place", "CN-QH")
ADD = ("table", "add", *_SAID, "--uri", "s3://bay/patients/")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(tmp_path)
    with serving(made.app) as address:
        monkeypatch.setenv("BAYGRID_SERVER", address)
        monkeypatch.setenv("BAYGRID_TOKEN", made.secrets["team"])
        yield made
    made.close()


def told(call: Call, *arguments: str) -> Any:
    code, out, error = call(*arguments, "--json")
    assert code == 0, error
    return json.loads(out)


def test_a_party_from_a_file(call: Call, world: World, monkeypatch: pytest.MonkeyPatch):
    file = Path("acme.yaml")
    file.write_text(
        "organisation: uni\nfacts:\n  jurisdiction: cn\n  city: 深圳\n  ciio: false\n"
        "pilot:\n  parent: Uni Hong Kong\n  registered: QH-1\n  scope: [health]\n"
        "  from: 2027-01-01\n  until: 2027-12-31\n",
        encoding="utf-8",
    )
    assert call("party", "set", "acme.yaml")[0] == 1  # a team may not
    monkeypatch.setenv("BAYGRID_TOKEN", world.secrets["operator"])
    code, out, error = call("party", "set", "acme.yaml")
    assert (code, out) == (0, "uni: 3 facts, a pilot institution (version 1)\n"), error
    assert told(call, "party", "set", "acme.yaml")["version"] == 1
    assert "深圳" in call("parties")[1]
    shown = call("party", "show", "uni")[1]
    assert "ciio: no" in shown
    assert "pilot, scope: health" in shown
    assert call("party", "show", "startup")[0] == 1
    file.write_text("organisation: uni\nfacts:\n  jurisdiction: cn\n  ciio: perhaps\n", encoding="utf-8")
    code, _, error = call("party", "set", "acme.yaml")
    assert code == 1
    assert "line 4, facts.ciio" in error
    file.write_text("facts: {}\n", encoding="utf-8")
    assert "organisation: NAME" in call("party", "set", "acme.yaml")[2]


def test_from_a_table_to_its_labels(call: Call, world: World):
    code, out, error = call(*ADD)
    assert (code, out.splitlines()[0][:41]) == (0, "demo/patients, version 1: 2 columns, 0 of"), error
    proposed = call("table", "labels", "patients", "--propose")
    assert "by its name" in proposed[1]
    assert "counts for nothing" in proposed[2]
    code, _, error = call("table", "labels", "patients", "--confirm", "name=personal")
    assert (code, "say --by PERSON" in error) == (1, True)
    words = "*=ordinary+domestic+plain,name=personal+subject"
    code, out, error = call("table", "labels", "demo/patients", "--confirm", words, "--by", "Chan Tai Man")
    assert (code, out) == (0, "demo/patients: 2 of 2 columns are labelled; Chan Tai Man answers for it\n")
    labels = {it["name"]: it["labels"] for it in told(call, "table", "show", "patients")["columns"]}
    assert labels["name"] == {
        "personal": True,
        "sensitive": False,
        "important": "no",
        "core": False,
        "origin": "domestic",
        "subject": True,
    }
    assert "personal ordinary domestic subject" in call("table", "labels", "patients")[1]
    shown = call("table", "show", "patients")[1]
    assert "confirmed by: Chan Tai Man" in shown
    assert "uri: s3://bay/patients/" in shown
    profile = call("table", "profile", "patients")[1]
    assert profile.splitlines()[0].split() == ["column", "rows", "nulls", "distinct", "least", "greatest"]
    code, out, error = call("table", "sample", "patients", "-n", "1")
    assert (out.split(), "not shown: name" in error) == (["age", "30"], True)


def test_labels_and_tables_from_files(call: Call, world: World):
    Path("table.yaml").write_text(
        "name: patients\ntitle: Patients\nformat: parquet\nuri: s3://bay/patients/\nplace: HK\n"
    )
    assert told(call, "table", "add", "table.yaml", "--open")["open"] is True
    Path("labels.yaml").write_text("name: personal+subject\nage: plain\n")
    done = told(call, "table", "labels", "patients", "--confirm", "labels.yaml", "--by", "Chan Tai Man")
    assert [it["labels"]["personal"] for it in done["columns"]] == [True, False]
    Path("table.yaml").write_text("name: patients\ntitle: Patients\nformat: xml\nuri: s3://bay/patients/\n")
    code, _, error = call("table", "add", "table.yaml")
    assert (code, "line 3, format" in error) == (1, True)
    assert "say --title" in call("table", "add", "--name", "x")[2]
    code, _, error = call("table", "labels", "patients", "--confirm", "name=secret", "--by", "A")
    assert (code, "the words are plain" in error) == (1, True)


def test_what_others_find_and_what_they_want(call: Call, world: World, monkeypatch: pytest.MonkeyPatch):
    call(*ADD)
    monkeypatch.setenv("BAYGRID_TOKEN", world.secrets["rival"])
    assert [it["ref"] for it in told(call, "tables", "--search", "病人　cn-qh")] == ["demo/patients"]
    assert "uri" not in call("table", "show", "demo/patients")[1]
    code, _, error = call("tables", "--search", "taxi")
    assert (code, "baygrid tables wanted" in error) == (0, True)
    assert call("tables", "wanted", "taxi rides")[1] == "noted; asked for once, by 1 project: taxi rides\n"
    assert "2 times" in call("tables", "wanted", "Taxi rides")[1]
    (wish,) = told(call, "tables", "wanted")
    assert (wish["times"], wish["projects"]) == (2, 1)
