"""From a picture file's bytes to upright RGB pixels, in bounded memory. What a file is, its content says."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from baygrid.workloads.pictures import JPEG, NotReadable, Pixels, bounded, jpeg

MAX_BYTES: Final = 256 << 20
"""A larger file is not read."""

FORMATS: Final = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")

_ORIENTATION: Final = 0x0112


@dataclass(frozen=True, slots=True)
class Upright:
    """A picture as a person sees it. `pixels` (rows, columns, RGB) may be fewer than the file's `width` and
    `height`, in the same proportion."""

    pixels: Pixels
    width: int
    height: int

    @property
    def scale(self) -> float:
        """The file's pixels for one of `pixels`."""
        return self.width / len(self.pixels[0])


def opened(data: bytes, least: int | None) -> Upright:
    """The picture, at full size, or reduced to no less than `least` pixels along its shorter side.

    Of an animation the first picture; what is transparent lies on white. Raises NotReadable."""
    if not data:
        raise NotReadable("an empty file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata; sizes are judged here
            return _jpeg(data, least) if data.startswith(JPEG) else _any(data, least)
    except NotReadable:
        raise
    except UnidentifiedImageError:
        raise NotReadable("not a picture of a known format") from None
    except MemoryError:
        raise NotReadable("too large for this machine's memory") from None
    except Exception as wrong:
        raise NotReadable(f"damaged: {str(wrong) or type(wrong).__name__}") from wrong


def square(pixels: Pixels, side: int) -> Pixels:
    """The largest central square as (side, side, 3).

    Whole steps are averaged, then what is left (less than two) is interpolated: as fast as the decoder, and
    the same on every machine, for OpenCV does both on whole numbers."""
    height, width = pixels.shape[:2]
    size = min(height, width)
    step = max(1, size // side)
    inner = size // step * step if step > 1 else size
    top, left = (height - inner) // 2, (width - inner) // 2
    cut = pixels[top : top + inner, left : left + inner]
    if step > 1:
        cut = cv2.resize(cut, (inner // step, inner // step), interpolation=cv2.INTER_AREA).astype(np.uint8)
    if len(cut) == side:
        return np.ascontiguousarray(cut)
    return cv2.resize(cut, (side, side), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _any(data: bytes, least: int | None) -> Upright:
    """What it is reduced by, it is before there are copies of it."""
    file = Image.open(io.BytesIO(data), formats=FORMATS)
    bounded(file.width, file.height)
    file.load()  # a TIFF is turned by this; then it says so no more
    orientation = _orientation(file)
    image: Image.Image = file
    if image.mode in {"I", "F"}:
        raise NotReadable(f"pixels of mode {image.mode} have no fixed range of brightness")
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in {"1", "P", "PA"}:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if least and (step := min(image.size) // (2 * least)) > 1:
        image = image.reduce(step)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return _upright(np.asarray(image.convert("RGB")), *file.size, orientation)


def _jpeg(data: bytes, least: int | None) -> Upright:
    decoded = jpeg(data, least)
    if decoded is None:
        return _any(data, least)
    orientation = 1
    if b"Exif\x00\x00" in data[:4096]:
        orientation = _orientation(Image.open(io.BytesIO(data), formats=("JPEG",)))
    return _upright(decoded.pixels, decoded.width, decoded.height, orientation)


def _orientation(image: Image.Image) -> int:
    """As EXIF numbers them, 1 to 8."""
    found = image.getexif().get(_ORIENTATION, 1)
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _upright(pixels: Pixels, width: int, height: int, orientation: int) -> Upright:
    if orientation == 1:
        return Upright(pixels, width, height)
    size = (height, width) if orientation > 4 else (width, height)
    return Upright(np.ascontiguousarray(_turned(pixels, orientation)), *size)


def _turned(pixels: Pixels, orientation: int) -> Pixels:
    """Upright, by the eight ways of EXIF 2.32, section 4.6.4: from 5 on rows and columns change places."""
    if orientation > 4:
        pixels = pixels.swapaxes(0, 1)
    across = orientation in {2, 3, 6, 7}
    down = orientation in {3, 4, 7, 8}
    return pixels[:: -1 if down else 1, :: -1 if across else 1]
