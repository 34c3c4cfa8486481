"""`baygrid registry`: findings go to a file, and only what is said there goes on."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from baygrid.cli.entry import app
from tests.cli.conftest import Call
from tests.cli.live import Live
from tests.observatory.rows import address, body, code, small, write


@pytest.mark.parametrize(
    ("arguments", "status", "valid", "said"),
    [
        (["91350100M000100Y43"], 0, True, "check digit"),
        (["91350100M000100Y44"], 1, False, "check digit"),
        (["12345678", "--scheme", "hk_br"], 0, True, "form only: there is no published check digit"),
    ],
)
def test_a_code_is_checked_without_a_server(arguments: list[str], status: int, valid: bool, said: str):
    answer = CliRunner().invoke(app, ["registry", "check-code", *arguments, "--json"])
    told = json.loads(answer.stdout)
    assert (answer.exit_code, told["valid"], told["checked"]) == (status, valid, said)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        "表,行\n".encode("gbk"),
        b"table,line,body,code,decision,message\nbodies,second,far,bad-code,,\n",
        b"table,line,body\nbodies,2,far\n",
    ],
)
def test_only_a_file_of_findings_is_accepted(call: Call, tmp_path: Path, content: bytes):
    (tmp_path / "findings.csv").write_bytes(content)
    folder = str(write(tmp_path / "registry", small()))
    status, _, said = call("registry", "import", folder, "--accept-review", "findings.csv")
    assert status == 1
    assert "findings.csv is no file of findings" in said
    assert "CSV UTF-8" in said


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    found = Live(tmp_path)
    yield found
    found.close()


@pytest.mark.slow
def test_from_files_with_findings_to_an_export_that_is_the_same(live: Live, tmp_path: Path):
    rows = small()
    rows["bodies"] += [body("far", code(4), en="Far"), body("bad", "91350100M000100Y44", en="Bad")]
    rows["addresses"].append(address("far", "2020-01-01", "", lon="100", lat="20"))
    folder, findings = str(write(tmp_path / "registry", rows)), tmp_path / "found.csv"
    live.call("registry", "import", folder, "--dry-run", "--findings", str(findings))
    live.call("registry", "import", folder, "--findings", str(findings), code=1)
    assert live.call("registry", "list") == ""
    with findings.open(encoding="utf-8-sig", newline="") as file:
        told = list(csv.DictReader(file))
    assert [(it["body"], it["code"], it["decision"]) for it in told] == [
        ("bad", "bad-code", ""),
        ("far", "outside-every-zone", ""),
    ]
    told[1]["decision"] = "keep"
    with findings.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(told[0]))
        writer.writeheader()
        writer.writerows(told)
    done = json.loads(live.call("registry", "import", folder, "--accept-review", str(findings), "--json"))
    assert (done["counts"]["bodies_new"], done["counts"]["bodies_held"]) == (4, 1)
    assert [it["id"] for it in json.loads(live.call("registry", "list", "--json"))] == [
        "deep",
        "far",
        "rail",
        "univ",
    ]
    live.call("registry", "export", str(tmp_path / "out"))
    assert "nothing was to change" in live.call("registry", "import", str(tmp_path / "out"))
