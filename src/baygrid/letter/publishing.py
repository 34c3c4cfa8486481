"""Publication: what an issue was on that day is noted by its hashes, and whoever alters it later is told.

What turns out to be wrong is said in `corrections.yaml`; the issue itself stays."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Final

from baygrid.letter.issue import Issue, read
from baygrid.letter.reading import Raw, model, read_text
from baygrid.papers.words import LANGUAGES

NOTED: Final = "published.json"
FROZEN: Final = ("issue.yaml", "bundle.json", *(f"texts/{language}.yaml" for language in LANGUAGES))


class Published(Raw):
    """`files`: the SHA-256 of each."""

    on: date
    files: dict[str, str]


def published(folder: Path) -> Published | None:
    """Raises reading.Unreadable."""
    path = folder / NOTED
    return model(Published, json.loads(read_text(path)), NOTED) if path.exists() else None


def note(folder: Path, on: date) -> None:
    told = Published(on=on, files=_hashes(folder)).model_dump(mode="json")
    part = folder / f"{NOTED}.part"
    part.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    part.replace(folder / NOTED)


def altered(folder: Path) -> list[str]:
    """Files that are not as they were when the issue was published; none of one that is not."""
    known = published(folder)
    if known is None:
        return []
    now = _hashes(folder)
    return [name for name in FROZEN if known.files.get(name) != now[name]]


def others(issue: Issue) -> list[Issue]:
    """Published issues beside this one. Raises reading.Unreadable."""
    own = issue.folder.resolve()
    folders = sorted(it.parent for it in own.parent.glob(f"*/{NOTED}"))
    return [read(folder) for folder in folders if folder != own]


def _hashes(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FROZEN}
