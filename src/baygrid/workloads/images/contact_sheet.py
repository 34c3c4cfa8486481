"""The contact sheet: the first distinct pictures of a run as cards with what was found, for people to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

from baygrid.workloads.application import Totals
from baygrid.workloads.images.pictures import Upright

FILE: Final = "contact-sheet.png"

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
    "A model knows its own classes only; anything else gets the nearest, as a rule with a low score."
)

CHINESE: Final = (
    "NotoSansCJK-Regular.ttc", "SourceHanSansSC-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf", "PingFang.ttc", "msyh.ttc",
)  # fmt: skip
"""Files of fonts, looked for where the system has its own."""

Draw = ImageDraw.ImageDraw


@dataclass(frozen=True, slots=True)
class Card:
    """A picture with its row of the labels, or with the reason why there is none."""

    name: str
    picture: Upright | None
    row: Mapping[str, Any] | None
    reason: str = ""


def draw(cards: Sequence[Card], totals: Totals) -> Image.Image:
    """The sheet of these cards, in the order given."""
    columns = _columns(len(cards))
    width, height = size(len(cards))
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    rate = totals.units_per_hour
    title = f"{totals.units:,.0f} pictures" + (f", {rate:,.0f} an hour" if rate else "")
    beneath = ("1 worker" if totals.workers == 1 else f"{totals.workers} workers") + f", {totals.engine}"
    if totals.failed:
        beneath += f"; {len(totals.failed):,} could not be read"
    _text(pen, (GAP, 24), title, 30, INK, width - 2 * GAP)
    _text(pen, (GAP, 62), beneath, 17, GREY, width - 2 * GAP)
    for number, card in enumerate(cards):
        down, across = divmod(number, columns)
        _card(sheet, (GAP + across * (CARD[0] + GAP), HEAD + down * (CARD[1] + GAP)), card)
    _text(pen, (GAP, height - FOOT + 4), NOTE, 15, GREY, width - 2 * GAP)
    return sheet


def size(cards: int) -> tuple[int, int]:
    """Width and height, in pixels, of a sheet with this many cards."""
    columns = _columns(cards)
    return GAP + columns * (CARD[0] + GAP), HEAD + ceil(cards / columns) * (CARD[1] + GAP) + FOOT


def _columns(cards: int) -> int:
    return min(MOST_COLUMNS, max(LEAST_COLUMNS, cards))


def _card(sheet: Image.Image, corner: tuple[int, int], shown: Card) -> None:
    card = Image.new("RGB", CARD, WHITE)
    pen = ImageDraw.Draw(card)
    if shown.picture is None or shown.row is None:
        _failed(pen, shown)
    else:
        card.paste(_thumbnail(shown.picture, shown.row), (0, 0))
        _said(pen, shown.name, shown.row)
    mask = Image.new("L", CARD)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, CARD[0] - 1, CARD[1] - 1), 10, 255)
    sheet.paste(card, corner, mask)


def _failed(pen: Draw, shown: Card) -> None:
    top, inner = THUMB[1] + 12, CARD[0] - 24
    pen.rectangle((0, 0, THUMB[0], THUMB[1]), LINE)
    pen.line((THUMB[0] / 2 - 24, 75, THUMB[0] / 2 + 24, 123), RED, 5)
    pen.line((THUMB[0] / 2 - 24, 123, THUMB[0] / 2 + 24, 75), RED, 5)
    _text(pen, (12, top), "could not be read", 19, RED, inner)
    _text(pen, (12, top + 28), shown.reason, 14, GREY, inner)
    _text(pen, (12, top + 48), shown.name, 14, GREY, inner)


def _thumbnail(picture: Upright, row: Mapping[str, Any]) -> Image.Image:
    """The middle of it, filled; where there are places to be seen, all of it."""
    image = Image.fromarray(picture.pixels)
    if "objects" not in row and "lines" not in row:
        return ImageOps.fit(image, THUMB)
    whole = ImageOps.contain(image, THUMB)
    paper = Image.new("RGB", THUMB, LINE)
    left, top = (THUMB[0] - whole.width) // 2, (THUMB[1] - whole.height) // 2
    paper.paste(whole, (left, top))
    pen = ImageDraw.Draw(paper)
    scale = whole.width / picture.width
    for found in row.get("objects") or ():
        x0, y0, x1, y1 = (found[edge] * scale for edge in ("left", "top", "right", "bottom"))
        colour = _colour(found["score"])
        pen.rectangle((left + x0, top + y0, left + x1, top + y1), outline=colour, width=2)
        pen.text(
            (left + x0 + 3, top + y0 + 1), found["label"], WHITE, _font(12), stroke_width=2, stroke_fill=INK
        )
    for line in row.get("lines") or ():
        corners = [
            (left + x * scale, top + y * scale) for x, y in zip(*[iter(line["corners"])] * 2, strict=True)
        ]
        pen.polygon(corners, outline=_colour(line["score"]), width=2)
    return paper


def _said(pen: Draw, name: str, row: Mapping[str, Any]) -> None:
    """The best class with its score as a bar, or the name; then what was read or found, or the next class."""
    top, inner = THUMB[1] + 12, CARD[0] - 24
    said = [" / ".join(line["text"] for line in row["lines"])] if row.get("lines") else []
    objects = [found["label"] for found in row.get("objects") or ()]
    if objects:
        said.append(", ".join(f"{objects.count(label)} {label}" for label in dict.fromkeys(objects)))
    if not row.get("top5"):
        _text(pen, (12, top), name.rpartition("/")[2], 15, GREY, inner)
        for number, words in enumerate(said or ["nothing found"]):
            _text(pen, (12, top + 22 + 20 * number), words, 15, INK, inner)
        return
    best, *others = row["top5"]
    score = f"{best['score']:.0%}"
    room = inner - 10 - pen.textlength(score, font=_font(19))
    _text(pen, (12, top), best["label"], 19, INK, room)
    pen.text((CARD[0] - 12, top), score, GREY, _font(19), anchor="ra")
    pen.rounded_rectangle((12, top + 30, 12 + inner, top + 36), 3, LINE)
    bar = max(6, inner * best["score"])
    pen.rounded_rectangle((12, top + 30, 12 + bar, top + 36), 3, _colour(best["score"]))
    said += [f"or {each['label']}, {each['score']:.0%}" for each in others[:1]]
    _text(pen, (12, top + 45), said[0] if said else "", 15, GREY, inner)


def _colour(score: float) -> str:
    return next(colour for least, colour in SURE if score >= least)


@lru_cache(64)
def _font(pixels: int, chinese: bool = False) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own, which has no Chinese; for that the first that this machine has, if any."""
    for name in CHINESE if chinese else ():
        with suppress(OSError):
            return ImageFont.truetype(name, pixels)
    return ImageFont.load_default(pixels)


def _text(pen: Draw, at: tuple[int, int], text: str, pixels: int, colour: str, room: float) -> None:
    """Text that ends in an ellipsis where it would not fit into `room` pixels."""
    font = _font(pixels, any(letter >= "\u2e80" for letter in text))
    if pen.textlength(text, font=font) > room:
        while text and pen.textlength(text + "...", font=font) > room:
            text = text[:-1]
        text = text.rstrip() + "..."
    pen.text(at, text, colour, font)
