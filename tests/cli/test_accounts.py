"""Commands of accounts against a real server in this process: what they print, with and without --json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.world import World, serving
from tests.cli.conftest import Call


class Shell:
    """The command line as somebody types it who has one of the tokens."""

    def __init__(self, world: World, address: str, call: Call) -> None:
        self.world, self._address, self._call = world, address, call

    def __call__(self, who: str, *arguments: str, code: int = 0) -> str:
        """What it prints on stdout; of a call that fails, what on stderr."""
        out, err = self.both(who, *arguments, code=code)
        return err if code else out

    def both(self, who: str, *arguments: str, code: int = 0) -> tuple[str, str]:
        """What it prints on stdout, and what on stderr."""
        token = self.world.secrets.get(who, who)
        found, out, err = self._call(*arguments, "--server", self._address, "--token", token)
        assert found == code, (arguments, out, err)
        return out, err

    def json(self, who: str, *arguments: str) -> Any:
        return json.loads(self(who, *arguments, "--json"))


@pytest.fixture
def shell(tmp_path: Path, call: Call) -> Iterator[Shell]:
    world = World(tmp_path)
    with serving(world.app) as address:
        yield Shell(world, address, call)
    world.close()


ASK = ("applications", "create", "--amount", "50 CNY", "--to", "2090-01-01", "--purpose", "label images")


def test_an_application_from_both_sides(shell: Shell):
    first = shell.json("team", "allocations")[0]["id"]
    id = shell.json("team", *ASK, "--renews", first)["id"]
    assert f"{id}  demo     REQUESTED  50.00 CNY" in shell("operator", "applications")
    said = shell("operator", "applications", "review", id, "--recommend", "40 CNY", "-m", "less")
    assert said == f"{id} is reviewed: 40.00 CNY recommended\n"
    told = shell("operator", "applications", "approve", id, "-m", "fine", code=1)
    assert "who has reviewed an application may not decide on it: let another operator decide" in told
    other = shell("operator", "tokens", "create", "--role", "operator").strip()
    made = shell.json(other, "applications", "approve", id, "-m", "fine", "--amount", "45 CNY")
    assert (made["state"], made["approved"]["text"]) == ("APPROVED", "45.00 CNY")
    shown = shell("team", "applications", "show", id)
    assert f"{id} of demo is APPROVED: label images\n50.00 CNY from " in shown
    assert f"to follow {first}\n45.00 CNY as {made['allocation']}\n" in shown
    assert shell.json("team", "applications", "show", id) == made
    listed = shell("operator", "allocations", "--project", "demo")
    assert "45.00 CNY" in listed
    assert "label images" in listed
    assert "no end" in listed


def test_refused_and_withdrawn(shell: Shell):
    refused, gone = (shell.json("team", *ASK)["id"] for _ in range(2))
    other = shell("operator", "tokens", "create", "--role", "operator").strip()
    shell("operator", "applications", "review", refused, "--recommend", "0 CNY", "-m", "no")
    assert shell(other, "applications", "refuse", refused, "-m", "none left") == f"{refused} is refused\n"
    assert shell("team", "applications", "withdraw", gone) == f"{gone} is withdrawn\n"
    states = {it["id"]: it["state"] for it in shell.json("team", "applications")}
    assert states == {refused: "REFUSED", gone: "WITHDRAWN"}


def test_a_grant_with_an_end(shell: Shell):
    shell("operator", "projects", "grant", "demo", "5 CNY", "--to", "2090-01-01", "--credit", "-m", "a test")
    row = shell.json("operator", "allocations", "-p", "demo")[-1]
    assert (row["source"], row["purpose"], row["amount"]["minor"]) == ("credit", "a test", 5_00)
    assert row["to"].startswith("2089-12-31") or row["to"].startswith("2090-01-01")


@pytest.mark.parametrize("amount", [("2000", "CNY"), ("2000 CNY",)])
def test_a_budget(shell: Shell, amount: tuple[str, ...]):
    assert shell.json("team", "budgets") == []
    said = shell("operator", "budgets", "set", "demo", *amount, "--alert", "50,80%", "--hard")
    assert said.startswith("demo has a budget of 2000.00 CNY a month: 0.00 CNY charged in 2")
    (row,) = shell.json("team", "budgets")
    assert (row["budget"]["minor"], row["hard"], row["alerts"]) == (2000_00, True, [50, 80])
    shown = shell("operator", "budgets")
    assert "50%, 80%" in shown
    assert "jobs wait" in shown
    assert "is more than is expected" in shell("team", "forecast")
    assert shell("operator", "budgets", "remove", "demo") == "demo has no budget any more\n"
    assert "has no budget" in shell("operator", "budgets", "remove", "demo", code=1)


def test_a_list_that_is_none_of_percentages(shell: Shell):
    told = shell("operator", "budgets", "set", "demo", "5 CNY", "--alert", "half", code=2)
    assert "'half' is no list of percentages: write for example 50,80,100" in told


def test_a_forecast(shell: Shell):
    found = shell.json("operator", "forecast", "demo")
    assert (found["project"], found["at_most"]["minor"]) == ("demo", 0)
    shown = shell("team", "forecast")
    assert "expected at the end" in shown
    assert "the mean of the last 7 days goes on" in shown
    assert "there is no project" in shell("operator", "forecast", "nobodys", code=1)
