"""The audit: one chain of links, append-only."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import LargeBinary, Select, and_, cast, func, or_, select, update

from baygrid.core.data.chain import End, Link, canonical, next_link
from baygrid.ports.basics import Instant
from baygrid.ports.data import Sought
from baygrid.store.contract_tables import contracts
from baygrid.store.data_tables import audit, audit_end
from baygrid.store.documents import clean, clean_or_none, dumps, loads
from baygrid.store.sql import Params, Row, Session, Statement, insert_new, number, text

T = TypeVar("T")
_New: TypeAlias = Callable[[End], Link]

_C, _E = audit.c, audit_end.c
_INSERT = insert_new(audit)
# A write of the same value: on both databases it locks the row and answers with what is in it now.
_LOCK_END = Statement(update(audit_end).values(n=_E.n).returning(_E.n, _E.hash))
_MOVE_END = Statement(update(audit_end).values(n=number("last"), hash=text("of_last")))
_END = Statement(select(_E.n, _E.hash))

_SALT_BYTES = 16
_TEXTS = (_C.kind, _C.contract, _C.project, _C.data, _C.salt, _C.previous, _C.hash)
_TEXT_ROWS = select(_C.n, _C.at, *_TEXTS)
# SQLite keeps whatever bytes somebody put there, and its driver fails on those that are no UTF-8.
_BYTE_ROWS = select(_C.n, _C.at, *(cast(column, LargeBinary) for column in _TEXTS))


def _listed(*conditions: Any) -> Statement:
    return Statement(
        *(rows.where(*conditions).order_by(_C.n).limit(number("count")) for rows in (_BYTE_ROWS, _TEXT_ROWS))
    )


_BEYOND = _C.n > number("beyond")
_BEFORE = _C.n < number("before")
_OF_CONTRACT = _C.contract == text("about")
_SIDES = select(contracts.c.id).where(
    or_(contracts.c.provider == text("whose"), contracts.c.consumer == text("whose"))
)
_OWN = or_(_C.project == text("whose"), _C.contract.in_(_SIDES))
_AFTER = _listed(_BEYOND)
_AFTER_OF_CONTRACT = _listed(_BEYOND, _OF_CONTRACT)
_NUMBERS = Statement(select(_C.n).where(_BEYOND, _C.n <= number("last"), _OWN))
_MOST = 2**63 - 1


@cache
def _newest(asked: frozenset[str]) -> Statement:
    """Before a link, where all that is asked for fits."""

    def rows(every: Select[Any], place: Any) -> Select[Any]:
        """`place(text, part)`: where the part stands in the text, from 1 on."""
        # Who signs in, or out, is the user that the link is about.
        by_user = and_(place(_C.data, text("user")) > 0, place(_C.data, '"by":') == 0)
        value = place(_C.data, text("value")) > 0
        fits = {
            "whose": _OWN,
            "about": _OF_CONTRACT,
            "kind": place(_C.kind, text("kind")) == 1,
            "by": or_(place(_C.data, text("by")) > 0, by_user),
            "name": or_(_C.project == text("name"), _C.contract == text("name"), value),
            "since": _C.at >= number("since"),
            "until": _C.at < number("until"),
        }
        chosen = (fits[name] for name in sorted(asked))
        return every.where(_BEFORE, *chosen).order_by(_C.n.desc()).limit(number("count"))

    return Statement(rows(_BYTE_ROWS, func.instr), rows(_TEXT_ROWS, func.strpos))


class Audit:
    """Implements `ports.data.Audit`."""

    __slots__ = ("_new", "_session")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._new: list[_New] | None = None

    def after_work(self, work: Callable[[], T]) -> T:
        """What `work` returns. What it appends is written when it is done, so that nobody waits for the
        chain's end, which is locked then, any longer than the commit takes."""
        self._new = []
        try:
            done = work()
            if self._new:
                self._write(self._new)
            return done
        finally:
            self._new = None

    def append(
        self, at: Instant, kind: str, data: Mapping[str, Any], *, contract: str | None, project: str | None
    ) -> None:
        if self._new is None:
            raise RuntimeError("a read may not write")
        link = partial(
            next_link,
            at=at,
            kind=clean(kind),
            data=loads(dumps(data)),  # such as it will be read: keys and texts that both databases take
            contract=clean_or_none(contract),
            project=clean_or_none(project),
            salt=secrets.token_hex(_SALT_BYTES),
        )
        self._new.append(link)

    def _write(self, new: Sequence[_New]) -> None:
        row = self._session.returning(_LOCK_END, {})
        assert row is not None, "its one row is made with the tables"
        links: list[Link] = []
        end = End(*row)
        for each in new:
            links.append(each(end))
            end = End(links[-1].n, links[-1].hash)
        if self._session.change_many(_INSERT, [_params(link) for link in links]) != len(links):
            raise RuntimeError(f"the audit has links beyond its end, {row[0]}: somebody changed it")
        self._session.change(_MOVE_END, {"last": end.n, "of_last": end.hash})

    def after(self, n: int, limit: int, *, contract: str | None = None) -> list[Link]:
        params = {"beyond": n, "count": limit}
        if contract is None:
            return [_link(row) for row in self._session.all(_AFTER, params)]
        return [_link(row) for row in self._session.all(_AFTER_OF_CONTRACT, {**params, "about": contract})]

    def newest(
        self,
        before: int | None,
        limit: int,
        *,
        project: str | None = None,
        contract: str | None = None,
        sought: Sought | None = None,
    ) -> list[Link]:
        asked = {"whose": project, "about": contract}
        if sought is not None:
            asked |= {"kind": sought.kind, "by": sought.by, "name": sought.about}
        params: dict[str, Any] = {name: clean(value) for name, value in asked.items() if value}
        if sought is not None:
            params |= {name: at for name in ("since", "until") if (at := getattr(sought, name)) is not None}
        statement = _newest(frozenset(params))
        if "by" in params:
            who = _quoted(params["by"])
            params |= {"by": f'"by":{who}', "user": f'"user":{who}'}
        if "name" in params:
            params["value"] = _quoted(params["name"])
        params |= {"before": _MOST if before is None else before, "count": limit}
        return [_link(row) for row in self._session.all(statement, params)]

    def own(self, after: int, until: int, project: str) -> set[int]:
        params = {"beyond": after, "last": until, "whose": project}
        return {n for (n,) in self._session.all(_NUMBERS, params)}

    def end(self) -> End:
        return End(*self._session.all(_END, {})[0])


def _quoted(text: str) -> str:
    """As it stands in a link's data."""
    return canonical(text).decode()


def _params(link: Link) -> Params:
    return {
        "n": link.n,
        "at": link.at,
        "kind": link.kind,
        "contract": link.contract,
        "project": link.project,
        "data": canonical(link.data).decode(),
        "salt": link.salt,
        "previous": link.previous,
        "hash": link.hash,
    }


def _link(row: Row) -> Link:
    n, at, kind, contract, project, data, salt, previous, hash = (_read(value) for value in row)
    return Link(n, at, kind, contract, project, _document(data), salt, previous, hash)


def _read(value: Any) -> Any:
    """Altered text is shown as well as can be: the chain tells that it was altered."""
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else value


def _document(stored: str) -> Mapping[str, Any]:
    """What was written is canonical: any other text, though it may mean the same, was altered."""
    try:
        found = json.loads(stored)
        if isinstance(found, dict) and canonical(found).decode() == stored:
            return found
    except (ValueError, RecursionError):
        pass
    return {"altered": stored}
