"""What every use case gets: the ports, wired once."""

from __future__ import annotations

from dataclasses import dataclass, field

from baygrid.app.catalogue import Catalogue
from baygrid.app.counted import Counted
from baygrid.app.follower import Follower
from baygrid.app.lawful import Lawful
from baygrid.app.looks import Looks
from baygrid.app.told import Told
from baygrid.letter.shelf import Shelf
from baygrid.ports.basics import Clock, Ids, ObjectStore, Signer, Uploads, Vault
from baygrid.ports.identity import Identity
from baygrid.ports.mailer import Mailer
from baygrid.ports.notices import Courier
from baygrid.ports.reader import Reader
from baygrid.ports.store import Store
from baygrid.rulebooks.cross_border.lists import NONE, Lists

NOTICE_MS = 900_000
"""How long before it begins a new price must be known. Longer than a centre's clock may be off and a request
may take, so that what has been charged is never touched by it, and a bill can be recomputed for ever."""


@dataclass(frozen=True, slots=True)
class Platform:
    """The region as one server sees it. `catalogue`: its copy of what an operator set up. `follower`: its
    image of what waits and runs. `drivers`: the names of those that agents of this version have. `notice_ms`:
    for new prices. `vault` None: it keeps no secrets. `signer` None: it signs no bundles.
    `reader` None: it reads no tables. `lists`: of the law, which its operator has loaded. `link_keys`: with
    which all servers of the region sign addresses of shared files. `lawful`: the law's answers that it
    remembers. `courier` and `mailer`: with which projects are told things; None: it sends nothing.
    `mail_from`: the address of its mails. `identity`: providers that let users in; None:
    passwords alone do. `letters`: where the region's letter lies; None: it shows none."""

    store: Store
    objects: ObjectStore
    uploads: Uploads
    clock: Clock
    ids: Ids
    catalogue: Catalogue
    drivers: tuple[str, ...]
    notice_ms: int = NOTICE_MS
    vault: Vault | None = None
    signer: Signer | None = None
    reader: Reader | None = None
    lists: Lists = NONE
    link_keys: tuple[bytes, ...] = ()
    courier: Courier | None = None
    mailer: Mailer | None = None
    mail_from: str = ""
    identity: Identity | None = None
    letters: Shelf | None = None
    looks: Looks = field(init=False, default_factory=Looks)
    told: Told = field(init=False, default_factory=Told)
    counted: Counted = field(init=False)
    follower: Follower = field(init=False)
    lawful: Lawful = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "counted", Counted(self.store))
        object.__setattr__(self, "follower", Follower(self.store, self.catalogue))
        object.__setattr__(self, "lawful", Lawful(self.lists))
