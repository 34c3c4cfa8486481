"""JPEGs decoded, and what of a picture file is refused before it is: too many pixels, too many passes over
them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import simplejpeg
from numpy.typing import NDArray

MAX_PIXELS: Final = 64_000_000
"""More than these are refused where a decoder has to hold all of them: 1 GB at worst (WebP)."""

MAX_JPEG_PIXELS: Final = 200_000_000
"""A JPEG in one pass is reduced while it is decoded, line by line: those of telephones are read."""

MAX_SCANS: Final = 100
"""Passes of a progressive JPEG, each of which goes over all of it; honest ones have about ten."""

JPEG: Final = b"\xff\xd8\xff"
"""How one begins."""

_PROGRESSIVE: Final = re.compile(rb"\xff[\xc2\xc6\xca\xce]")
"""The markers of such a frame, by Huffman or arithmetic coding (ISO/IEC 10918-1, table B.1)."""

_PRINTED: Final = frozenset({"CMYK", "YCCK"})

Pixels = NDArray[np.uint8]


class NotReadable(ValueError):
    """Why a picture cannot be read, in words for whoever sent it."""


def bounded(width: int, height: int, most: int = MAX_PIXELS) -> None:
    """Raises NotReadable where there are more pixels."""
    if width * height > most:
        raise NotReadable(f"{width} x {height} pixels are more than {most:,}")


@dataclass(frozen=True, slots=True)
class Jpeg:
    """`pixels` (rows, columns, RGB) may be fewer than the file's `width` and `height`."""

    pixels: Pixels
    width: int
    height: int


def jpeg(data: bytes, least: int | None) -> Jpeg | None:
    """A JPEG at full size, or reduced to no less than `least` pixels along its shorter side; the decoder
    itself leaves out the frequencies that the smaller size does not need. None where its colours are a
    printer's, which this decoder does not know. Raises NotReadable where it could not be decoded in bounded
    memory and time, and ValueError where it is none."""
    height, width, colour, _ = simplejpeg.decode_jpeg_header(data)
    whole = _PROGRESSIVE.search(data) is not None  # all of it is in memory before its first line
    bounded(width, height, MAX_PIXELS if whole else MAX_JPEG_PIXELS)
    if whole and data.count(b"\xff\xda") > MAX_SCANS:
        raise NotReadable(f"more than {MAX_SCANS} passes over the same picture")
    if colour in _PRINTED:
        bounded(width, height)
        return None
    if least is None and width * height > MAX_PIXELS:
        least = 1 << 12
    reduced = {"min_height": least, "min_width": least, "min_factor": 2} if least else {}
    pixels: Pixels = simplejpeg.decode_jpeg(data, "RGB", fastdct=True, fastupsample=True, **reduced)
    return Jpeg(pixels, width, height)
