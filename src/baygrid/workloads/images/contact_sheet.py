"""The contact sheet: each distinct picture of a run as a card with its label and score, for people to see."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

from baygrid.workloads.images.job import Throughput
from baygrid.workloads.images.pictures import Picture, opened
from baygrid.workloads.images.rows import Row

MOST: Final = 60
"""Pictures on a sheet; later ones are in the labels only."""

# Sizes in pixels.
THUMB: Final = (264, 198)
CARD: Final = (264, 282)
GAP: Final = 20
HEAD: Final = 96
FOOT: Final = 44
LEAST_COLUMNS, MOST_COLUMNS = 3, 5  # three are as wide as the title

PAPER, WHITE, INK, GREY, LINE, RED = "#eef1f5", "#ffffff", "#17202e", "#667085", "#e3e7ed", "#b42318"
SURE: Final = ((0.5, "#0e9384"), (0.2, "#dc8a0a"), (0.0, "#98a2b3"))
"""Colours of a score's bar, from that score upwards."""

NOTE: Final = (
    "The model knows 1,000 classes; a picture of anything else gets the nearest, as a rule with a low score."
)

Draw = ImageDraw.ImageDraw


def draw(shown: Sequence[tuple[Picture, Row]], throughput: Throughput) -> Image.Image:
    """The sheet of these pictures, in the order given."""
    columns = _columns(len(shown))
    width, height = size(len(shown))
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    title = f"{throughput.classified:,} pictures classified, {throughput.rate_per_hour:,.0f} an hour"
    workers = "1 worker" if throughput.workers == 1 else f"{throughput.workers} workers"
    beneath = f"EfficientNet-Lite0, {workers} on {throughput.provider}"
    if throughput.failed:
        beneath += f"; {throughput.failed:,} could not be read"
    _text(pen, (GAP, 24), title, 30, INK, width - 2 * GAP)
    _text(pen, (GAP, 62), beneath, 17, GREY, width - 2 * GAP)
    for number, (picture, row) in enumerate(shown):
        down, across = divmod(number, columns)
        _card(sheet, (GAP + across * (CARD[0] + GAP), HEAD + down * (CARD[1] + GAP)), picture, row)
    _text(pen, (GAP, height - FOOT + 4), NOTE, 15, GREY, width - 2 * GAP)
    return sheet


def size(cards: int) -> tuple[int, int]:
    """Width and height, in pixels, of a sheet with this many cards."""
    columns = _columns(cards)
    return GAP + columns * (CARD[0] + GAP), HEAD + ceil(cards / columns) * (CARD[1] + GAP) + FOOT


def _columns(cards: int) -> int:
    return min(MOST_COLUMNS, max(LEAST_COLUMNS, cards))


def _card(sheet: Image.Image, corner: tuple[int, int], picture: Picture, row: Row) -> None:
    card = Image.new("RGB", CARD, WHITE)
    pen = ImageDraw.Draw(card)
    top, inner = THUMB[1] + 12, CARD[0] - 24
    if row.top5 is None:
        pen.rectangle((0, 0, THUMB[0], THUMB[1]), LINE)
        pen.line((THUMB[0] / 2 - 24, 75, THUMB[0] / 2 + 24, 123), RED, 5)
        pen.line((THUMB[0] / 2 - 24, 123, THUMB[0] / 2 + 24, 75), RED, 5)
        _text(pen, (12, top), "could not be read", 19, RED, inner)
        _text(pen, (12, top + 28), str(row.error), 14, GREY, inner)
    else:
        card.paste(ImageOps.fit(opened(picture.path.read_bytes(), THUMB[0]), THUMB), (0, 0))
        best, second = row.top5[:2]
        score = f"{best.score:.0%}"
        room = inner - 10 - pen.textlength(score, font=_font(19))
        _text(pen, (12, top), best.label, 19, INK, room)
        pen.text((CARD[0] - 12, top), score, GREY, _font(19), anchor="ra")
        pen.rounded_rectangle((12, top + 30, 12 + inner, top + 36), 3, LINE)
        colour = next(colour for least, colour in SURE if best.score >= least)
        pen.rounded_rectangle((12, top + 30, 12 + max(6, inner * best.score), top + 36), 3, colour)
        _text(pen, (12, top + 45), f"or {second.label}, {second.score:.0%}", 15, GREY, inner)
    mask = Image.new("L", CARD)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, CARD[0] - 1, CARD[1] - 1), 10, 255)
    sheet.paste(card, corner, mask)


def _font(pixels: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(pixels)


def _text(pen: Draw, at: tuple[int, int], text: str, pixels: int, colour: str, room: float) -> None:
    """Text that ends in an ellipsis where it would not fit into `room` pixels."""
    font = _font(pixels)
    if pen.textlength(text, font=font) > room:
        while text and pen.textlength(text + "...", font=font) > room:
            text = text[:-1]
        text = text.rstrip() + "..."
    pen.text(at, text, colour, font)
