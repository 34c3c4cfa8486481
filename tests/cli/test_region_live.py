"""What the region is told of itself, from a running server: its bottlenecks, charts of them, and an issue of
the letter begun with the server's figures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from baygrid.core.days import REGION
from baygrid.letter import bundle
from baygrid.observatory import sample
from tests.cli.live import Live

pytestmark = pytest.mark.slow


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    found = Live(tmp_path)
    yield found
    found.close()


def today() -> date:
    return datetime.now(REGION).date()


def test_what_the_region_lacks_is_told_and_drawn(live: Live, tmp_path: Path):
    month = f"{today() - timedelta(days=29)}/{today()}"
    told = {it["id"]: it for it in json.loads(live.call("bottlenecks", "--json"))}
    assert {"compute.hours_unmet", "data.requests_unmet", "compute.used.not_linked"} <= told.keys()
    assert {it["period"] for it in told.values()} == {month}
    assert "compute.hours_unmet.room" in live.call("bottlenecks")
    named = live.call("bottlenecks", "--since", "2026-10-01", "--until", "2026-10-31", "--json")
    assert {it["period"] for it in json.loads(named)} == {"2026-10"}

    live.call("chart", "compute.hours_unmet", "--language", "ja", "-o", "unmet.svg")
    drawn = (tmp_path / "unmet.svg").read_text(encoding="utf-8")
    assert 'xml:lang="ja"' in drawn
    rows = live.call("chart", "compute.hours_unmet", "--format", "csv").splitlines()
    assert rows[0].startswith("label,series,id,value,unit,population,period,vintage,source,coverage")
    about = json.loads(live.call("chart", "compute.hours_unmet", "--format", "json"))
    assert about["title"]


def test_what_is_asked_wrongly_is_refused_and_saves_nothing(live: Live, tmp_path: Path):
    live.call("bottlenecks", "--since", "2026-10-31", "--until", "2026-10-01", code=1)
    live.call("bottlenecks", "--since", "2020-01-01", "--until", "2026-10-01", code=1)
    for wrong in (("nowhere",), ("compute.used", "--language", "fr"), ("compute.used", "--format", "png")):
        live.call("chart", *wrong, "-o", "wrong.svg", code=1)
    assert not (tmp_path / "wrong.svg").exists()


def test_an_issue_begins_with_what_the_server_knows(live: Live, tmp_path: Path):
    sample.write(tmp_path / "region")
    live.call("registry", "import", str(tmp_path / "region"))
    later = today() + timedelta(days=30)
    new = ("letter", "new", "2", "--since", "2026-11-24", "--as-of", "2023-12-31", "--on", str(later))
    live.call(*new, "--zone", "atlantis", code=1)
    assert [*(tmp_path / "letters").iterdir()] == []
    live.call(*new)
    made = bundle.read(tmp_path / "letters" / "002" / "bundle.json")
    figure = made.figure("qianhai.companies.count")
    assert figure is not None
    assert (str(figure.value), figure.synthetic) == ("289", True)
    assert str(figure.vintage) == str(today())
    assert "platform" not in made.figures

    issue = tmp_path / "letters" / "002" / "issue.yaml"
    issue.write_text(issue.read_text(encoding="utf-8") + "platform: yes\n", encoding="utf-8")
    live.call("letter", "new", "2", "--on", str(later))
    again = bundle.read(tmp_path / "letters" / "002" / "bundle.json")
    assert again.figure("platform.compute.hours_unmet") is not None
    assert again.figures["qianhai"] == made.figures["qianhai"]
