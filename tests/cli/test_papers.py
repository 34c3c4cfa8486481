"""From a month's charges to paid invoices, as an operator, a team and a centre type it, against a server
whose clock goes on to the next month."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from baygrid.app.charging import Due, charge
from baygrid.app.closing import OVER_MS
from baygrid.core.jobs.lifecycle import JobState
from baygrid.core.pricing.charge import HOUR_MS
from baygrid.core.pricing.months import Month
from baygrid.ports.store import Tx
from baygrid.ports.usage import ChargeRow
from tests.api.world import World, serving
from tests.cli.conftest import Call
from tests.cli.test_accounts import Shell
from tests.store.records import job


@pytest.fixture
def shell(tmp_path: Path, call: Call) -> Iterator[Shell]:
    """Project demo used so much that no 32-bit float can count it, and one fen."""
    world = World(tmp_path)
    with serving(world.app) as address:
        found = Shell(world, address, call)
        found("operator", "payments", "add", "demo", "20000000", "CNY", "--reference", "B-1")
        for number, minor in enumerate((1_677_721_701, 1)):
            world.store.write(partial(_used, world, number, minor))
        yield found
    world.close()


def _used(world: World, number: int, minor: int, tx: Tx) -> None:
    now = world.clock()
    money = f"{minor // 100}.{minor % 100:02d} CNY"
    line = {"item": "cpu", "quantity": "1/3", "unit": "cpu-hour", "rate": "1", "amount": money}
    row = ChargeRow(
        f"att-{number}", 0, f"job-{number}", "demo", "far", "far-cpu", now, "CNY",
        [{**line, "from": now - HOUR_MS, "to": now}], minor, 0, f"txn-{number}",
    )  # fmt: skip
    tx.jobs.insert([job(f"job-{number}", name="train", state=JobState.SUCCEEDED, hold=0)])
    charge(tx, [Due(row, "a job", now - HOUR_MS, now, "any")])
    assert tx.money.move("demo", at=now, charged=minor)


def next_month(world: World) -> Month:
    """The clock goes on to when this month can be closed."""
    now = world.clock()
    month = Month.of(now)
    world.clock.ahead_ms += month.end + OVER_MS - now
    return month


def test_a_month_from_rates_to_payments(shell: Shell, tmp_path: Path):
    month = Month.of(shell.world.clock())
    since, last = month.first_day.isoformat(), month.last_day.isoformat()
    said = shell("operator", "tax", "set", "VAT", "6%", "--from", since, "--source", "a notice")
    assert said == f"VAT: 0.06 from {month} on\n"
    shell("operator", "fee", "set", "3%", "--from", since, "--source", "the contract")
    shell("operator", "exchange-rates", "add", "CNY", "HKD", "1.0870", "--on", last, "--source", "a bank")
    assert "is not over" in shell("operator", "close", str(month), code=1)
    next_month(shell.world)
    shown = shell.json("operator", "close", str(month), "--dry-run")
    assert (shown["closed_at"], shown["missing"]) == (None, [])
    assert shell.json("operator", "closes") == []
    closed = shell.json("operator", "close", str(month))
    assert [it["total"]["text"] for it in closed["papers"]] == ["17783850.04 CNY", "16273900.51 CNY"]
    assert shell.json("operator", "close", str(month)) == {**closed, "missing": []}
    number = f"{month}-0001"
    (mine,) = shell.json("team", "invoices")
    assert mine["number"] == number
    assert mine["left"]["text"] == "1006633.02 CNY"
    assert shell.json("rival", "invoices", "list") == []
    text = shell("team", "invoices", "show", number)
    for words in (
        "subtotal: 16777217.02 CNY, out of grant 10000.00 CNY, payment 16767217.02 CNY, credit 0.00 CNY",
        "VAT 6%: 1006633.02 CNY (a notice)",
        "total: 17783850.04 CNY",
        f"that is 19331044.99 HKD at 1.087 of {last} (a bank)",
        "left to pay: 1006633.02 CNY of 1006633.02 CNY",
    ):
        assert words in text, text
    assert "there is no invoice" in shell("rival", "invoices", "show", number, code=1)
    assert "payable: 16273900.51 CNY" in shell("far", "settlements", "show", number)
    assert shell.json("hub", "settlements") == []

    pay = ("payments", "add", "demo", "1006633.02", "CNY", "--reference", "B-2", "--invoice", number)
    for _ in range(2):
        assert shell("operator", *pay) == f"1006633.02 CNY of {number} by demo: B-2\n"
    other = [*pay[:2], "other", *pay[3:]]
    assert "is of demo, not of other" in shell("operator", *other, code=1)
    settle = ("payments", "settlement", number, "16273900.51 CNY", "--reference", "S-1")
    assert shell.json("operator", *settle)["party"] == "centre"
    note = ("credit-notes", "create", number, "--reason", "a slow node", "--amount", "1.06 CNY")
    made = shell("operator", *note)
    assert "0.00 CNY of it is no longer due, 1.06 CNY is the project's again" in made
    (credited,) = shell.json("team", "credit-notes")
    assert "1.06 CNY of invoice" in shell("team", "credit-notes", "show", credited["number"])
    assert f"credit notes: {credited['number']}" in shell("team", "invoices", "show", number)
    assert [it["reference"] for it in shell.json("team", "payments")] == ["B-1", "B-2"]

    told = shell("team", "statement", "--from", since, "--to", (month.next.first_day).isoformat())
    assert "opening balance" in told.splitlines()[1]
    whole = shell.json("team", "statement", "demo")
    assert whole["closing"]["due"]["minor"] == 0
    assert whole["closing"]["prepaid"]["text"] == "3232784.04 CNY"


def test_the_forms_of_an_invoice(shell: Shell, tmp_path: Path):
    month = next_month(shell.world)
    shell("operator", "close", str(month))
    show = ("invoices", "show", f"{month}-0001", "--format")
    rows = list(csv.reader(io.StringIO(shell("team", *show, "csv"))))
    assert [row[-2] for row in rows[1:3]] == ["16777217.01", "0.01"]
    assert shell("team", *show, "csv", "--language", "zh-Hans") != shell("team", *show, "csv")
    file = tmp_path / "a.beancount"
    shell("team", *show, "beancount", "--output", str(file))
    check = [str(Path(sys.executable).parent / "bean-check"), "--no-cache", str(file)]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0
    assert "16777217.01 CNY" in file.read_text()
    assert shell.json("team", *show[:3])["document"]["subtotal"] == "16777217.02 CNY"
    assert "say --output FILE" in shell("team", *show, "pdf", code=1)
    assert "is not one of" in shell("team", *show, "docx", code=2)
    told = list(csv.DictReader(io.StringIO(shell("team", "statement", "demo", "--format", "csv"))))
    assert told[-1]["What"] == "Closing balance"
    assert "is not one of" in shell("team", "statement", "demo", "--format", "beancount", code=2)
    assert "no tax is configured" in shell("team", *show, "table")
    settlement = ("settlements", "show", f"{month}-0001", "--format", "beancount")
    assert "is not one of" in shell("far", *settlement, code=2)


def test_what_is_not_there_is_said(shell: Shell):
    assert "no month is closed yet" in noted(shell, "closes")
    assert "no tax is configured" in noted(shell, "tax")
    assert "no fee is configured" in noted(shell, "fee")
    assert "no exchange rates" in noted(shell, "exchange-rates")
    assert "there are none yet" in noted(shell, "claims", "list")
    bad = shell("operator", "tax", "set", "VAT", "6", "--from", "2090-01-01", "--source", "a notice", code=1)
    assert "must be a share such as 6% or 0.06" in bad
    half = ("tax", "set", "VAT", "6%", "--source", "a notice", "--from")
    assert "must be the first day of a month" in shell("operator", *half, "2090-01-02", code=1)
    assert "such as 2026-11-30" in shell("operator", *half, "soon", code=1)
    rate = ("exchange-rates", "add", "CNY", "CNY", "1", "--on", "2090-01-01", "--source", "a bank")
    assert "another currency" in shell("operator", *rate, code=1)


def noted(shell: Shell, *arguments: str) -> str:
    """What is said beside an empty answer."""
    out, err = shell.both("operator", *arguments)
    assert out == ""
    return err
