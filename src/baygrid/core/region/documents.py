"""Records of the registry as JSON documents, which the store keeps and the API shows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from baygrid.core.region.bodies import LANGUAGES, Body, Kind, Label, Labelled, Record, Return, Spell
from baygrid.core.region.codes import Scheme
from baygrid.core.region.rows import COLUMNS

_TABLES: Final[Mapping[type, str]] = {Body: "bodies", Spell: "addresses", Label: "labels", Return: "returns"}


def to_document(record: Record) -> dict[str, Any]:
    """Without what is empty."""
    it = record.body
    document = {
        "kind": it.kind.value,
        "scheme": it.scheme.value if it.scheme else None,
        "code": it.code,
        "names": {language: it.names[language] for language in LANGUAGES if language in it.names},
        "founded": _text(it.founded),
        "dissolved": _text(it.dissolved),
        "hk_funded": it.hk_funded,
        "synthetic": it.synthetic or None,
        "scope": it.scope,
        "addresses": [spell_document(each) for each in record.spells],
        "labels": [label_document(each) for each in record.labels],
    }
    return _filled(document)


def of_document(id: str, document: Mapping[str, Any]) -> Record:
    body = Body(
        id,
        Kind(document["kind"]),
        Scheme(document["scheme"]) if "scheme" in document else None,
        document.get("code", ""),
        document["names"],
        _day(document.get("founded")),
        _day(document.get("dissolved")),
        document.get("hk_funded"),
        document.get("synthetic", False),
        document.get("scope", ""),
    )
    return Record(
        body,
        tuple(spell_of(id, each) for each in document.get("addresses", ())),
        tuple(label_of(id, each) for each in document.get("labels", ())),
    )


def spell_document(it: Spell) -> dict[str, Any]:
    return _filled(
        {
            "since": _text(it.since),
            "until": _text(it.until),
            "address": it.address,
            "lon": it.lon,
            "lat": it.lat,
            "district": it.district,
        }
    )


def spell_of(body: str, document: Mapping[str, Any]) -> Spell:
    return Spell(
        body,
        _day(document.get("since")),
        _day(document.get("until")),
        document["address"],
        document.get("lon"),
        document.get("lat"),
        document.get("district", ""),
    )


def label_document(it: Label) -> dict[str, Any]:
    return _filled(
        {
            "kind": it.kind.value,
            "value": it.value,
            "since": _text(it.since),
            "until": _text(it.until),
            "evidence": it.evidence,
            "source": it.source,
            "by": it.by,
        }
    )


def label_of(body: str, document: Mapping[str, Any]) -> Label:
    return Label(
        body,
        Labelled(document["kind"]),
        document["value"],
        _day(document.get("since")),
        _day(document.get("until")),
        document.get("evidence", ""),
        document.get("source", ""),
        document["by"],
    )


def row_of(it: Body | Spell | Label | Return) -> dict[str, str]:
    """Its cells in the plain form; `core.region.rows.read_row` reads them back."""
    names = {f"name_{language}": name for language, name in it.names.items()} if isinstance(it, Body) else {}
    return {
        column: names.get(column, "") if column.startswith("name_") else _cell(getattr(it, column))
        for column in COLUMNS[_TABLES[type(it)]]
    }


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "" if value is None else str(value)


def _filled(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value is not None and value not in ("", [])}


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
