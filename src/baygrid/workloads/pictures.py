"""What of a picture file is refused before it is decoded: too many pixels, too many passes over them."""

from __future__ import annotations

from typing import Final

import simplejpeg

MAX_PIXELS: Final = 64_000_000
"""More than these are refused where a decoder has to hold all of them: 1 GB at worst (WebP)."""

MAX_JPEG_PIXELS: Final = 200_000_000
"""A JPEG in one pass is reduced while it is decoded, line by line: those of telephones are read."""

MAX_SCANS: Final = 100
"""Passes of a progressive JPEG, each of which goes over all of it; honest ones have about ten."""


class NotReadable(ValueError):
    """Why a picture cannot be read, in words for whoever sent it."""


def bounded(width: int, height: int, most: int = MAX_PIXELS) -> None:
    """Raises NotReadable where there are more pixels."""
    if width * height > most:
        raise NotReadable(f"{width} x {height} pixels are more than {most:,}")


def jpeg_header(data: bytes) -> tuple[int, int, str]:
    """Width, height and colours of a JPEG that can be decoded in bounded memory and time. Raises NotReadable,
    and ValueError where it is none."""
    height, width, colour, _ = simplejpeg.decode_jpeg_header(data)
    whole = b"\xff\xc2" in data  # progressive: all of it is in memory before its first line
    bounded(width, height, MAX_PIXELS if whole else MAX_JPEG_PIXELS)
    if whole and data.count(b"\xff\xda") > MAX_SCANS:
        raise NotReadable(f"more than {MAX_SCANS} passes over the same picture")
    return width, height, colour
