"""Persons whom an exporter shows: noted before they are shown, counted exactly, warned of, and what follows
when a threshold of the law is reached."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from baygrid.app.access import Action, Actor, permit
from baygrid.app.contract_steps import Taken, advance, loaded
from baygrid.app.crossing import Crossing, answer, since, thresholds
from baygrid.app.lawful import persons
from baygrid.app.names import unknown
from baygrid.app.platform import Platform
from baygrid.app.problems import NotFound, WrongState
from baygrid.app.secrets import NoVault
from baygrid.app.sources import Unreadable, reader_of, source_of
from baygrid.app.transfers import MAINLAND
from baygrid.core.data.contracts import Side, Step, Suspension
from baygrid.core.data.counting import Count, Threshold, forecast, passed, warned
from baygrid.core.data.permission import unlawful
from baygrid.core.days import day_of
from baygrid.ports.basics import Instant, Vault
from baygrid.ports.contracts import ContractRow, CountRow, ExporterRow, GrantRow
from baygrid.ports.reader import BadExpression, ReadFailed
from baygrid.ports.records import Event, Role
from baygrid.ports.store import Tx
from baygrid.rulebooks.cross_border.lists import Lists

SIZE: Final = 16
AT_ONCE: Final = 20_000
"""Persons of one transaction: a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """A threshold that is not reached; `day` on which it will be at the rate of the last 90 days, None: not
    this year."""

    threshold: Threshold
    near: bool
    day: date | None


@dataclass(frozen=True, slots=True)
class Counted:
    """Of an exporter, since `since`: distinct persons `exposed` (whom grants let be read; these decide) and
    `observed` (of whom rows were served this year)."""

    exporter: str
    since: Instant
    exposed: Count
    observed: Count
    ahead: tuple[Ahead, ...]
    history: tuple[CountRow, ...]


def counted(platform: Platform, actor: Actor, organisation: str | None) -> Counted:
    """Of the actor's own organisation; an operator names one. Raises NotFound, Forbidden."""
    permit(actor, Action.READ, project=actor.project)
    now = platform.clock()
    today = day_of(now)
    start = since(today)

    def load(tx: Tx) -> Counted:
        of = _whose(tx, actor, organisation)
        history = tx.persons.history(of, start)
        exposed = Count(now, *persons(tx, of, start))
        observed = Count(now, *tx.persons.observed(of, today.year))
        counts = [Count(row.at, row.pi, row.spi) for row in history]
        ahead = [
            Ahead(it, warned(exposed, it), forecast([*counts, exposed], start, now, it))
            for it in thresholds(today)
            if exposed.of(it) < it.least
        ]
        return Counted(of, start, exposed, observed, tuple(ahead), tuple(history))

    return platform.store.read(load)


def _whose(tx: Tx, actor: Actor, organisation: str | None) -> str:
    if actor.role is Role.TEAM:
        own = tx.region.projects([actor.project or ""])[actor.project or ""].organisation
        if organisation not in (None, own):
            raise NotFound(f"there is no organisation {organisation!r} for this token")
        return own
    known = {it.name for it in tx.region.organisations()}
    if organisation not in known:
        raise NotFound(unknown("organisation", organisation or "", known))
    return organisation


def exporter_of(platform: Platform, tx: Tx, organisation: str) -> ExporterRow:
    """Locked: until the transaction ends nobody else changes whose persons count. Made with its key when it
    is the first time. Raises NoVault."""
    row = tx.persons.lock(organisation)
    if row is None:
        sealed = _vault(platform).seal(platform.ids.secret(), _about(organisation))
        row = ExporterRow(organisation, sealed, 0)
        tx.persons.insert_exporter(row)
    return row


def seal_keys_anew(platform: Platform) -> int:
    """Seals with the newest key of the vault what an older one has sealed. Returns how many keys of persons
    no key of this server can read: those stay as they are."""
    vault = _vault(platform)

    def apply(tx: Tx) -> int:
        unreadable = 0
        for row in tx.persons.exporters():
            about = _about(row.organisation)
            try:
                tx.persons.reseal(row.organisation, vault.seal(vault.open(row.key, about), about))
            except ValueError:
                unreadable += 1
        return unreadable

    return platform.store.write(apply)


def key_of(platform: Platform, organisation: str) -> bytes:
    """By which an exporter's persons are hashed; the same person is the same 16 bytes for all its grants, and
    another for every other exporter. Raises NoVault."""
    row = platform.store.read(lambda tx: tx.persons.exporter(organisation))
    if row is None:
        row = platform.store.write(lambda tx: exporter_of(platform, tx, organisation))
    return _vault(platform).open(row.key, _about(organisation)).encode()


def salt_of(platform: Platform, row: ContractRow) -> bytes:
    """By which masks hash values for one share: the same in its renewals, another in every other share."""
    about = f"salt {row.consumer}/{row.share}".encode()
    return hmac.digest(key_of(platform, row.exporter), about, hashlib.sha256)


def counts_at_all(it: Crossing) -> bool:
    """Whether the law may ask how many persons there are."""
    return MAINLAND in it.places and any(map(it.personal, it.grants))


def note(platform: Platform, id: str) -> None:
    """Reads the tables of a contract and notes whom they show, where the law may ask for it. Raises NoReader,
    and Unreadable."""
    row = platform.store.read(lambda tx: tx.contracts.get(id))
    assert row is not None
    it = platform.store.read(lambda tx: loaded(tx, row))
    if not _asked_for(it, day_of(platform.clock()), platform.lists):
        return
    for grant in it.grants:
        subject = it.subject(grant)
        if not it.personal(grant) or subject is None:
            continue
        table = it.tables[grant.ref]
        source = platform.store.read(lambda tx: source_of(platform, tx, table))  # noqa: B023 - read at once
        reader = reader_of(platform)
        try:
            look = reader.look(source)
            if grant.shown != shown(it, grant, look.fingerprint):
                found = reader.persons(source, grant.terms, subject, key_of(platform, row.exporter))
                expose(platform, grant.id, found, look.fingerprint)
        except (ReadFailed, BadExpression) as failed:
            raise Unreadable(f"{table.ref}: {failed}") from None


def _asked_for(it: Crossing, today: date, lists: Lists) -> bool:
    """Whether the law's answer depends on how many persons there are, or makes them count."""
    return counts_at_all(it) and answer(it, today, lambda: None, lists).counts


def shown(it: Crossing, grant: GrantRow, fingerprint: str) -> str:
    """What `GrantRow.shown` is once the persons of that content are noted: labels matter, too."""
    return f"{fingerprint}:{it.tables[grant.ref].version}"


def expose(platform: Platform, grant: str, found: Iterable[bytes], fingerprint: str) -> int:
    """Notes whom a grant shows, in chunks; how many were new. Where the grant is readable already they count
    now: thresholds are warned of, and what they stop is suspended. Raises WrongState when it has ended."""
    now = platform.clock()
    it, one = platform.store.read(lambda tx: _of_grant(tx, grant))
    sensitive, new = it.sensitive(one), 0
    for chunk in chunks(found):
        new += platform.store.write(lambda tx: tx.persons.expose(grant, sensitive, chunk))  # noqa: B023

    def apply(tx: Tx) -> None:
        exporter = exporter_of(platform, tx, it.row.exporter)
        after, of = _of_grant(tx, grant)
        tx.contracts.change_grant(replace(of, shown=shown(it, one, fingerprint)))
        tx.contracts.change(after.row)  # another version: what the law said of it is not remembered
        if after.row.counts and of.opened is not None and of.closed is None:
            moved(platform, tx, exporter, after.row, now)

    platform.store.write(apply)
    return new


def _of_grant(tx: Tx, id: str) -> tuple[Crossing, GrantRow]:
    grant = tx.contracts.grant(id)
    row = None if grant is None else tx.contracts.get(grant.contract)
    if grant is None or row is None or row.state.final:
        raise WrongState(f"grant {id!r} shows nothing any more")
    return loaded(tx, row), grant


def chunks(found: Iterable[bytes]) -> Iterator[bytes]:
    """The same persons in pieces of one size, whatever sizes they come in."""
    held, size = bytearray(), AT_ONCE * SIZE
    for piece in found:
        held += piece
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)


def observe(platform: Platform, grant: str) -> None:
    """Notes that rows were served of all whom the grant shows."""
    year = day_of(platform.clock()).year
    platform.store.write(lambda tx: tx.persons.observe(grant, year))


def moved(
    platform: Platform,
    tx: Tx,
    exporter: ExporterRow,
    cause: ContractRow,
    now: Instant,
    after: tuple[int, int] | None = None,
) -> None:
    """Other persons count from now on, because of that contract: what is near is told, and what may no more
    be read is suspended. The exporter is locked. `after`: where they are counted already."""
    today = day_of(now)
    start = since(today)
    organisation = exporter.organisation
    history = tx.persons.history(organisation, start)
    before = Count(0, history[-1].pi, history[-1].spi) if history else Count(0, 0, 0)
    count = Count(now, *(after or persons(tx, organisation, start)))
    version = tx.persons.bump(organisation)
    tx.persons.insert_count(CountRow(organisation, version, start, now, count.pi, count.spi))
    known = thresholds(today)
    near = [it for it in known if warned(count, it) and not warned(before, it)]
    reached = passed(before, count, known)
    for kind, found in (("persons-near", near), ("persons-reached", reached)):
        for it in found:
            data = {"exporter": organisation, "kind": it.kind, "threshold": it.least, "persons": count.of(it)}
            tx.events.append([Event(now, kind, cause.provider, data=data)])
    if reached:
        _suspend_unlawful(platform, tx, organisation, count, now)
    for it in reached:
        data = {"exporter": organisation, "kind": it.kind, "threshold": it.least, "persons": count.of(it)}
        # Not of the contract: how many persons an exporter has shown in all is not the consumer's to know.
        tx.audit.append(now, "persons-reached", data, contract=None, project=cause.provider)


def _suspend_unlawful(platform: Platform, tx: Tx, organisation: str, count: Count, now: Instant) -> None:
    """Contracts of that exporter which the law lets be read no more, until what it asks for is recorded."""
    today = day_of(now)
    for row in tx.contracts.of_exporter(organisation):
        if not row.counts or any(it.side is Side.PLATFORM for it in row.suspensions):
            continue
        it = loaded(tx, row)
        reason = unlawful(
            answer(it, today, lambda: (count.pi, count.spi), platform.lists).law,
            row.choice,
            row.records,
            today,
        )
        if reason is not None:
            held = (*row.suspensions, Suspension(Side.PLATFORM, reason.code, reason.text, now))
            data = {"code": reason.code, "reason": reason.text}
            advance(tx, row, Taken(Step.SUSPEND, Side.PLATFORM, "", data), now, suspensions=held)


def _vault(platform: Platform) -> Vault:
    if platform.vault is None:
        raise NoVault("it was started without a key, and persons are hashed by sealed keys")
    return platform.vault


def _about(organisation: str) -> str:
    return f"persons of {organisation}"
