"""What a recipient finds: the tables of its project's contracts that show rows, as `share.schema.table`. A
share is what a contract calls itself, its schema the provider's project."""

from __future__ import annotations

from dataclasses import dataclass

from baygrid.app import grants
from baygrid.app.grants import Bearer
from baygrid.app.platform import Platform
from baygrid.app.problems import NotFound
from baygrid.core.data.terms import Mode


@dataclass(frozen=True, slots=True)
class SharedTable:
    """As it is listed; `id`: of the grant."""

    id: str
    share: str
    schema: str
    name: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells tables apart, whatever the case."""
        return self.share.casefold(), self.schema.casefold(), self.name.casefold()


def shared(platform: Platform, bearer: Bearer) -> list[SharedTable]:
    """By name."""
    rows = [
        SharedTable(grant.id, it.row.share, grant.project, grant.name)
        for it in grants.shared(platform, bearer)
        for grant in it.grants
        if grant.terms.mode is Mode.ROWS
    ]
    return sorted(rows, key=lambda row: row.key)


def found(platform: Platform, bearer: Bearer, *names: str) -> list[SharedTable]:
    """Those of a share, or of a schema in a share; names are the same in any case (Delta Sharing's protocol,
    "Names"). Raises NotFound where there are none."""
    rows = shared(platform, bearer)
    for index, name in enumerate(names):
        rows = [row for row in rows if row.key[index] == name.casefold()]
        if not rows:
            raise NotFound(f"there is no {('share', 'schema')[index]} {name!r} for this token")
    return rows
