"""What was wrong in an issue that is published: said on the issue, in the archive, in the feed.

`corrections.yaml` lies beside the issue, which itself stays as it was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from baygrid.letter.reading import Raw, Unreadable, model, read_yaml


class Correction(Raw):
    """`at`: the section's id; `on`: the day of the notice; `since`: from when it was wrong. `wrong` and
    `right` in each language."""

    at: str
    on: date
    since: date
    wrong: Mapping[str, str]
    right: Mapping[str, str]


class _File(Raw):
    corrections: tuple[Correction, ...]


def read(path: Path) -> tuple[Correction, ...]:
    """Oldest first; none where there is no file. Raises Unreadable."""
    if not path.exists():
        return ()
    found = model(_File, {"corrections": read_yaml(path)}, path.name).corrections
    days = [it.on for it in found]
    if days != sorted(days):
        raise Unreadable(f"{path.name}: notices stand in the order of their days")
    return found
