"""`baygrid policy`: files are checked with their lines before anything is sent; set, shown, set again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.world import World, serving
from tests.cli.conftest import Call

POLICY = """\
shares:
  uni: 2
  uni/demo: 4
queues:
  train:
    cohort: main
    up_to: high
    quotas:
      H100: {nominal: 16, borrowing: 8}
centres:
  hub: {pue: 1.3, energy_price: "0.80"}
"""


@pytest.fixture
def operator(call: Call, tmp_path: Path) -> Iterator[Call]:
    """Commands of an operator, to a real server."""
    (tmp_path / "region").mkdir()
    world = World(tmp_path / "region")
    with serving(world.app) as address:
        yield lambda *given: call(*given, "--server", address, "--token", world.secrets["operator"])
    world.close()


def test_check_needs_no_server(call: Call, tmp_path: Path):
    (tmp_path / "p.yaml").write_text(POLICY)
    code, out, _ = call("policy", "check", "p.yaml")
    assert (code, out) == (0, "p.yaml can be read: shares, queues, centres\n")
    (tmp_path / "empty.yaml").write_text("")
    assert call("policy", "check", "empty.yaml")[1] == "empty.yaml can be read: it declares nothing\n"


def test_mistakes_are_told_at_once_with_their_lines(call: Call, tmp_path: Path):
    (tmp_path / "p.yaml").write_text(POLICY.replace("pue: 1.3", "pue: 0.3").replace("up_to", "upto"))
    code, _, err = call("policy", "check", "p.yaml")
    assert code == 1
    assert "line 7, queues.train: unknown field 'upto': did you mean 'up_to'?" in err
    assert "line 11, centres.hub.pue: must be from 1 to 10" in err
    code, _, err = call("policy", "check", "p.yaml", "--json")
    assert [problem["line"] for problem in json.loads(err)["problems"]] == [7, 11]


def test_a_file_that_is_not_there(call: Call):
    code, _, err = call("policy", "check", "none.yaml")
    assert (code, err) == (1, "error: there is no policy file none.yaml\ncure: check the path\n")


def test_set_show_and_set_again(operator: Call, tmp_path: Path):
    assert operator("policy", "show")[2] == "nothing is declared: equal shares, no quotas\n"
    assert operator("policy", "history")[2] == "no policy was ever set\n"
    (tmp_path / "p.yaml").write_text(POLICY)
    code, out, _ = operator("policy", "set", "p.yaml")
    assert code == 0
    assert "is in force from" in out
    code, shown, err = operator("policy", "show")
    assert (code, err.startswith("policy-")) == (0, True)
    (tmp_path / "again.yaml").write_text(shown)
    made = json.loads(operator("policy", "set", "again.yaml", "--json")[1])
    history = json.loads(operator("policy", "history", "--json")[1])
    assert [row["document"] for row in history] == [made["document"]] * 2
    assert history[0]["document"]["queues"]["train"]["quotas"] == {"H100": {"nominal": 16, "borrowing": 8}}
    assert "shares, queues, centres" in operator("policy", "history")[1]


def test_names_that_the_region_does_not_have_are_told_with_their_lines(operator: Call, tmp_path: Path):
    (tmp_path / "p.yaml").write_text(POLICY.replace("uni/demo", "uni/demi").replace("hub", "hup"))
    code, _, err = operator("policy", "set", "p.yaml")
    assert code == 1
    assert "line 3, shares.uni/demi: there is no project of uni 'demi': did you mean 'demo'?" in err
    assert "line 11, centres.hup: there is no centre 'hup': did you mean 'hub'?" in err
    assert operator("policy", "history")[2] == "no policy was ever set\n"


def test_it_may_begin_later(operator: Call, tmp_path: Path):
    (tmp_path / "p.yaml").write_text(POLICY)
    code, out, _ = operator("policy", "set", "p.yaml", "--valid-from", "2100-01-01T00:00:00Z", "--json")
    assert (code, json.loads(out)["valid_from"]) == (0, "2100-01-01T00:00:00.000Z")
    assert operator("policy", "show")[2] == "nothing is declared: equal shares, no quotas\n"
    code, _, err = operator("policy", "set", "p.yaml", "--valid-from", "2020-01-01T00:00:00Z")
    assert (code, "valid_from: lies in the past" in err) == (1, True)
