"""The exchange over HTTP: what it shows, and the bytes by which a real agent's transport measures."""

import time

import pytest
from starlette.testclient import TestClient

from baygrid.app import sync
from baygrid.app.access import Actor
from baygrid.centres.measuring import PIECES, measure
from baygrid.centres.transport import HttpTransport
from baygrid.core.placement.links import Sample
from baygrid.ports.messages import Refused, Report
from baygrid.ports.records import Role
from tests.api.world import World, serving


def test_members_and_links(world: World, api: TestClient):
    operator, now = world.headers("operator"), world.clock()
    made = api.post("/v1/exchange/members", json={"name": "metro", "kind": "network"}, headers=operator)
    assert made.status_code == 201
    sample = Sample(now, 125_000_000, 900, 1_100, 5, 1)
    report = Report(1, 2, 1, 0, now, "digest-hub", None, "", (), links=(sample,))
    sync.take_report(world.platform, Actor("agent", Role.CENTRE, "hub", centre="hub"), report)
    found = api.get("/v1/exchange", headers=world.headers("team")).json()
    assert [(one["name"], one["kind"]) for one in found["members"]] == [
        ("far", "centre"),
        ("hub", "centre"),
        ("metro", "network"),
    ]
    far, hub = found["links"]
    assert (far["to"], far["origin"], far["mbit_s"], far["measured"]) == ("far", "unknown", None, None)
    assert (hub["from"], hub["to"], hub["origin"], hub["mbit_s"]) == ("exchange", "hub", "measured", 120.0)
    measured = hub["measured"]
    assert (measured["mbit_s"], measured["loss"]) == (125.0, 0.2)
    assert (measured["latency_min_ms"], measured["latency_median_ms"]) == (0.9, 1.1)


@pytest.mark.parametrize("name", ["hub", "exchange", "metro", "Not a name"])
def test_a_member_has_a_name_of_its_own(world: World, api: TestClient, name: str):
    operator = world.headers("operator")
    api.post("/v1/exchange/members", json={"name": "metro", "kind": "cloud"}, headers=operator)
    again = api.post("/v1/exchange/members", json={"name": name, "kind": "cloud"}, headers=operator)
    assert again.status_code in (409, 422), again.text
    wrong = api.post("/v1/exchange/members", json={"name": "new", "kind": "planet"}, headers=operator)
    assert wrong.status_code == 422


def test_a_real_transport_measures_a_real_server(world: World):
    with serving(world.app) as url:
        transport = HttpTransport(url, world.secrets["hub"])
        sample = measure(transport, world.clock, time.monotonic, lambda: False)
        assert (sample.sent, sample.lost) == (5, 0)
        assert sample.bit_s is not None
        assert sum(map(len, transport.piece(PIECES[0] + 1, 5.0))) == PIECES[0] + 1
        with pytest.raises(Refused):
            list(transport.piece(PIECES[-1] + 1, 5.0))
        transport.use(world.secrets["team"])
        with pytest.raises(Refused, match="403"):
            measure(transport, world.clock, time.monotonic, lambda: False)
        transport.close()
