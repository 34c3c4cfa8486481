"""A proposal for each column of a table: labels, and a sentence that says why. It is for a person to
decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from baygrid.core.data.labels import Labels, Origin
from baygrid.sharing.proposing import names, values
from baygrid.sharing.proposing.kinds import MAINLAND_CARD, Kind


def proposed(samples: Mapping[str, tuple[Sequence[str], bool]]) -> dict[str, tuple[Labels, str]]:
    """`samples`: by column, values that are not null as text, and whether the column's type is text.

    Where one column tells who, the others are of persons as well: all that relates to somebody who can be
    known is personal information (PIPL 4)."""
    by_name = {column: names.kind_of(column) for column in samples}
    by_value = {column: values.kind_of(*sample) for column, sample in samples.items()}
    kinds = {column: by_value[column] or by_name[column] for column in samples}
    subject = max((column for column in samples), key=lambda column: _tells(kinds[column]), default=None)
    who = subject if subject is not None and _tells(kinds[subject]) else None
    mainland = any(kind is not None and kind.mainland and by_value[column] for column, kind in kinds.items())
    found = {}
    for column, kind in kinds.items():
        if kind is None:
            found[column] = _other(column, who, mainland)
        else:
            found[column] = _of_kind(kind, by_value[column] is not None, column == who, mainland)
    return found


def _tells(kind: Kind | None) -> int:
    return 0 if kind is None else kind.tells


def _of_kind(kind: Kind, by_value: bool, subject: bool, mainland: bool) -> tuple[Labels, str]:
    source = "its values look like" if by_value else "its name speaks of"
    said = [f"{source} {kind.says}"]
    if subject:
        said.append("it tells persons apart better than the other columns do")
    if kind.sensitive is None:
        said.append("whether it is sensitive depends on whose it is")
    if kind is MAINLAND_CARD or (kind.sensitive and kind.tells >= MAINLAND_CARD.tells - 1):
        said.append("the law does not name it as sensitive: say whether it is")
    labels = Labels(True, kind.sensitive, origin=_origin(mainland), subject=subject)
    return labels, _sentence(said, mainland)


def _other(column: str, who: str | None, mainland: bool) -> tuple[Labels, str]:
    if who is not None:
        said = [f"it stands beside {who}, which tells of whom the row is"]
        return Labels(True, None, origin=_origin(mainland)), _sentence(said, mainland)
    if names.is_name(column):
        return Labels(), "names of persons or of things, its name does not say which."
    return Labels(False, False), "neither its name nor its values speak of persons."


def _origin(mainland: bool) -> Origin:
    """Never overseas: that would free it (Provisions on cross-border data flows 4), and no value tells where
    it was collected."""
    return Origin.DOMESTIC if mainland else Origin.UNKNOWN


def _sentence(said: Sequence[str], mainland: bool) -> str:
    more = ["the table has signs of the mainland, so it was likely collected there"] if mainland else []
    return "; ".join([*said, *more]) + "."
