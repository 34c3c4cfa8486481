"""Zones: where an address lies, on which day, and what cannot be said."""

import json
from datetime import date
from typing import Any

import pytest

from baygrid.core.reading import DocumentError
from baygrid.core.region.bodies import Spell
from baygrid.observatory.zones import How, Place, Zones, read_zones, schematic, to_geojson
from tests.observatory.rows import schematic_zones

DAY = date(2023, 12, 31)


def spell(lon: float | None, lat: float | None, district: str = "") -> Spell:
    return Spell("it", None, None, "a house", lon, lat, district)


def changed(**of_qianhai: Any) -> bytes:
    tree = json.loads(schematic_zones())
    feature = tree["features"][1]
    feature["geometry"] = of_qianhai.pop("geometry", feature["geometry"])
    feature["properties"] |= of_qianhai
    return json.dumps(tree).encode()


@pytest.mark.parametrize(
    ("at", "place"),
    [
        (spell(113.85, 22.52), Place("qianhai", How.POLYGON)),
        (spell(114.05, 22.55), Place("shenzhen", How.POLYGON)),
        (spell(114.05, 22.55, "前海"), Place("shenzhen", How.POLYGON)),  # the polygon goes first
        (spell(116.4, 39.9), Place(None, How.OUTSIDE)),
        (spell(116.4, 39.9, "qianhai"), Place(None, How.OUTSIDE)),
        (spell(113.91, 22.52), Place(None, How.BORDER, ("qianhai",))),
        (spell(113.91, 22.52, "Qianhai"), Place("qianhai", How.DISTRICT)),
        (spell(113.91, 22.52, "深圳市"), Place("shenzhen", How.DISTRICT)),
        (spell(113.75, 22.5), Place(None, How.BORDER, ("shenzhen",))),
        (spell(None, None, "前海"), Place("qianhai", How.DISTRICT)),
        (spell(None, None, "QIANHAI"), Place("qianhai", How.DISTRICT)),
        (spell(None, None, "Nanshan"), Place(None, How.UNPLACED)),
        (spell(None, None), Place(None, How.UNPLACED)),
    ],
)
def test_an_address_lies_in_the_innermost_zone(at: Spell, place: Place):
    assert Zones(schematic()).place(at, DAY) == place


def test_a_zone_holds_on_its_days_only():
    zones = Zones(read_zones(changed(since="2021-09-06")))
    assert zones.place(spell(113.85, 22.52), date(2021, 9, 5)).zone == "shenzhen"
    assert zones.place(spell(113.85, 22.52), date(2021, 9, 6)).zone == "qianhai"
    assert zones.days == (date(2021, 9, 6),)
    assert zones.within("shenzhen") == {"shenzhen", "qianhai"}
    assert zones.within("qianhai") == {"qianhai"}


def test_zones_are_written_as_they_are_read():
    zones = schematic()
    assert read_zones(json.dumps(to_geojson(zones)).encode()) == zones
    assert all(it.synthetic and "not the boundary" in it.source for it in zones)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"{", "not JSON"),
        (b"[]", "FeatureCollection"),
        (changed(parent="hk"), "parent 'hk' of 'qianhai' is not among"),
        (changed(parent="qianhai"), "inside itself"),
        (changed(id="shenzhen", parent=""), "same days"),
        (changed(until="2020-01-01", since="2021-01-01"), "is not after since"),
        (changed(since="6 September"), "must be a day"),
        (changed(source=""), "where the boundary is from"),
        (changed(names={}), "names by language"),
        (changed(area_km2=-1), "more than nothing"),
        (changed(colour="red"), "has the property 'colour'"),
        (changed(geometry={"type": "Point", "coordinates": [1, 2]}), "must be a Polygon"),
        (
            changed(geometry={"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}),
            "valid",
        ),
        (
            changed(geometry={"type": "Polygon", "coordinates": [[[500, 0], [501, 0], [501, 1], [500, 0]]]}),
            "degrees",
        ),
        (changed(geometry={"type": "Polygon", "coordinates": "x"}), "coordinates"),
    ],
)
def test_wrong_zones_are_told(document: bytes, said: str):
    with pytest.raises(DocumentError, match=said):
        read_zones(document)
