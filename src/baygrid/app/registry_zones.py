"""The zones of the registry: all of them anew each time, in versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from baygrid.app.access import Action, Actor, permit
from baygrid.app.observatory import observatory
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid
from baygrid.core.reading import DocumentError
from baygrid.ports.basics import Instant
from baygrid.ports.records import Event
from baygrid.ports.registry import ZonesRow
from baygrid.ports.store import Tx

if TYPE_CHECKING:
    from baygrid.observatory.zones import Zones


def zones_now(platform: Platform) -> Zones:
    """Ready to be asked."""
    row = platform.store.read(lambda tx: tx.registry.zones())
    zones: Zones = _zones("" if row is None else json.dumps(row.document))
    return zones


@lru_cache(maxsize=4)
def _zones(document: str) -> Any:
    zones = observatory("zones")
    return zones.Zones(zones.read_zones(document.encode()) if document else ())


def zones(platform: Platform, actor: Actor) -> ZonesRow | None:
    permit(actor, Action.BROWSE)
    return platform.store.read(lambda tx: tx.registry.zones())


def set_zones(platform: Platform, actor: Actor, document: object) -> ZonesRow:
    """All zones anew; earlier versions stay. What says the same again changes nothing. Raises Invalid."""
    permit(actor, Action.OPERATE)
    module = observatory("zones")
    try:
        said = module.to_geojson(module.read_zones(json.dumps(document).encode()))
    except DocumentError as error:
        raise Invalid.many([(it.path, it.message) for it in error.problems]) from None
    now = platform.clock()

    def apply(tx: Tx) -> ZonesRow:
        before = tx.registry.zones()
        if before is not None and before.document == said:
            return before
        row = next_zones(before, said, now, actor)
        tx.registry.insert_zones(row)
        tx.events.append([Event(now, "registry-zones-set", data={"version": row.version})])
        return row

    return platform.store.write(apply)


def next_zones(before: ZonesRow | None, document: Mapping[str, Any], now: Instant, actor: Actor) -> ZonesRow:
    return ZonesRow(before.version + 1 if before else 1, document, now, actor.token_id)
