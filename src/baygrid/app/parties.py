"""Parties: organisations that share or get data, with the facts that an operator has verified of them."""

from __future__ import annotations

from baygrid.app.access import Action, Actor, permit
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound
from baygrid.app.projects import find_project
from baygrid.core.data.parties import Party, read_party
from baygrid.core.reading import DocumentError
from baygrid.ports.data import PartyRow
from baygrid.ports.records import Event
from baygrid.ports.store import Tx


def parties(platform: Platform, actor: Actor) -> list[PartyRow]:
    """Of an operator all, of a project that of its own organisation; by name."""
    project = actor.project
    permit(actor, Action.READ if project else Action.OPERATE, project=project)

    def load(tx: Tx) -> list[PartyRow]:
        if project is None:
            return tx.catalogue.parties()
        own = tx.catalogue.party(find_project(tx, project).organisation)
        return [] if own is None else [own]

    return platform.store.read(load)


def set_party(platform: Platform, actor: Actor, organisation: str, document: object) -> PartyRow:
    """In the place of what was said before; earlier versions stay. What says the same again changes nothing.
    Raises Invalid, NotFound."""
    permit(actor, Action.OPERATE)
    party = _read(document)
    now = platform.clock()

    def apply(tx: Tx) -> PartyRow:
        if not tx.support.lock_organisation(organisation):  # so that two versions follow one another
            raise NotFound(f"there is no organisation {organisation!r}: add it first")
        before = tx.catalogue.party(organisation)
        if before is not None and (before.facts, before.pilot) == (party.facts, party.pilot):
            return before
        version = 1 if before is None else before.version + 1
        row = PartyRow(organisation, version, party.facts, party.pilot, now, actor.token_id)
        tx.catalogue.insert_party(row)
        tx.events.append([Event(now, "party-set", data={"organisation": organisation})])
        said = {"organisation": organisation, "version": row.version, "facts": row.facts, "pilot": row.pilot}
        tx.audit.append(now, "party-set", {**said, "by": actor.token_id}, contract=None, project=None)
        return row

    return platform.store.write(apply)


def _read(document: object) -> Party:
    try:
        return read_party(document)
    except DocumentError as error:
        raise Invalid.many([(it.path, it.message) for it in error.problems]) from None
