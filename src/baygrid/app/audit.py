"""The audit: what was decided, granted, read and staged, as one chain. Everybody may check that it was not
altered; what a link says is told to those whom it is about, and to an operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from baygrid.app.access import Action, Actor, permit
from baygrid.app.bundles import NoSigner
from baygrid.app.contract_steps import find
from baygrid.app.platform import Platform
from baygrid.app.problems import NotFound, TooLarge
from baygrid.core.data.chain import START, Checked, End, Hidden, Link, canonical, check, hidden
from baygrid.core.data.evidence import END, EXPORTED, SIGNED, end_document, evidence_document, fingerprint
from baygrid.ports.basics import Instant
from baygrid.ports.contracts import ContractRow
from baygrid.ports.data import Sought
from baygrid.ports.records import Role
from baygrid.ports.store import Tx
from baygrid.ports.wire import to_json

MOST_LINKS: Final = 100_000
"""In one file."""
_PAGE: Final = 1_000


def links(
    platform: Platform,
    actor: Actor,
    *,
    before: int | None,
    limit: int,
    contract: str | None = None,
    sought: Sought | None = None,
) -> list[Link]:
    """Newest first: of an operator all, of a project its own and those of its contracts."""
    project = _whose(actor)
    return platform.store.read(
        lambda tx: tx.audit.newest(before, limit, project=project, contract=contract, sought=sought)
    )


def chain(platform: Platform, actor: Actor, *, after: int, limit: int) -> list[Link | Hidden]:
    """In order; what is not for this actor without its content."""
    project = _whose(actor)
    return platform.store.read(lambda tx: _page(tx, after, limit, project))


def _whose(actor: Actor) -> str | None:
    """None: an operator's, who sees all."""
    permit(actor, Action.READ if actor.project else Action.OPERATE, project=actor.project)
    return actor.project if actor.role is Role.TEAM else None


def _page(tx: Tx, after: int, limit: int, project: str | None) -> list[Link | Hidden]:
    found = tx.audit.after(after, limit)
    if project is None or not found:
        return list(found)
    own = tx.audit.own(after, found[-1].n, project)
    return [link if link.n in own else hidden(link) for link in found]


def verify(platform: Platform, actor: Actor, after: int) -> Checked:
    """Recomputes the links beyond `after`, as many as one file has, to where the chain ends now. What they
    follow is taken as it is. Raises NotFound."""
    permit(actor, Action.OPERATE)

    def load(tx: Tx) -> Checked:
        start, end = _begin(tx, after), tx.audit.end()
        last = min(end.n, after + MOST_LINKS)
        return check(_between(tx, after, last), start, end if last == end.n else None)

    return platform.store.read(load)


def signed_end(platform: Platform, actor: Actor) -> dict[str, Any]:
    """Where the chain ends now. Kept elsewhere, it shows later whether anything before it was cut off or
    written anew. Raises NoSigner."""
    _whose(actor)
    end = platform.store.read(lambda tx: tx.audit.end())
    document = {"baygrid": END, "issued_at": platform.clock(), "end": end_document(end)}
    return _signed(platform, document)


def export(platform: Platform, actor: Actor, contract: str) -> dict[str, Any]:
    """The evidence of one contract, for its sides and an operator: what stands in it, its links, and those of
    others between them without their content. That it was exported is the last of them. Raises NotFound,
    NoSigner, TooLarge."""
    whose = _whose(actor)
    _signer(platform)
    now = platform.clock()

    def begin(tx: Tx) -> tuple[dict[str, Any], dict[str, Any], int]:
        row, _ = find(tx, actor, contract, Action.READ)
        told = _told(tx, row)
        data = {"contract": contract, "sha256": fingerprint(told), "by": actor.token_id}
        tx.audit.append(now, EXPORTED, data, contract=contract, project=whose)
        return told, data, tx.audit.end().n

    def found(tx: Tx) -> dict[str, Any]:
        links = _between(tx, before, tx.audit.end().n, contract=contract)
        last = next(link for link in links if (link.kind, link.data) == (EXPORTED, data))
        return _evidence(tx, contract, told, End(last.n, last.hash), now)

    told, data, before = platform.store.write(begin)
    return _signed(platform, platform.store.read(found))


def _told(tx: Tx, row: ContractRow) -> dict[str, Any]:
    """All that stands in a contract and how it came there."""
    grants, steps = tx.contracts.grants([row.id]), tx.contracts.steps(row.id)
    return {**to_json(row), "grants": to_json(grants), "steps": to_json(steps)}


def _evidence(tx: Tx, contract: str, told: dict[str, Any], end: End, now: Instant) -> dict[str, Any]:
    (first,) = tx.audit.after(0, 1, contract=contract)
    if end.n - first.n >= MOST_LINKS:
        raise TooLarge(
            f"{end.n - first.n + 1} links are between its first and its last, and one file has {MOST_LINKS}:"
            " an operator exports it by parts, with `baygrid audit export --after N`"
        )
    start = End(first.n - 1, first.previous) if first.n > 1 else START
    shown = [link if link.contract == contract else hidden(link) for link in _between(tx, start.n, end.n)]
    return evidence_document(told, start, shown, now)


def export_all(platform: Platform, actor: Actor, after: int) -> dict[str, Any]:
    """All links beyond `after`, as many as one file has. Raises NotFound, NoSigner."""
    permit(actor, Action.OPERATE)
    _signer(platform)
    now = platform.clock()

    def load(tx: Tx) -> dict[str, Any]:
        start = _begin(tx, after)
        return evidence_document(None, start, list(_between(tx, after, after + MOST_LINKS)), now)

    return _signed(platform, platform.store.read(load))


def _begin(tx: Tx, after: int) -> End:
    """What link `after` + 1 follows. Raises NotFound."""
    if not after:
        return START
    before = tx.audit.after(after - 1, 1)
    if not before or before[0].n != after:
        raise NotFound(f"there is no link {after}")
    return End(after, before[0].hash)


def _between(tx: Tx, after: int, until: int, *, contract: str | None = None) -> Iterator[Link]:
    """Beyond `after`, up to `until`; with a `contract` only its own."""
    while after < until:
        found = tx.audit.after(after, min(_PAGE, until - after), contract=contract)
        if not found:
            return
        yield from found
        after = found[-1].n


def _signer(platform: Platform) -> Any:
    if platform.signer is None:
        raise NoSigner("it was started without a signing key")
    return platform.signer


def _signed(platform: Platform, document: dict[str, Any]) -> dict[str, Any]:
    signer = _signer(platform)
    signature = signer.sign(canonical(document))
    return {**document, SIGNED: {"public_key": signer.public_key, "signature": signature}}
