"""`baygrid audit` against a real server, and on files without one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from baygrid.core.data.terms import Terms
from baygrid.ports.contracts import GrantRow
from tests.api.world import SIGNER, World, serving
from tests.cli.conftest import Call
from tests.core.test_data_evidence import STRANGER, evidence
from tests.store.records import data_contract


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Links 2 and 4 are of contract con-1; that it was exported becomes the sixth."""
    made = World(tmp_path)
    row = data_contract(id="con-1", provider="demo", consumer="other", exporter="uni")
    made.store.write(lambda tx: tx.contracts.insert(row, [GrantRow("g-1", "con-1", "demo", "a", Terms())]))
    for n in range(1, 6):
        contract = "con-1" if n in (2, 4) else None
        made.store.write(
            lambda tx: tx.audit.append(n, "read", {"rows": n}, contract=contract, project="demo")  # noqa: B023
        )
    with serving(made.app) as address:
        monkeypatch.setenv("BAYGRID_SERVER", address)
        monkeypatch.setenv("BAYGRID_TOKEN", made.secrets["team"])
        yield made
    made.close()


def alter(world: World, command: str) -> None:
    """As somebody who has the database's file, and knows of triggers."""
    with sqlite3.connect(world.database) as connection:
        for verb in ("update", "delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS audit_no_{verb}")
        connection.execute(command)


def told(call: Call, *arguments: str, code: int = 0) -> Any:
    found, out, error = call(*arguments, "--json")
    assert found == code, error
    return json.loads(out)


def test_a_list(call: Call, world: World):
    assert [it["n"] for it in told(call, "audit", "list")] == [1, 2, 3, 4, 5]
    assert [it["n"] for it in told(call, "audit", "list", "-n", "2")] == [4, 5]
    assert [it["n"] for it in told(call, "audit", "list", "--contract", "con-1")] == [2, 4]
    assert "rows 5" in call("audit", "list")[1]


def test_the_servers_chain(call: Call, world: World, monkeypatch: pytest.MonkeyPatch):
    code, out, error = call("audit", "verify")
    assert code == 0, error
    assert out.startswith("links 1 to 5 are right; the last is ")
    monkeypatch.setenv("BAYGRID_TOKEN", world.secrets["rival"])
    found = told(call, "audit", "verify", "--key", SIGNER.public_key)
    assert (found["good"], found["shown"], found["hidden"]) == (True, 2, 3)
    code, _, error = call("audit", "verify", "--key", STRANGER.public_key)
    assert (code, "signed.public_key" in error) == (1, True)


def test_what_was_altered_at_the_server_is_named(call: Call, world: World):
    alter(world, "UPDATE audit SET data = replace(data, '3', '4') WHERE n = 3")
    code, out, error = call("audit", "verify")
    assert (code, out) == (1, "")
    assert "link 3: it is altered: its content" in error
    found = told(call, "audit", "verify", code=1)
    assert (found["good"], found["last"]) == (False, 2)
    assert found["difference"] == {"link": 3, "place": "link 3", "says": "it is altered: its content"}


def test_a_tail_that_was_cut_off_is_found_also_where_the_end_was_set_back(call: Call, world: World):
    assert call("audit", "end", "-o", "end.json")[0] == 0
    alter(world, "DELETE FROM audit WHERE n > 3")
    assert "the chain was cut after link 3" in call("audit", "verify")[2]
    alter(world, "UPDATE audit_end SET n = 3, hash = (SELECT hash FROM audit WHERE n = 3)")
    assert call("audit", "verify")[0] == 0  # the server itself knows no better
    code, _, error = call("audit", "verify", "--end", "end.json")
    assert (code, "link 4: it is missing" in error) == (1, True)


def test_evidence_is_checked_without_a_server(call: Call, world: World, monkeypatch: pytest.MonkeyPatch):
    code, _, note = call("audit", "export", "con-1", "-o", "evidence.json")
    assert (code, "check it with `baygrid audit verify evidence.json`" in note) == (0, True)
    monkeypatch.setenv("BAYGRID_SERVER", "http://127.0.0.1:9")
    found = told(call, "audit", "verify", "evidence.json", "--key", SIGNER.public_key)
    assert (found["good"], found["first"], found["last"]) == (True, 2, 6)
    assert (found["shown"], found["hidden"]) == (3, 2)
    text = Path("evidence.json").read_bytes()
    place = text.index(b'"rows":4') + len(b'"rows":')
    Path("altered.json").write_bytes(text[:place] + b"9" + text[place + 1 :])
    code, _, error = call("audit", "verify", "altered.json")
    assert (code, "link 4: it is altered: its content" in error) == (1, True)
    Path("altered.json").write_bytes(text.replace(b"a study of ages", b"a study of Ages"))
    assert "contract: it is another one than link 6" in call("audit", "verify", "altered.json")[2]
    Path("altered.json").write_bytes(text.replace(b",", b", ", 1))
    assert "not as it was written, from byte" in call("audit", "verify", "altered.json")[2]
    Path("altered.json").write_bytes(text[:-9])
    assert "no JSON" in call("audit", "verify", "altered.json")[2]
    assert call("audit", "verify", "altered.json", "--end", "evidence.json")[0] == 1
    assert "there is no file of the audit" in call("audit", "verify", "nothing.json")[2]
    Path("other.json").write_text(
        json.dumps(evidence(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    )
    assert told(call, "audit", "verify", "other.json")["last"] == 6


def test_all_links_are_an_operators(call: Call, world: World, monkeypatch: pytest.MonkeyPatch):
    assert call("audit", "export", "-o", "all.json")[0] == 1
    monkeypatch.setenv("BAYGRID_TOKEN", world.secrets["operator"])
    assert call("audit", "export", "-o", "all.json")[0] == 0
    assert call("audit", "export", "--after", "3", "-o", "rest.json")[0] == 0
    found = told(call, "audit", "verify", "rest.json", "--end", "all.json")
    assert (found["first"], found["last"]) == (4, 5)
    assert call("audit", "export", "con-1", "--after", "3")[0] == 1
