"""A server's copy of the region is renewed when it has changed, and only what has changed."""

from __future__ import annotations

from baygrid.app import offers
from baygrid.app.catalogue import RegionCopy
from baygrid.ports.messages import NodeReport
from tests.app.stage import OPERATOR, Stage


def test_nodes_that_did_not_change_are_the_very_same_after_another_centre_did():
    """Else every look at the news would compare each node of the region with itself."""
    stage = Stage()
    one, other = stage.add_site("one", nodes=3), stage.add_site("other", nodes=3)

    def copy() -> RegionCopy:
        return stage.store.read(stage.platform.catalogue.at)

    stage.schedule()
    before = copy()
    other.nodes = (NodeReport("new", 8, 1024),)
    other.report()
    offers.add_offer(
        stage.platform,
        OPERATOR,
        id="more",
        centre=one.name,
        partition="main",
        accelerator=None,
        currency="CNY",
        rates=offers.Rates(),
        valid_from=None,
    )
    after = copy()
    assert after.version > before.version
    assert after.partitions["one"] is before.partitions["one"]
    assert [node.name for node in after.partitions["other"][0].nodes] == ["new"]
    stage.schedule()
    planned = stage.platform.follower.catch_up(stage.now).image.centres
    assert planned["one"].partitions is after.partitions["one"]
    assert planned["other"].partitions is after.partitions["other"]
