"""`baygrid bill verify` on files: no server, one sentence for whatever is wrong."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from baygrid.cli.claimfile import packed, parts_of, table_of
from baygrid.papers.sheet import sheet
from baygrid.papers.words import LANGUAGES
from baygrid.ports.bundles import canonical
from tests.cli.conftest import Call
from tests.core.bundles import HOUR, PLATFORM, STRANGER, Ran, bundle, signed

GOOD = bundle([Ran("att-1", 0, 0, HOUR, accelerators=4), Ran("att-2", 0, 0, HOUR, project="other")])


def written(folder: Path, document: object) -> str:
    (folder / "bundle.json").write_bytes(document if isinstance(document, bytes) else canonical(document))
    return "bundle.json"


def test_a_good_bundle(call: Call, tmp_path: Path):
    code, said, _ = call("bill", "verify", written(tmp_path, GOOD))
    assert code == 0
    assert said == (
        "every line is right: 5 papers, 5 lines, 2 records, 2 shares checked;"
        f" signed by the platform key {PLATFORM.public_key}\n"
    )


def test_by_a_platform_key_that_is_demanded(call: Call, tmp_path: Path):
    file = written(tmp_path, GOOD)
    code, said, _ = call("bill", "verify", file, "--key", PLATFORM.public_key.upper())
    assert (code, said.splitlines()[-1].rpartition("; ")[2]) == (
        0,
        "signed by the platform key that you named",
    )
    code, _, error = call("bill", "verify", file, "--key", STRANGER.public_key)
    assert code == 1
    assert "signed, public key" in error
    assert call("bill", "verify", file, "--key", "abc")[0] == 2


def test_one_altered_number_is_named(call: Call, tmp_path: Path):
    document = copy.deepcopy(GOOD)
    document["usage"][1]["record"]["cpus"] += 1
    code, said, error = call("bill", "verify", written(tmp_path, document))
    assert (code, said) == (1, "")
    assert error.startswith(
        "error: invoice 2026-11-0002, job job-att-2, attempt att-2, usage 0, record, signature: "
    )
    code, said, _ = call("bill", "verify", "bundle.json", "--json")
    told = json.loads(said)
    assert (code, told["good"], told["difference"]["attempt"]) == (1, False, "att-2")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b'{"baygrid": 1', "it is no JSON at line 1, column 14"),
        (b"\x80", "it is not UTF-8 text at byte 0"),
        (b"PK\x03\x04 a torn archive", "it is a damaged zip"),
        (signed({**GOOD, "baygrid": 3}), "is of version 3, and this Baygrid reads 1"),
        (signed({**GOOD, "usage": {}}), "usage: must be a list, not a mapping"),
    ],
)
def test_what_is_no_bundle(call: Call, tmp_path: Path, document: object, says: str):
    code, said, error = call("bill", "verify", written(tmp_path, document))
    assert (code, said) == (1, "")
    assert "error: bundle.json is no bundle that can be checked" in error
    assert says in error
    assert "Traceback" not in error


CLAIM = next(paper for paper in GOOD["papers"] if paper["kind"] == "claim")
PARTS = {"bundle.json": canonical(GOOD), "claim-2026-11-0001.csv": sheet(CLAIM, "zh-Hans")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_claim_as_a_zip_and_as_a_folder(call: Call, tmp_path: Path, language: str):
    parts = {**PARTS, table_of(CLAIM): sheet(CLAIM, language)}
    (tmp_path / "claim.zip").write_bytes(packed(parts))
    (tmp_path / "claim").mkdir()
    for name, data in parts.items():
        (tmp_path / "claim" / name).write_bytes(data)
    for file in ("claim.zip", "claim"):
        code, said, _ = call("bill", "verify", file)
        assert (code, said.startswith("every line is right: 5 papers")) == (0, True)
    assert packed(parts) == (tmp_path / "claim.zip").read_bytes()


def test_a_table_that_says_something_else_than_its_claim(call: Call, tmp_path: Path):
    table = PARTS["claim-2026-11-0001.csv"]
    for altered, says in (
        (table.replace(b"41.03", b"41.04", 1), "line 2: 2026-11-01,"),
        (table + b"more", "line 5: more stands there, right is an empty line"),
        (b"", "line 1: an empty line stands there"),
    ):
        (tmp_path / "claim.zip").write_bytes(packed({**PARTS, "claim-2026-11-0001.csv": altered}))
        code, _, error = call("bill", "verify", "claim.zip")
        assert (code, says in error) == (1, True), error
    (tmp_path / "claim.zip").write_bytes(packed({**PARTS, "note.txt": b"all is well"}))
    assert "note.txt: a file stands there" in call("bill", "verify", "claim.zip")[2]


def test_no_altered_byte_of_a_zip_is_good_unless_it_says_the_same(call: Call, tmp_path: Path):
    whole = packed(PARTS)
    for place in range(0, len(whole), 97):
        (tmp_path / "claim.zip").write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        code, _, error = call("bill", "verify", "claim.zip")
        assert "Traceback" not in error
        assert code == 1 or parts_of(tmp_path / "claim.zip") == PARTS


def test_a_zip_without_a_bundle(call: Call, tmp_path: Path):
    (tmp_path / "claim.zip").write_bytes(packed({"claim.csv": b""}))
    assert "there is no bundle.json in it" in call("bill", "verify", "claim.zip")[2]


def test_no_file(call: Call, tmp_path: Path):
    assert "there is no bundle absent.json" in call("bill", "verify", "absent.json")[2]
    assert call("bill", "verify", str(tmp_path))[0] == 1
    assert call("bill", "verify")[0] == 2


def test_the_bill_itself_is_as_it_was(call: Call):
    code, said, _ = call("bill", "--help")
    assert code == 0
    assert all(word in said for word in ("[JOB]", "--recompute", "verify", "bundle", "key"))
    for arguments in (("job-1", "--format", "pdf"), ("--format", "pdf", "job-1"), ("--format", "pdf")):
        code, _, error = call("bill", *arguments)
        assert code == 2
        assert "'pdf' is not one of" in error
    assert "unexpected extra argument" in call("bill", "job-1", "job-2")[2]
    assert "there is no bundle" in call("bill", "--project", "verify", "verify", "absent.json")[2]
