"""A server's registry is counted as the same registry in files is; and as it was known on a day."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from baygrid.app import bottlenecks, indicators, registry, registry_changes
from baygrid.app.indicators import RefusedRatio
from baygrid.app.problems import Invalid
from baygrid.core.days import beginning
from baygrid.core.indicators.figure import Figure
from baygrid.observatory import indicators as counting
from baygrid.observatory import sample, tables
from tests.app.stage import OPERATOR, Stage
from tests.observatory.loading import FEW, load

DAY, KNOWN = date(2023, 12, 31), date(2024, 4, 1)
HERE = "qianhai"


class Region(Stage):
    """With a small sample in its registry, imported on the day on which it was known."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        sample.write(folder, FEW)
        bodies = folder / "bodies.csv"  # two with different codes could not be one
        bodies.write_text(re.sub(r"uscc,91\w{16}", ",", bodies.read_text("utf-8")), "utf-8")
        self.now = beginning(KNOWN)
        load(self.platform, folder)

    def figures(self, zone: str | None = HERE, known: date | None = KNOWN) -> list[Figure]:
        return indicators.figures(self.platform, self.team, zone, DAY, known)

    def count(self, known: date | None = KNOWN) -> int:
        figure = counting.pick(self.figures(known=known), "companies.count")
        assert figure.value is not None
        return int(figure.value)


@pytest.fixture
def region(tmp_path: Path) -> Region:
    return Region(tmp_path / "registry")


def test_a_server_counts_as_files_are_counted(region: Region):
    files = tables.read(region.folder)
    for zone in (HERE, "shenzhen"):
        assert region.figures(zone) == counting.figures(files, zone, DAY, KNOWN)
    own = bottlenecks.show(region.platform, region.team, None, DAY)
    assert {"compute.hours_unmet", "data.requests_unmet"} <= {it.id for it in own}
    whole = counting.figures(files, None, DAY, KNOWN)
    assert region.figures(None) == whole + own
    before = {it.id for it in region.figures(None, date(2024, 3, 31))}
    assert not before & {it.id for it in own}, "what the platform knew on another day is not told"
    past = indicators.history(region.platform, region.team, "companies.count", HERE, DAY, 2, KNOWN)
    assert [it.value for it in past] == [17, 23]


def test_what_came_later_is_not_in_what_was_known_before(region: Region):
    """A body that was merged is one no more; by what was known the day before it still is."""
    found, _ = registry.page(region.platform, region.team, registry.Filters(zone=HERE), DAY, "", 50)
    gone, stays = [it.row.id for it in found if it.row.record.body.kind == "company"][:2]
    region.now = beginning(date(2024, 4, 10))
    registry_changes.merge(region.platform, OPERATOR, gone, stays, "the same one, under two codes")
    assert region.count(date(2024, 4, 10)) == region.count(None) == 22
    assert region.count(date(2024, 4, 9)) == 23
    assert region.count(date(2024, 3, 31)) == 0


def test_what_is_to_come_is_not_known(region: Region):
    with pytest.raises(Invalid, match="2024-04-02 is to come"):
        region.figures(known=date(2024, 4, 2))


def test_a_ratio_is_refused_with_its_reason(region: Region):
    names = "companies.share_of_city", "returns.information_services.revenue"
    with pytest.raises(RefusedRatio, match="different populations"):
        indicators.compare(region.platform, region.team, *names, HERE, DAY, KNOWN)
    share = indicators.compare(
        region.platform, region.team, "companies.count@qianhai", "companies.count@shenzhen", None, DAY, KNOWN
    )
    assert share.note == "23 of 69 companies"


def test_a_server_without_zones_says_what_to_do():
    stage = Stage()
    with pytest.raises(Invalid, match="baygrid registry import"):
        indicators.figures(stage.platform, stage.team, None, DAY, None)
