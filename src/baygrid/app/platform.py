"""What every use case gets: the ports, wired once."""

from __future__ import annotations

from dataclasses import dataclass

from baygrid.app.catalogue import Catalogue
from baygrid.ports.basics import Clock, Ids, ObjectStore, Uploads
from baygrid.ports.store import Store


@dataclass(frozen=True, slots=True)
class Platform:
    """The region as one server sees it. `catalogue`: its copy of what an operator set up. `drivers`: the
    names of those that agents of this version have."""

    store: Store
    objects: ObjectStore
    uploads: Uploads
    clock: Clock
    ids: Ids
    catalogue: Catalogue
    drivers: tuple[str, ...]
