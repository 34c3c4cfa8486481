"""The arithmetic of Whisper, counted in the shapes of its weights, as they lie in CTranslate2's format."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, Final

from baygrid.workloads.models import ModelRefused

VERSIONS: Final = (5, 6)
"""Of CTranslate2's binary format, which are read here."""

FRAMES, PLACES = 3000, 1500
"""Of half a minute: going into the encoder, and coming out of it."""

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """FLOP: `chunk` to encode half a minute, `text` to begin to write one down, `token` for each of its
    tokens once, however many a search tries. What a token does with those before it is left out: they are
    few."""

    chunk: float
    text: float
    token: float


def arithmetic(shapes: Shapes) -> Arithmetic:
    """Raises KeyError for another kind of model."""
    encoder = {name: it for name, it in shapes.items() if name.startswith("encoder/") and _is_weight(name)}
    decoder = {
        name: it for name, it in shapes.items() if name.startswith("decoder/layer_") and _is_weight(name)
    }
    width = shapes["encoder/conv2/weight"][0]
    first = prod(encoder.pop("encoder/conv1/weight"))
    encoder_layers, decoder_layers = _layers(encoder), _layers(decoder)
    attended = 2 * 2 * PLACES * width  # of one place with all: scores, and the sum by them
    chunk = 2 * first * FRAMES + 2 * sum(map(prod, encoder.values())) * PLACES
    chunk += encoder_layers * PLACES * attended
    memory = {name: it for name, it in decoder.items() if "/attention/linear_1/" in name}
    text = 2 * sum(map(prod, memory.values())) * PLACES
    each = sum(prod(it) for name, it in decoder.items() if name not in memory)
    token = 2 * (each + prod(shapes["decoder/embeddings/weight"])) + decoder_layers * attended
    return Arithmetic(float(chunk), float(text), float(token))


def shapes(file: Path) -> Shapes:
    """Of every variable in a `model.bin`, by its name. Raises ModelRefused."""
    try:
        with file.open("rb") as opened:
            return _shapes(opened)
    except (struct.error, UnicodeDecodeError) as wrong:
        raise ModelRefused(f"{file.name} is no model of CTranslate2: {wrong}") from wrong


def _shapes(file: BinaryIO) -> Shapes:
    version = _read(file, "I")
    if version not in VERSIONS:
        raise ModelRefused(f"a CTranslate2 model of format {version} is not read here")
    _text(file)  # what kind of model, and its revision
    _read(file, "I")
    found = {}
    for _ in range(_read(file, "I")):
        name = _text(file)
        found[name] = tuple(_read(file, "I") for _ in range(_read(file, "B")))
        _read(file, "B")
        file.seek(_read(file, "I"), 1)
    return found


def _read(file: BinaryIO, kind: str) -> Any:
    layout = struct.Struct(f"<{kind}")
    return layout.unpack(file.read(layout.size))[0]


def _text(file: BinaryIO) -> str:
    return file.read(_read(file, "H")).decode().rstrip("\0")


def _is_weight(name: str) -> bool:
    return name.endswith("/weight") and "norm" not in name


def _layers(weights: Shapes) -> int:
    return len({part for name in weights for part in name.split("/") if part.startswith("layer_")})
