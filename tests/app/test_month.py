"""A month of 2,000 jobs: every paper of it can be had, checked by programs that are not ours, and recomputed
without the platform; one altered byte is found and named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from baygrid.app import bill, bundles, closing, jobs, ledger, vouchers
from baygrid.app.problems import WrongState
from baygrid.core.pricing.accounts import project_account, receivable_account
from baygrid.core.pricing.beancount import render
from baygrid.core.units import Money
from baygrid.ports.papers import PaperKind, PaperRow
from tests.app import month
from tests.app.stage import OPERATOR, Stage

BIN = Path(sys.executable).parent
JOBS = 2_000

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def stage() -> Stage:
    """After the month, which is closed."""
    made = Stage()
    month.live(made, month.found(made), JOBS, seed=1)
    closing.close(made.platform, OPERATOR, "2027-01", dry_run=False)
    return made


PAPERS = (
    *((PaperKind.INVOICE, name) for name, _ in month.TEAMS),
    *((PaperKind.SETTLEMENT, centre) for centre in ("qianhai", "hongkong")),
    (PaperKind.CLAIM, "region"),
)


@pytest.fixture(scope="module", params=PAPERS, ids="-".join)
def bundle(request: pytest.FixtureRequest, stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A paper of the month in a file, with all that it follows from."""
    kind, subject = request.param
    (row,) = [row for row in issued(stage) if (row.kind, row.subject) == (kind, subject)]
    made = bundles.of_paper(stage.platform, OPERATOR, kind, row.number)
    file = tmp_path_factory.mktemp("bundles") / f"{kind}-{subject}.json"
    file.write_bytes(orjson.dumps(made))
    return file


def issued(stage: Stage) -> tuple[PaperRow, ...]:
    return closing.close(stage.platform, OPERATOR, "2027-01", dry_run=False).papers


def verified(file: Path, code: int, *options: str) -> str:
    """What `baygrid bill verify` says: offline, in a process of its own."""
    done = subprocess.run(
        [BIN / "baygrid", "bill", "verify", str(file), *options], capture_output=True, text=True, check=False,
        env={"PATH": str(BIN), "HOME": str(file.parent), "LANG": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_everybody_pays_what_is_theirs(stage: Stage):
    paid, supported = 0, 0
    for name, _ in month.TEAMS:
        found = bill.bill(stage.platform, OPERATOR, name, 0, stage.now, recompute=True)
        assert found.differences == ()
        paid += found.total
        supported += sum(share.share["paid"] for share in found.shares)
    ended = jobs.page(stage.platform, OPERATOR, project=None, states=[], before=None, limit=JOBS + 1)
    assert len(ended) == JOBS
    assert paid == sum(view.charged for view in ended)
    (pool,) = vouchers.pools(stage.platform, OPERATOR)
    assert supported == pool.paid == Money.parse("2500 CNY").minor, "the last cent of the pool is spent"


def test_every_cent_is_in_one_invoice_one_settlement_and_if_supported_one_claim(stage: Stage):
    """Papers say what the charges say, each its part."""
    papers = issued(stage)
    totals = {kind: sum(row.total for row in papers if row.kind is kind) for kind in PaperKind}
    settled = [json.loads(row.document)["gross"] for row in papers if row.kind is PaperKind.SETTLEMENT]
    assert len(papers) == len(PAPERS)
    assert totals[PaperKind.CLAIM] == 250_000
    earned = sum(Money.parse(gross).minor for gross in settled)
    assert earned == totals[PaperKind.INVOICE] + totals[PaperKind.CLAIM]
    with pytest.raises(WrongState, match="is not over"):
        closing.close(stage.platform, OPERATOR, "2027-02", dry_run=False)


def test_bean_check_accepts_the_whole_ledger(stage: Stage, tmp_path: Path):
    file = tmp_path / "ledger.beancount"
    file.write_text(ledger.beancount(stage.platform, OPERATOR), encoding="utf-8")
    done = subprocess.run([BIN / "bean-check", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_text_of_a_project_has_all_that_moves_its_money(stage: Stage):
    rows = ledger.ledger(stage.platform, OPERATOR, None, 10_000)
    mine = {project_account("demo"), receivable_account("demo")}
    moved = [row for row in rows if any(it.account in mine for it in row.postings)]
    assert 0 < len(moved) < len(rows)
    text = ledger.beancount(stage.platform, OPERATOR, "demo")
    assert text == render(moved, "Baygrid, project demo")


def test_a_bundle_is_recomputed_without_the_platform(bundle: Path):
    told = json.loads(verified(bundle, 0, "--json"))
    assert (told["good"], told["difference"]) == (True, None)
    assert told["records"] == len(json.loads(bundle.read_bytes())["usage"])


def test_a_centre_learns_nothing_of_its_customers_vouchers(stage: Stage):
    rows = [row for row in issued(stage) if row.kind is PaperKind.SETTLEMENT]
    for row in rows:
        made = bundles.of_paper(stage.platform, OPERATOR, row.kind, row.number)
        assert made["vouchers"] == {}
        assert "vch-" not in json.dumps(made)


def test_one_altered_byte_of_one_record_is_found_and_named(bundle: Path, tmp_path: Path):
    document = json.loads(bundle.read_bytes())
    record = document["usage"][len(document["usage"]) // 2]
    end = str(record["record"]["end"])
    altered = end[:-1] + str((int(end[-1]) + 1) % 10)
    text = bundle.read_text()
    assert text.count(f'"attempt":"{record["attempt"]}"') >= 1
    at = text.index(f'"end":{end}', text.index(json.dumps(record["record"], separators=(",", ":"))[:40]))
    file = tmp_path / "altered.json"
    file.write_text(f'{text[:at]}"end":{altered}{text[at + len(f"{chr(34)}end{chr(34)}:{end}") :]}')
    assert sum(a != b for a, b in zip(text, file.read_text(), strict=True)) == 1
    told = verified(file, 1)
    assert record["attempt"] in told
