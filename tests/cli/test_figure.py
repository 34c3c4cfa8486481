"""`baygrid figure read`: the contract that programs use, and what a person is told. No server runs."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from baygrid.cli.entry import app
from baygrid.cli.errors import CliError

PROSE = "前海市では1秒間に500億兆回、2,213億人民元(+51.5 %)。三分の一。"


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["figure", "read", *arguments], input=stdin)


def told(*arguments: str, stdin: str | None = None) -> Any:
    done = run(*arguments, "--json", stdin=stdin)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def refused(*arguments: str, stdin: str | bytes | None = None) -> CliError:
    error = run(*arguments, stdin=stdin).exception
    assert isinstance(error, CliError)
    return error


def test_programs_get_text_value_unit_flag_and_suggestion():
    (figure,) = told("1秒間に500億兆回", "--lang", "ja")["figures"]
    contract = {name: figure[name] for name in ("text", "value", "unit", "flag", "suggestion")}
    assert contract == {
        "text": "500億兆回",
        "value": "50000000000000000000000",
        "unit": "FLOP/s",
        "flag": "implausible",
        "suggestion": "500 PFLOP/s",
    }
    assert figure["source"]["original"] == "50亿亿次"
    assert [it["value"] for it in figure["readings"]] == [figure["value"], "50000000000000000"]


def test_names_are_beside_the_figures_and_values_are_decimal_strings():
    found = told(PROSE, "--lang", "ja")
    assert [(it["text"], it["suggestion"]) for it in found["names"]] == [("前海市", "前海")]
    third = found["figures"][-1]
    assert (third["value"], third["exact"]) == ("0.3333333333333333333333333333", "1/3")
    assert found["figures"][1] == {
        "text": "2,213億人民元", "value": "221300000000", "unit": "CNY", "flag": None, "suggestion": None,
        "exact": None, "start": 16, "part": None, "why": None, "note": None, "source": None,
        "readings": [{"rule": "as written", "value": "221300000000", "plausible": True}],
    }  # fmt: skip


def test_a_text_comes_from_an_argument_a_file_or_stdin_alike(tmp_path: Path):
    path = tmp_path / "letter.txt"
    path.write_text(PROSE, encoding="utf-8")
    one = told(PROSE, "--lang", "ja")
    assert one == told("--file", str(path)) == told("-", stdin=PROSE)


def test_a_person_gets_a_table_and_what_is_doubtful():
    done = run(PROSE)
    assert "500 PFLOP/s by its source; 50 PFLOP/s by 兆 = 10^6 (mainland China)" in done.stdout
    assert "TOP500" in done.stderr
    assert "前海市: Qianhai is a zone of Shenzhen, not a city or a district: write 前海" in done.stderr


def test_a_text_without_figures_says_so():
    done = run("nothing here")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "no figure" in done.stderr
    assert told("nothing here") == {"figures": [], "names": []}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), "usage"),
        (("289", "--file", "letter.txt"), "usage"),
        (("289社",), "no-language"),
        (("289", "--lang", "zh"), "no-language"),
        (("--file", "nowhere.txt"), "no-file"),
    ],
)
def test_a_wrong_call_is_one_error_with_its_cure(arguments: tuple[str, ...], code: str):
    error = refused(*arguments)
    assert error.code == code
    assert error.cure


def test_what_is_no_text_is_refused(tmp_path: Path):
    path = tmp_path / "letter.bin"
    path.write_bytes(b"\xff\xfe289")
    assert refused("--file", str(path)).code == "invalid"
    assert refused("-", stdin=b"\xff\xfe289").code == "invalid"
