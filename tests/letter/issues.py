"""Issue No. 1 for tests: a copy that can be altered, and what was found in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from baygrid.letter.checking import check
from baygrid.letter.issue import fingerprint, read

FIRST = Path(__file__).parents[2] / "letters" / "001"


def copy(tmp_path: Path, name: str = "001") -> Path:
    return Path(shutil.copytree(FIRST, tmp_path / "letters" / name))


def alter(path: Path, change: Callable[[Any], None]) -> None:
    """A YAML or JSON file as a document, changed in place."""
    if path.suffix == ".json":
        document = json.loads(path.read_text("utf-8"))
        change(document)
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    else:
        document = yaml.load(path.read_text("utf-8"), yaml.CBaseLoader)
        change(document)
        path.write_text(
            yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False),
            encoding="utf-8",
        )


def write(folder: Path, id: str, ja: str, **translations: str) -> None:
    """A text in all languages, its translations up to date, in the same words if none are given."""
    alter(folder / "texts" / "ja.yaml", lambda texts: texts.update({id: ja}))
    for language in ("zh-Hans", "zh-Hant", "en"):
        told = {id: {"text": translations.get(language.replace("-", "_"), ja), "of": fingerprint(ja)}}
        alter(folder / "texts" / f"{language}.yaml", partial(_update, told))


def _update(told: dict[str, Any], texts: dict[str, Any]) -> None:
    texts.update(told)


def figure(folder: Path, reference: str, **values: Any) -> None:
    """Other values of one figure of the bundle."""
    name, _, id = reference.partition(".")

    def change(bundle: Any) -> None:
        next(it for it in bundle["figures"][name] if it["id"] == id).update(values)

    alter(folder / "bundle.json", change)


def findings(folder: Path) -> list[str]:
    return [str(it) for it in check(read(folder))]
