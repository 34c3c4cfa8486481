"""The profiles of images: EfficientNet-Lite0 names what is on photographs of the size that the web has."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from random import Random
from typing import Final

import pyarrow.parquet as pq
from PIL import Image

from baygrid.core.rating.value import Gate
from baygrid.workloads.application import Application, Outcome
from baygrid.workloads.images import model
from baygrid.workloads.images.application import Images
from baygrid.workloads.images.inputs import photographs
from baygrid.workloads.images.quality import agreement
from baygrid.workloads.models.onnx import CPU, Network
from baygrid.workloads.rating import flop

PICTURES: Final = 256
WIDTH, HEIGHT = 500, 375
QUALITY: Final = 90
LEAST_AGREEMENT: Final = 0.99
GOLDEN: Final = "golden/images-1.json"
"""Classes by picture, made by scripts/golden.py with fp32 on a CPU."""


@dataclass(frozen=True, slots=True)
class ImagesProfile:
    name = "images@1"
    unit = "images"
    input = f"{PICTURES} JPEG files of {WIDTH} x {HEIGHT}, cut from photographs, in turn"
    precision = "fp32"
    first = 2.0 * PICTURES

    def model(self) -> str:
        model.prepared()
        return f"efficientnet-lite0 ({model.SHA256[:12]})"

    def device(self) -> str:
        return Network(model.prepared()).provider

    def flop_per_unit(self) -> float:
        return flop.of(model.prepared())

    def prepare(self, folder: Path) -> None:
        sources = [Image.open(entry.at).convert("RGB") for entry in photographs()]
        for number in range(PICTURES):
            cut(sources[number % len(sources)], number).save(folder / name(number), quality=QUALITY)

    def application(self, folder: Path, units: float) -> Application:
        return Images(input=str(folder), count=max(PICTURES, round(units)))

    def gate(self, units: float, outcome: Outcome) -> Gate:
        return judged(classes(outcome.outputs["labels"]), golden())


@dataclass(frozen=True, slots=True)
class ImagesBf16Profile(ImagesProfile):
    """The same pictures and golden classes; on CPUs, in bf16, and in fp32 where that is unsure."""

    name = "images-bf16@1"
    precision = "bf16"

    def device(self) -> str:
        return CPU

    def application(self, folder: Path, units: float) -> Application:
        return Images(input=str(folder), count=max(PICTURES, round(units)), precision="bf16")


def judged(found: dict[str, int], wanted: dict[str, int]) -> Gate:
    """`found` and `wanted`: class by picture."""
    same = agreement(found, wanted) or 0.0
    why = "" if same >= LEAST_AGREEMENT else f"top-1 agrees on {same:.1%}, less than {LEAST_AGREEMENT:.0%}"
    return Gate(not why, {"top1_agreement": same, "pictures": float(len(wanted))}, why)


def cut(photograph: Image.Image, number: int) -> Image.Image:
    """A part of it, 0.4 to all of what fits, upright, WIDTH x HEIGHT."""
    chance = Random(number)
    part = chance.uniform(0.4, 1.0)
    width = min(photograph.width, photograph.height * WIDTH / HEIGHT) * part
    height = width * HEIGHT / WIDTH
    left = chance.uniform(0, photograph.width - width)
    top = chance.uniform(0, photograph.height - height)
    box = (left, top, left + width, top + height)
    return photograph.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, box=box)


def name(number: int) -> str:
    return f"{number:03}.jpg"


def classes(labels: Path) -> dict[str, int]:
    """By picture; one that comes several times has the class of its last time."""
    table = pq.read_table(labels, columns=["path", "class_index"])
    return dict(zip(table["path"].to_pylist(), table["class_index"].to_pylist(), strict=True))


def golden() -> dict[str, int]:
    text = (resources.files("baygrid.workloads.rating") / GOLDEN).read_text(encoding="utf-8")
    wanted: dict[str, int] = json.loads(text)["classes"]
    return wanted
