"""What people do to a body: say what it is, and that two are one. Each can be taken back from the log."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from baygrid.core.reading import Wrong
from baygrid.core.region.bodies import (
    FIELDS,
    LANGUAGES,
    LAYERS,
    Label,
    Labelled,
    Record,
    Spell,
    overlap,
    record,
)
from baygrid.core.region.documents import label_document, label_of, spell_document, spell_of


def relabel(
    old: Record, kind: Labelled, values: Collection[str], since: date | None, by: str, why: str
) -> Record:
    """From `since` (None: ever) it is these, whatever was said before of that time. Raises Wrong."""
    known = LAYERS if kind is Labelled.LAYER else FIELDS
    for value in values:
        if value not in known:
            raise Wrong(f"{value!r} is no {kind.value}: use {', '.join(known)}")
    if kind is Labelled.LAYER and len(values) != 1:
        raise Wrong("a body has one layer")
    if not values:
        raise Wrong("name at least one field: other, where none of them fits")
    kept = [it for it in old.labels if it.kind is not kind]
    if since is not None:
        earlier = [it for it in old.labels if it.kind is kind and (it.since is None or it.since < since)]
        kept += [replace(it, until=min(it.until or since, since)) for it in earlier]
    said = [Label(old.body.id, kind, it, since, None, why, "", by) for it in dict.fromkeys(values)]
    return record(old.body, old.spells, [*kept, *said])


@dataclass(frozen=True, slots=True)
class Brought:
    """What the one that stays got of the one that went: by this a merge is taken back."""

    names: tuple[str, ...]
    code: bool
    scope: bool
    spells: tuple[Spell, ...]
    labels: tuple[Label, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "names": list(self.names),
            "code": self.code,
            "scope": self.scope,
            "addresses": [spell_document(it) for it in self.spells],
            "labels": [label_document(it) for it in self.labels],
        }

    @classmethod
    def of_json(cls, body: str, document: Mapping[str, Any]) -> Brought:
        return cls(
            tuple(document["names"]),
            document["code"],
            document["scope"],
            tuple(spell_of(body, it) for it in document["addresses"]),
            tuple(label_of(body, it) for it in document["labels"]),
        )


def merge(gone: Record, stays: Record) -> tuple[Record, Brought]:
    """`stays` with what it lacked and `gone` has: names, a code, addresses and labels of days on which it had
    none. Raises Wrong for two codes of one scheme: those are two bodies."""
    one, other = stays.body, gone.body
    if one.code and other.code and one.scheme == other.scheme and one.code != other.code:
        raise Wrong(
            f"they have different codes, {other.code} and {one.code}, so they are two: correct one first"
        )
    id = one.id
    names = tuple(it for it in LANGUAGES if it in other.names and it not in one.names)
    spells = tuple(
        replace(it, body=id) for it in gone.spells if not any(overlap(it, its) for its in stays.spells)
    )
    kinds = {it.kind for it in stays.labels}
    labels = tuple(replace(it, body=id) for it in gone.labels if it.kind not in kinds)
    brought = Brought(
        names, bool(other.code and not one.code), bool(other.scope and not one.scope), spells, labels
    )
    body = replace(
        one,
        names={**one.names, **{it: other.names[it] for it in names}},
        scheme=other.scheme if brought.code else one.scheme,
        code=other.code if brought.code else one.code,
        scope=other.scope if brought.scope else one.scope,
    )
    return record(body, [*stays.spells, *spells], [*stays.labels, *labels]), brought


def unmerge(stays: Record, brought: Brought) -> Record:
    """Without what a merge has brought; what was done to it since stays."""
    names = {key: it for key, it in stays.body.names.items() if key not in brought.names}
    body = replace(
        stays.body,
        names=names or stays.body.names,
        scheme=None if brought.code else stays.body.scheme,
        code="" if brought.code else stays.body.code,
        scope="" if brought.scope else stays.body.scope,
    )
    return record(
        body,
        [it for it in stays.spells if it not in brought.spells],
        [it for it in stays.labels if it not in brought.labels],
    )
