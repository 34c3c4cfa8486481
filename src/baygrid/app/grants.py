"""May this be read, now? Asked for every read: the token, the contract and its dates, the pilot, and what the
law says today. Nothing of the answer is kept for the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baygrid.app.crossing import Crossing, standing
from baygrid.app.platform import Platform
from baygrid.app.problems import NotFound, Problem, Unauthorized
from baygrid.core.data.contracts import State
from baygrid.core.data.permission import permitted
from baygrid.core.data.terms import Mode
from baygrid.core.days import day_of
from baygrid.core.reasons import Reason
from baygrid.ports.basics import Instant
from baygrid.ports.contracts import ContractRow, GrantRow, RecipientToken, Versions
from baygrid.ports.data import TableRow
from baygrid.ports.store import Tx


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who reads, for which consumer's project. `token`: of a recipient, which is looked at again for every
    read; or "" for a team that the API has let in with its own (`by` says which)."""

    project: str
    by: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class Permit:
    """This one read is allowed. It says nothing of the next."""

    bearer: Bearer
    it: Crossing
    grant: GrantRow

    @property
    def contract(self) -> ContractRow:
        return self.it.row

    @property
    def table(self) -> TableRow:
        return self.it.tables[self.grant.ref]


class ReadRefused(Problem):
    """`reason` says why, with the article where it is the law."""

    status, code, title = 403, "read-refused", "This may not be read now"

    def __init__(self, reason: Reason, contract: str) -> None:
        super().__init__(reason.text, reason=reason.to_json(), contract=contract)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Refused:
    reason: Reason
    contract: str
    grant: str


def may_read(
    platform: Platform, bearer: Bearer, share: str, project: str, table: str, *, mode: Mode = Mode.ROWS
) -> Permit:
    """For one read of a table of a share. `mode`: what is read of it, rows or figures only; who may have rows
    may have figures. Names are the same in any case. Raises NotFound, ReadRefused, and Unauthorized of a
    token that is not good any more."""
    now = platform.clock()

    def look(tx: Tx) -> Permit | _Refused:
        _check_token(tx, bearer, now)
        worst: _Refused | None = None
        for of in tx.contracts.versions(bearer.project, share.casefold()):
            it = platform.lawful.crossing(tx, of)
            grant = _granted(it, project, table)
            if grant is None:
                continue
            reason = _reason(platform, tx, of, it, grant, mode, now)
            if reason is None:
                return Permit(bearer, it, grant)
            if worst is None or it.row.state is State.FINALIZED:
                worst = _Refused(reason, it.row.id, grant.id)
        if worst is None:
            raise NotFound(f"there is no table {share}.{project}.{table} for this token")
        return worst

    return _told(platform, bearer, platform.store.read(look), now)


def still(platform: Platform, token: str, grant: str) -> Permit:
    """The same for a recipient's token and a grant by their ids, as a file's address has them."""
    now = platform.clock()

    def look(tx: Tx) -> tuple[Bearer, Permit | _Refused]:
        held = tx.recipients.holder(token)
        one = tx.contracts.grant(grant)
        row = None if one is None else tx.contracts.get(one.contract)
        if held is None or one is None or row is None or held[0].project != row.consumer:
            raise NotFound("there is no such file")
        check_recipient(held[1], now)
        bearer = Bearer(row.consumer, held[0].id, token)
        return bearer, _now(platform, tx, bearer, row, one, Mode.ROWS, now)

    bearer, found = platform.store.read(look)
    return _told(platform, bearer, found, now)


def once_more(platform: Platform, permit: Permit, mode: Mode) -> Permit:
    """The same for a read that is under way: of this one grant, whatever came in its place. Raises
    ReadRefused, and Unauthorized of a token that is not good any more."""
    now, bearer = platform.clock(), permit.bearer

    def look(tx: Tx) -> Permit | _Refused:
        _check_token(tx, bearer, now)
        row = tx.contracts.get(permit.contract.id)
        assert row is not None, permit.contract.id
        return _now(platform, tx, bearer, row, permit.grant, mode, now)

    return _told(platform, bearer, platform.store.read(look), now)


def _now(
    platform: Platform, tx: Tx, bearer: Bearer, row: ContractRow, grant: GrantRow, mode: Mode, now: Instant
) -> Permit | _Refused:
    of = next(it for it in tx.contracts.versions(row.consumer, row.share) if it.contract == row.id)
    it = platform.lawful.crossing(tx, of)
    reason = _reason(platform, tx, of, it, grant, mode, now)
    return Permit(bearer, it, grant) if reason is None else _Refused(reason, row.id, grant.id)


def shared(platform: Platform, bearer: Bearer) -> list[Crossing]:
    """What a recipient lists: finalised contracts that have begun and not ended, one for each share. Whether
    one may be read now is asked when it is."""
    now = platform.clock()

    def look(tx: Tx) -> list[Crossing]:
        _check_token(tx, bearer, now)
        found: dict[str, Crossing] = {}
        for row in tx.contracts.of_consumer(bearer.project):
            if row.start <= now and (row.until is None or now < row.until):
                versions = tx.contracts.versions(row.consumer, row.share)
                of = next(it for it in versions if it.contract == row.id)
                found[row.share] = platform.lawful.crossing(tx, of)
        return list(found.values())

    return platform.store.read(look)


def served(platform: Platform, permit: Permit, kind: str, data: Mapping[str, Any]) -> None:
    """Writes into the audit what was read by a permit."""
    now = platform.clock()
    told = {"grant": permit.grant.id, "table": permit.grant.ref, "by": permit.bearer.by, **data}
    platform.store.write(
        lambda tx: tx.audit.append(
            now, kind, told, contract=permit.contract.id, project=permit.bearer.project
        )
    )


def _granted(it: Crossing, project: str, table: str) -> GrantRow | None:
    wanted = f"{project}/{table}".casefold()
    return next((grant for grant in it.grants if grant.ref.casefold() == wanted), None)


def _reason(
    platform: Platform, tx: Tx, of: Versions, it: Crossing, grant: GrantRow, mode: Mode, now: Instant
) -> Reason | None:
    if mode is Mode.ROWS and grant.terms.mode is Mode.AGGREGATE:
        text = f"of {grant.ref} only figures over {grant.terms.k} persons or more are shared: ask by SQL"
        return Reason("figures-only", text, {"k": grant.terms.k})
    return permitted(standing(it), platform.lawful.answer(tx, of, day_of(now)).law, now)


def _check_token(tx: Tx, bearer: Bearer, now: Instant) -> None:
    if not bearer.token:
        return
    held = tx.recipients.holder(bearer.token)
    if held is None or held[0].project != bearer.project:
        raise Unauthorized("there is no such token")
    check_recipient(held[1], now)


def check_recipient(token: RecipientToken, now: Instant) -> None:
    """Raises Unauthorized."""
    if token.revoked_at is not None:
        raise Unauthorized("this token was revoked: ask whoever gave it to you for another activation link")
    if token.expires_at is None or token.expires_at <= now:
        raise Unauthorized("this token has expired: ask whoever gave it to you for another activation link")


def _told(platform: Platform, bearer: Bearer, found: Permit | _Refused, now: Instant) -> Permit:
    if isinstance(found, Permit):
        return found
    data = {"grant": found.grant, "by": bearer.by, "reason": found.reason.to_json()}
    platform.store.write(
        lambda tx: tx.audit.append(now, "read-refused", data, contract=found.contract, project=bearer.project)
    )
    raise ReadRefused(found.reason, found.contract)
