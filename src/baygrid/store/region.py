"""Organisations, projects, tokens and centres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from sqlalchemy import and_, or_, select, update
from sqlalchemy import text as literal

from baygrid.core.pricing.budgets import Budget
from baygrid.core.pricing.months import Month
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.messages import DriverReport, NodeReport, PartitionReport
from baygrid.ports.records import (
    CentreRecord,
    CentreState,
    Kind,
    Organisation,
    Project,
    Role,
    Scope,
    Token,
)
from baygrid.store.documents import clean, dumps, loads
from baygrid.store.offers import Offers
from baygrid.store.sql import Row, Statement, among, insert_new, number, text
from baygrid.store.tables import centres, inventories, organisations, projects, tokens

_INSERT_ORGANISATION = insert_new(organisations)
_ORGANISATIONS = Statement(
    select(organisations.c.name, organisations.c.kind, organisations.c.title).order_by(organisations.c.name)
)
_ORGANISATION = Statement(select(organisations.c.name).where(organisations.c.name == text("key")))

_P = projects.c
_INSERT_PROJECT = insert_new(projects, without=["month", "before", "hard", "alerted", "budget", "alerts"])
_PROJECT_ROWS = select(
    _P.name,
    _P.organisation,
    _P.currency,
    _P.granted,
    _P.held,
    _P.charged,
    _P.month,
    _P.before,
    _P.alerted,
    _P.budget,
    _P.hard,
    _P.alerts,
).order_by(_P.name)
_PROJECTS = Statement(_PROJECT_ROWS)
_WITH_BUDGET = Statement(_PROJECT_ROWS.where(literal("budget IS NOT NULL")).order_by(_P.name))
_SET_BUDGET = Statement(
    update(projects)
    .where(_P.name == text("key"))
    .values(
        budget=number("amount"),
        hard=number("is_hard"),
        alerts=text("percents"),
        alerted=number("percent"),
        month=number("this_month"),
        before=_P.charged - number("charged_in_it"),
    )
)
_ALERT = Statement(
    update(projects)
    .where(_P.name == text("key"), _P.month == number("this_month"), _P.alerted < number("percent"))
    .values(alerted=number("percent"))
)
_SOME_PROJECTS = Statement(_PROJECT_ROWS.where(among(_P.name, "keys")))

_T = tokens.c
_INSERT_TOKEN = insert_new(tokens)
_TOKEN_ROWS = select(
    _T.id,
    _T.sha256,
    _T.role,
    _T.label,
    _T.project,
    _T.centre,
    _T.created_at,
    _T.revoked_at,
    _T.expires_at,
    _T.used_by,
    _T.with_offers,
    _T.fresh,
    _T.scopes,
    _T.user,
    _T.made_by,
).order_by(_T.id)
_TOKENS = Statement(_TOKEN_ROWS)
_TOKEN = Statement(_TOKEN_ROWS.where(_T.sha256 == text("digest")))
_REVOKE = Statement(
    update(tokens)
    .where(_T.id == text("key"), _T.revoked_at.is_(None))
    .values(revoked_at=number("now"))
    .returning(_T.centre)
)
_USE = Statement(
    update(tokens)
    .where(_T.id == text("key"), or_(_T.used_by.is_(None), _T.used_by == text("public_key")))
    .values(used_by=text("public_key"))
)
_SETTLE = Statement(update(tokens).where(_T.id == text("key")).values(fresh=0))

_C = centres.c
_INSERT_CENTRE = insert_new(centres)
_INSERT_INVENTORY = insert_new(inventories)
_CENTRE_ROWS = (
    select(
        _C.name,
        _C.jurisdiction,
        _C.driver,
        _C.state,
        _C.public_key,
        _C.incarnation,
        _C.seq,
        _C.gen,
        _C.seen_at,
        inventories.c.partitions,
        inventories.c.digest,
        inventories.c.version,
        inventories.c.capabilities,
        _C.renewing,
        _C.refused,
    )
    .join(inventories, inventories.c.centre == _C.name)
    .order_by(_C.name)
)
_CENTRES = Statement(_CENTRE_ROWS)
_CENTRE = Statement(_CENTRE_ROWS.where(_C.name == text("key")))
_SEEN = Statement(select(_C.name, _C.seen_at))
_SET_STATE = Statement(update(centres).where(_C.name == text("key")).values(state=text("state")))
_TAKE_REPORT = Statement(
    update(centres)
    .where(
        _C.name == text("key"),
        or_(
            _C.incarnation < number("new_incarnation"),
            and_(_C.incarnation == number("new_incarnation"), _C.seq < number("new_seq")),
        ),
    )
    .values(incarnation=number("new_incarnation"), seq=number("new_seq"), seen_at=number("now"))
)
_SET_RENEWING = Statement(
    update(centres).where(_C.name == text("key")).values(renewing=number("new_renewing"))
)
_SET_REFUSED = Statement(update(centres).where(_C.name == text("key")).values(refused=text("reasons")))
_SET_KEY = Statement(update(centres).where(_C.name == text("key")).values(public_key=text("public_key")))
_SET_INVENTORY = Statement(
    update(inventories)
    .where(inventories.c.centre == text("key"))
    .values(digest=text("digest"), partitions=text("partitions"))
)
_SET_DRIVER = Statement(update(centres).where(_C.name == text("key")).values(driver=text("driver")))
_SET_CAPABILITIES = Statement(
    update(inventories)
    .where(inventories.c.centre == text("key"))
    .values(version=text("version"), capabilities=text("capabilities"))
)
_NEXT_GEN = Statement(update(centres).where(_C.name == text("key")).values(gen=_C.gen + 1).returning(_C.gen))


def _project(row: Row) -> Project:
    name, organisation, currency, granted, held, charged, month, before, alerted, amount, hard, alerts = row
    budget = None if amount is None else Budget(Money(amount, currency), bool(hard), tuple(loads(alerts)))
    return Project(name, organisation, currency, granted, held, charged, month, before, budget, alerted)


@lru_cache(maxsize=1024)
def _partitions(document: str) -> tuple[PartitionReport, ...]:
    """Cached, because a centre's row is read with every report and its inventory hardly ever changes."""
    return tuple(
        PartitionReport(
            partition["name"],
            tuple(NodeReport(**node) for node in partition["nodes"]),
            partition["time_limit_s"],
        )
        for partition in loads(document)
    )


def _centre(row: Row) -> CentreRecord:
    values = list(row)
    values[3] = CentreState(row[3])
    values[9] = _partitions(row[9])
    values[12] = None if row[12] is None else frozenset(loads(row[12]))
    values[13] = bool(row[13])
    values[14] = loads(row[14])
    return CentreRecord(*values)


def _token(row: Row) -> Token:
    values = list(row)
    values[2], values[10], values[11] = Role(row[2]), bool(row[10]), bool(row[11])
    values[12] = frozenset(map(Scope, row[12].split()))
    return Token(*values)


class Region(Offers):
    """Implements `ports.store.Region`."""

    __slots__ = ()

    def insert_organisation(self, row: Organisation) -> None:
        params = {"name": row.name, "kind": row.kind.value, "title": clean(row.title)}
        self._insert(_INSERT_ORGANISATION, params, f"organisation {row.name!r}")

    def organisations(self) -> list[Organisation]:
        """By name."""
        return [
            Organisation(name, Kind(kind), title)
            for name, kind, title in self._session.all(_ORGANISATIONS, {})
        ]

    def insert_project(self, row: Project) -> None:
        """Raises KeyError when there is no such organisation."""
        self._must_exist(_ORGANISATION, row.organisation)
        params = {
            "name": row.name,
            "organisation": row.organisation,
            "currency": row.currency,
            "granted": row.granted,
            "held": row.held,
            "charged": row.charged,
        }
        self._insert(_INSERT_PROJECT, params, f"project {row.name!r}")
        self._grow()

    def projects(self, names: Sequence[str] | None = None) -> dict[str, Project]:
        """By name; those that do not exist are absent."""
        if names is None:
            found = self._session.all(_PROJECTS, {})
        else:
            found = self._session.all(_SOME_PROJECTS, {"keys": self._session.texts(names)}) if names else []
        return {row[0]: _project(row) for row in found}

    def projects_with_budget(self) -> list[Project]:
        return [_project(row) for row in self._session.all(_WITH_BUDGET, {})]

    def set_budget(
        self, project: str, budget: Budget | None, month: Month, charged: int, alerted: int
    ) -> None:
        params = {
            "key": project,
            "amount": None if budget is None else budget.amount.minor,
            "is_hard": int(budget is not None and budget.hard),
            "percents": dumps(() if budget is None else budget.alerts),
            "this_month": month.start,
            "charged_in_it": charged,
            "percent": alerted,
        }
        self._session.change(_SET_BUDGET, params)

    def alert(self, project: str, month: Month, percent: int) -> bool:
        params = {"key": project, "this_month": month.start, "percent": percent}
        return bool(self._session.change(_ALERT, params))

    def insert_token(self, row: Token) -> None:
        params = {
            "id": row.id,
            "sha256": row.sha256,
            "role": row.role.value,
            "label": clean(row.label),
            "project": row.project,
            "centre": row.centre,
            "created_at": row.created_at,
            "revoked_at": row.revoked_at,
            "expires_at": row.expires_at,
            "used_by": row.used_by,
            "with_offers": int(row.with_offers),
            "fresh": int(row.fresh),
            "scopes": " ".join(sorted(row.scopes)),
            "user": row.user,
            "made_by": row.made_by,
        }
        self._insert(_INSERT_TOKEN, params, f"token {row.id!r}")

    def token(self, sha256: str) -> Token | None:
        """Revoked ones too."""
        found = self._session.all(_TOKEN, {"digest": sha256})
        return _token(found[0]) if found else None

    def tokens(self) -> list[Token]:
        """By id."""
        return [_token(row) for row in self._session.all(_TOKENS, {})]

    def revoke_token(self, id: str, now: Instant) -> bool:
        """False when there is none or it was revoked before. Wakes what its bearer has parked."""
        self._session.topics.add("tokens")
        revoked = self._session.returning(_REVOKE, {"key": id, "now": now})
        if revoked is not None and revoked[0] is not None:
            self._session.topics.add(f"centre:{revoked[0]}")
        return revoked is not None

    def use_token(self, id: str, public_key: str) -> bool:
        """Of a join token: false when another key has used it."""
        return self._session.change(_USE, {"key": id, "public_key": public_key}) == 1

    def settle_token(self, id: str) -> None:
        """It is no longer fresh."""
        self._session.topics.add("tokens")
        self._session.change(_SETTLE, {"key": id})

    def set_renewing(self, centre: str, renewing: bool) -> None:
        self._session.change(_SET_RENEWING, {"key": centre, "new_renewing": int(renewing)})
        self._grow()

    def insert_centre(self, row: CentreRecord) -> None:
        params = {
            "name": row.name,
            "jurisdiction": row.jurisdiction,
            "driver": row.driver,
            "state": row.state.value,
            "public_key": row.public_key,
            "incarnation": row.incarnation,
            "seq": row.seq,
            "gen": row.gen,
            "seen_at": row.seen_at,
            "renewing": int(row.renewing),
            "refused": dumps(row.refused),
        }
        self._insert(_INSERT_CENTRE, params, f"centre {row.name!r}")
        able = None if row.capabilities is None else dumps(sorted(row.capabilities))
        inventory = {
            "centre": row.name,
            "digest": row.inventory_digest,
            "partitions": dumps(row.inventory),
            "version": row.version,
            "capabilities": able,
        }
        self._session.change(_INSERT_INVENTORY, inventory)
        self._grow()

    def centres(self) -> dict[str, CentreRecord]:
        """By name."""
        return {row[0]: _centre(row) for row in self._session.all(_CENTRES, {})}

    def centre(self, name: str) -> CentreRecord | None:
        found = self._session.all(_CENTRE, {"key": name})
        return _centre(found[0]) if found else None

    def seen(self) -> dict[str, Instant | None]:
        return dict(self._session.all(_SEEN, {}))

    def set_centre_state(self, name: str, state: CentreState) -> bool:
        """False when there is no such centre."""
        if not self._session.change(_SET_STATE, {"key": name, "state": state.value}):
            return False
        self._grow()
        return True

    def take_report(self, name: str, incarnation: int, seq: int, now: Instant) -> bool:
        params = {"key": name, "new_incarnation": incarnation, "new_seq": seq, "now": now}
        return self._session.change(_TAKE_REPORT, params) == 1

    def set_refused(self, name: str, refused: Mapping[str, str]) -> None:
        reasons = {clean(what): clean(why) for what, why in refused.items()}
        self._session.change(_SET_REFUSED, {"key": name, "reasons": dumps(reasons)})

    def set_inventory(
        self,
        name: str,
        inventory: tuple[PartitionReport, ...],
        digest: str,
        public_key: str,
        driver: DriverReport | None = None,
    ) -> None:
        """Raises KeyError when there is no such centre."""
        if not self._session.change(_SET_KEY, {"key": name, "public_key": public_key}):
            raise KeyError(name)
        params = {"key": name, "digest": digest, "partitions": dumps(inventory)}
        self._session.change(_SET_INVENTORY, params)
        if driver is not None:
            self._session.change(_SET_DRIVER, {"key": name, "driver": driver.name})
            able = {"version": clean(driver.version), "capabilities": dumps(driver.capabilities)}
            self._session.change(_SET_CAPABILITIES, {"key": name, **able})
        self._grow()

    def next_gen(self, name: str) -> int:
        """Raises KeyError when there is no such centre."""
        grown = self._session.returning(_NEXT_GEN, {"key": name})
        if grown is None:
            raise KeyError(name)
        self._session.topics.add(f"centre:{name}")
        return int(grown[0])
