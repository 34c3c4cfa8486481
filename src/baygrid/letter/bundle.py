"""The frozen data of an issue: every figure that it may cite, changes of the law, rates. `bundle.json`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from baygrid.letter.reading import Raw, Unreadable, model, read_text


class Figure(Raw):
    """As `baygrid indicators --json` has it. `value` None: suppressed or not loaded, `note` says why."""

    id: str
    value: Decimal | None
    unit: str
    population: str
    period: str
    vintage: str = ""
    source: str
    coverage: Decimal | None = None
    note: str = ""
    synthetic: bool = False

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class Change(Raw):
    """What is different in law or measures, as `baygrid law changes --json` has it. `by`: a day, or words."""

    what: str
    text: str
    article: str
    since: date
    before: str
    after: str
    who: str
    todo: str
    by: str

    @property
    def key(self) -> str:
        """Of all that it says: another one as soon as that is not the same."""
        told = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
        return f"{self.since}-{hashlib.sha256(told.encode()).hexdigest()[:6]}"


class Rate(Raw):
    """So many units of a currency for so many yuan, on a day."""

    currency: Literal["JPY"]
    units: Decimal
    cny: Decimal
    date: date
    source: str

    def of(self, yuan: Decimal) -> Decimal:
        return yuan * self.units / self.cny


class Bundle(Raw):
    """`figures`: sets of them by name, such as "qianhai"; changes are told after `since` and up to
    `until`. A reference is `SET.ID`."""

    format: Literal[1] = 1
    number: int
    frozen: date
    since: date
    until: date
    figures: Mapping[str, tuple[Figure, ...]]
    changes: tuple[Change, ...] = ()
    rates: tuple[Rate, ...] = ()

    def figure(self, reference: str) -> Figure | None:
        name, _, id = reference.partition(".")
        return next((it for it in self.figures.get(name, ()) if it.id == id), None)

    @property
    def yen(self) -> Rate | None:
        return self.rates[0] if self.rates else None


def read(path: Path) -> Bundle:
    """Raises Unreadable."""
    try:
        document = json.loads(read_text(path), parse_float=Decimal)
    except ValueError as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"{path.name} is not valid JSON: {error}") from None
    return model(Bundle, document, path.name)


def text_of(bundle: Bundle) -> str:
    """The file: the same bundle is the same text."""
    return json.dumps(bundle.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n"
