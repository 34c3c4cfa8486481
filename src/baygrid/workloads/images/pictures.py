"""Pictures on disk, and from a file's bytes to the square the model looks at. Nothing is kept for later."""

from __future__ import annotations

import io
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, ImageOps

from baygrid.workloads.images.job import ImagesError

SIDE: Final = 224
"""Pixels along each side of the model's input."""

MAX_JPEG_PIXELS: Final = 200_000_000
"""A JPEG header may promise anything; above this many pixels it is refused before memory is spent on it."""

PHOTOGRAPHS: Final = (
    "astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "grass.png",
    "gravel.png", "hubble_deep_field.jpg", "moon.png", "motorcycle_left.png", "motorcycle_right.png",
    "page.png", "retina.jpg", "rocket.jpg",
)  # fmt: skip
"""The photographs inside scikit-image's wheel; its drawings, test charts, slides and blurs are left out."""

SUFFIXES: Final = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})

_ORIENTATION: Final = 0x0112

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Picture:
    """A file, and the name it goes by in results (relative to the folder it came from)."""

    path: Path
    name: str


def photographs() -> list[Picture]:
    """The photographs that come with scikit-image."""
    folder = Path(str(resources.files("skimage"))) / "data"
    return [Picture(folder / name, f"scikit-image/{name}") for name in PHOTOGRAPHS]


def in_folder(folder: Path) -> list[Picture]:
    """Every picture below `folder`, by name; at least one, or ImagesError."""
    if not folder.is_dir():
        raise ImagesError(f"{folder} is not a folder")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise ImagesError(f"no picture in {folder} (looked for {' '.join(sorted(SUFFIXES))})")
    return [Picture(path, path.relative_to(folder).as_posix()) for path in found]


def decode(data: bytes) -> Pixels:
    """A picture file's largest central square as (SIDE, SIDE, 3) RGB; raises whatever its decoder raises."""
    image = opened(data, SIDE)
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    square = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
    return np.asarray(square)


def opened(data: bytes, least: int) -> Image.Image:
    """The whole picture, upright, in RGB: at full size, or reduced to no less than `least` pixels a side."""
    return _jpeg(data, least) if data.startswith(b"\xff\xd8\xff") else _any(data)


def _any(data: bytes) -> Image.Image:
    """A picture of any format at full size; where it is transparent, it lies on white."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode.startswith(("I", "F")):
        raise ValueError(f"pixels of mode {image.mode} have no fixed range of brightness")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image.convert("RGB")


def _jpeg(data: bytes, least: int) -> Image.Image:
    """A JPEG; the decoder itself leaves out the frequencies that the smaller size does not need."""
    height, width, colour, _ = simplejpeg.decode_jpeg_header(data)
    if height * width > MAX_JPEG_PIXELS:
        raise ValueError(f"{width} x {height} pixels are more than {MAX_JPEG_PIXELS:,}")
    if colour in {"CMYK", "YCCK"}:
        return _any(data)
    pixels = simplejpeg.decode_jpeg(
        data, "RGB", fastdct=True, fastupsample=True, min_height=least, min_width=least, min_factor=2
    )
    image = Image.fromarray(pixels)
    if b"Exif\x00\x00" in data[:4096]:
        turned = Image.open(io.BytesIO(data)).getexif().get(_ORIENTATION, 1)
        image.getexif()[_ORIENTATION] = turned
        image = ImageOps.exif_transpose(image)
    return image
