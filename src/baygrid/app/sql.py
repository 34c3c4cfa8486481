"""SQL over what contracts let a project read. The reader makes sure that a query sees no more than that; here
is whether each of its tables may be read now, and what the audit keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from baygrid.app import grants, persons
from baygrid.app.access import Action, Actor, permit
from baygrid.app.grants import Bearer, Permit, ReadRefused
from baygrid.app.on_the_way import OnTheWay
from baygrid.app.platform import Platform
from baygrid.app.problems import Forbidden, Invalid, NotFound, Problem
from baygrid.app.sources import Unreadable, reader_of, source_of
from baygrid.core.data.terms import Mode
from baygrid.core.reasons import Reason
from baygrid.ports.reader import BadExpression, Busy, Name, ReadFailed, Shared
from baygrid.ports.records import Role

MOST_ROWS: Final = 10_000_000
MOST_TEXT: Final = 100_000
_KEPT: Final = 2_000
"""Characters of a query that the audit keeps, beside the digest of all of it."""


class Crowded(Problem):
    status, code, title = 503, "busy", "Too much is asked at once"


def query(
    platform: Platform, actor: Actor, project: str | None, sql: str, rows: int, waits: Callable[[], bool]
) -> Generator[bytes]:
    """An Arrow stream of at most so many rows, as `ports.reader.Reader.query` has it. `waits`: whether
    anybody still wants it. Raises, most of it before the first bytes: Invalid, NotFound, ReadRefused,
    Unreadable, NoReader, Crowded."""
    project = project or actor.project
    permit(actor, Action.USE if project else Action.OPERATE, project=project)
    if project is None:
        raise Invalid.at("project", "is missing: say for which project you read")
    if actor.role is not Role.TEAM:
        raise Forbidden("only the team of a project reads what is shared with it")
    asker = _Asker(platform, Bearer(project, actor.token_id), sql, waits)
    try:
        yield from reader_of(platform).query(sql, rows, asker)
    except BadExpression as refused:
        raise Invalid.at("sql", str(refused)) from None
    except Busy as busy:
        raise Crowded(str(busy)) from None
    except ReadFailed as failed:
        raise Unreadable(str(failed)) from None


@dataclass
class _Asker:
    """Implements `ports.reader.Asker`."""

    platform: Platform
    bearer: Bearer
    sql: str
    waits: Callable[[], bool]
    _permits: dict[str, Permit] = field(default_factory=dict)
    _way: OnTheWay | None = None
    _refused: Reason | None = None

    def tables(self, names: Sequence[Name]) -> Mapping[Name, Shared]:
        """Whom the tables show is noted first, then it is asked whether they may be read."""
        if not names:
            return {}
        known = self._known()
        full = {name: _meant(name, known) for name in names}
        found = {name: self._shared(*full[name]) for name in names}
        for it in self._permits.values():
            grants.served(self.platform, it, "query", self._said())
        return found

    def goes(self, size: int) -> None:
        """What took long to compute is judged before its first byte goes out, and what takes long to send
        again and again: each grant as it was when the query began. Raises ReadRefused."""
        now = self.platform.clock()
        if self._way is None or self._way.is_due(now):
            try:
                for it in self._permits.values():
                    grants.once_more(self.platform, it, Mode.AGGREGATE)
            except ReadRefused as refused:
                self._refused = refused.reason
                raise
            self._way = OnTheWay(now)
        self._way.sent += size

    def answered(self, rows: int, withheld: int | None) -> None:
        cut = {} if self._refused is None else {"cut": self._refused.to_json()}
        for it in self._permits.values():
            said = {"rows": rows, "withheld": withheld, "sha256": _digest(self.sql), **cut}
            grants.served(self.platform, it, "query-answered", said)
            if rows and it.grant.terms.mode is Mode.ROWS:
                persons.observe(self.platform, it.grant.id)

    def _known(self) -> list[tuple[str, str, str]]:
        return [
            (it.row.share, grant.project, grant.name)
            for it in grants.shared(self.platform, self.bearer)
            for grant in it.grants
        ]

    def _shared(self, share: str, project: str, table: str) -> Shared:
        it = self._permit(share, project, table)
        counted = persons.counts_at_all(it.it) and it.it.personal(it.grant)
        if counted:
            persons.note(self.platform, it.contract.id)
            it = self._permit(share, project, table)
        self._permits[it.grant.id] = it
        fingerprint = it.grant.shown.rpartition(":")[0] if counted else ""
        return self.platform.store.read(
            lambda tx: Shared(
                source_of(self.platform, tx, it.table),
                it.grant.terms,
                persons.salt_of(self.platform, it.contract),
                it.it.subject(it.grant),
                frozenset(name for name, label in it.table.labels.items() if label.personal is False),
                fingerprint,
            )
        )

    def _permit(self, share: str, project: str, table: str) -> Permit:
        """Rows or figures: which, the terms say, and the reader holds to them."""
        return grants.may_read(self.platform, self.bearer, share, project, table, mode=Mode.AGGREGATE)

    def _said(self) -> dict[str, Any]:
        return {"sql": self.sql[:_KEPT], "sha256": _digest(self.sql)}


def _digest(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()


def _meant(name: Name, known: Sequence[tuple[str, str, str]]) -> tuple[str, str, str]:
    """The one table whose name ends so. Raises NotFound, Invalid."""
    found = sorted({it for it in known if tuple(part.casefold() for part in it)[-len(name) :] == name})
    if not found:
        raise NotFound(f"there is no table {'.'.join(name)} among what is shared with this project")
    if len(found) > 1:
        which = ", ".join(".".join(it) for it in found[:5])
        raise Invalid.at("sql", f"{'.'.join(name)} may be one of {which}: write it out")
    return found[0]
