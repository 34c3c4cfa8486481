"""The profile of speech: Whisper base writes down short clips, and translates those that are not English."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

import ctranslate2
import pyarrow.parquet as pq
import tokenizers

from baygrid.core.rating.value import Gate
from baygrid.workloads.application import Application, Outcome, Shard
from baygrid.workloads.rating import whisper
from baygrid.workloads.speech import cutting, model
from baygrid.workloads.speech.application import Speech
from baygrid.workloads.speech.clip import Clip, clips
from baygrid.workloads.speech.scoring import cer, chrf
from baygrid.workloads.speech.sound import RATE, Sound
from baygrid.workloads.speech.sources import sources
from baygrid.workloads.speech.whisper import COMPUTE

TOGETHER: Final = 8
"""Clips of a shard on a CPU, which decodes so many at once; there all workers have some soon."""
LEAST_PAIRS: Final = 8
MORE_ERRORS, LESS_CHRF = 0.02, 12.0
"""By so much may characters be wrong more often, and chrF be lower, than at full precision. The translation
is three sentences, and another word in one ("place" for "restaurant") is six points: in int8 the instruction
sets and numbers of threads of CPUs reach 57.0 to 61.7, all of them right, where fp32 reaches 66.2."""
MOST_GATED: Final = 0.02
"""The part of the segments that the application itself may not rely on."""
GOLDEN: Final = "golden/speech-1.json"
"""What the model reaches in fp32 on a CPU, made by scripts/golden.py."""


@dataclass(frozen=True)
class Clips(Speech):
    """On a CPU in smaller shards than recordings are cut into."""

    def shards(self) -> Iterator[Shard]:
        if device() != "CPU":
            yield from super().shards()
            return
        pieces = (piece for source in sources(self.input or "") for piece in cutting.pieces(source))
        for number in count():
            some = cutting.shards(islice(pieces, TOGETHER))
            if (shard := next(some, None)) is None:
                return
            yield replace(shard, id=f"{number:06}")


@dataclass(frozen=True, slots=True)
class SpeechProfile:
    name = "speech@1"
    unit = "audio_hours"
    input = "two clips of 11 s, English and Japanese, in turn, each a file; written down and into English"

    @property
    def precision(self) -> str:
        there = ctranslate2.get_supported_compute_types(device().lower())
        kind = next(kind for kind in COMPUTE[device().lower()] if kind in there)
        return {"float16": "fp16", "bfloat16": "bf16", "float32": "fp32"}.get(kind, kind)

    @property
    def first(self) -> float:
        return LEAST_PAIRS * _hours(clips())

    def model(self) -> str:
        model.directory(None)
        return f"whisper-base ({model.SHA256['model.bin'][:12]})"

    def device(self) -> str:
        return device()

    def flop_per_unit(self) -> float:
        folder = model.directory(None)
        each = whisper.arithmetic(whisper.shapes(folder / "model.bin"))
        tokens = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        total = 0.0
        for clip in clips():
            texts = [clip.text] if clip.language == "en" else [clip.text, clip.english]
            total += each.chunk
            total += sum(each.text + each.token * len(tokens.encode(text).ids) for text in texts)
        return total / _hours(clips())

    def prepare(self, folder: Path) -> None:
        """Nothing: how many files there are is how much work there is."""

    def application(self, folder: Path, units: float) -> Application:
        pairs = _pairs(units)
        some = folder / str(pairs)
        some.mkdir(exist_ok=True)
        for name, clip in _files(pairs):
            shutil.copyfile(clip.file, some / name)
        return Clips(str(some))

    def gate(self, units: float, outcome: Outcome) -> Gate:
        segments = pq.read_table(outcome.outputs["segments"]).to_pylist()
        return judged(reached(segments, _pairs(units)), golden())


def device() -> str:
    return "CUDA" if ctranslate2.get_cuda_device_count() else "CPU"


def reached(segments: Iterable[Mapping[str, Any]], pairs: int) -> dict[str, float]:
    """`cer` of all transcripts; `chrf` of all translations; the part of the segments that are `gated`.
    So many `pairs` of clips went in: one without a segment was not heard at all."""
    by_file: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in segments:
        by_file[row["file"]].append(row)
    heard = [(clip, by_file.get(name, [])) for name, clip in _files(pairs)]
    whole = [("".join(row["text"] for row in rows), clip.text) for clip, rows in heard]
    into = [
        (" ".join(row["translation"] or "" for row in rows), clip.english)
        for clip, rows in heard
        if clip.language != "en"
    ]
    rows = [row for _, some in heard for row in some]
    return {
        "cer": cer(*zip(*whole, strict=True)),
        "chrf": chrf(*zip(*into, strict=True)),
        "gated": sum(row["flags"] is not None for row in rows) / len(rows) if rows else 1.0,
        "clips": float(len(heard)),
    }


def judged(found: Mapping[str, float], wanted: Mapping[str, float]) -> Gate:
    """`wanted`: what is reached at full precision."""
    why = ""
    if found["cer"] > wanted["cer"] + MORE_ERRORS:
        why = f"{found['cer']:.1%} of the characters are wrong, more than {wanted['cer'] + MORE_ERRORS:.1%}"
    elif found["chrf"] < wanted["chrf"] - LESS_CHRF:
        why = f"chrF of the translations is {found['chrf']:.1f}, less than {wanted['chrf'] - LESS_CHRF:.1f}"
    elif found["gated"] > MOST_GATED:
        why = f"{found['gated']:.1%} of the segments are not to be relied on, more than {MOST_GATED:.0%}"
    return Gate(not why, dict(found), why)


def golden() -> dict[str, float]:
    text = (resources.files("baygrid.workloads.rating") / GOLDEN).read_text(encoding="utf-8")
    wanted: dict[str, float] = json.loads(text)["reached"]
    return wanted


def _pairs(units: float) -> int:
    """Of clips, for about so many hours."""
    return max(LEAST_PAIRS, round(units / _hours(clips())))


def _files(pairs: int) -> Iterator[tuple[str, Clip]]:
    """By the names under which they go in."""
    for number in range(pairs):
        for clip in clips():
            yield f"{number:06}-{clip.file.name}", clip


@cache
def _seconds(file: Path) -> float:
    with file.open("rb") as opened, Sound(opened) as sound:
        return sum(map(len, sound.read())) / RATE


def _hours(some: Iterable[Clip]) -> float:
    return sum(_seconds(clip.file) for clip in some) / 3600
