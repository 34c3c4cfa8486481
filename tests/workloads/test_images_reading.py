"""Text in pictures: real print and a sign in Chinese and English, however it lies."""

from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from baygrid.workloads.images.pictures import Upright, opened
from baygrid.workloads.images.reading import lines, places
from baygrid.workloads.images.reading.places import Place
from baygrid.workloads.images.reading.read import Read

SIGN = Path(__file__).with_name("sign.png")
SAID = ["前海深港现代服务业合作区", "香港科學園 每小時16億張圖片", "No parking: HK$ 1,234.50"]


@pytest.fixture(scope="module")
def read() -> Read:
    return Read()


def sign() -> Image.Image:
    with Image.open(SIGN) as file:
        return file.convert("RGB")


def texts(read: Read, image: Image.Image) -> list[str]:
    """Without the spaces, of which the recogniser is never quite sure."""
    (row,) = read([Upright(np.asarray(image), *image.size)])
    assert row["text"] == "\n".join(line["text"] for line in row["lines"])
    assert all(line["score"] > 0.8 for line in row["lines"])
    return [line["text"].replace(" ", "") for line in row["lines"]]


WITHOUT_SPACES = [line.replace(" ", "") for line in SAID]


def test_chinese_of_both_scripts_and_english_are_read(read: Read):
    assert texts(read, sign()) == WITHOUT_SPACES


@pytest.mark.parametrize("degrees", [90, 180, 7, -5])
def test_a_picture_that_lies_otherwise_is_read_all_the_same(degrees: int, read: Read):
    turned = sign().rotate(degrees, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC)
    assert sorted(texts(read, turned)) == sorted(WITHOUT_SPACES)


def test_a_page_of_print_is_read_from_top_to_bottom(read: Read):
    data = Path(str(resources.files("skimage"))) / "data/page.png"
    (row,) = read([opened(data.read_bytes(), None)])
    said = row["text"].splitlines()
    assert said[:3] == [
        "Region-based segmentation",
        "Let us first determine markers of the coins and the",
        "background. These markers are pixels that we can label",
    ]


def test_places_are_in_the_files_own_pixels(read: Read):
    """A decoder may have halved the picture."""
    whole = sign().resize((1040, 340))
    halved = Upright(np.asarray(sign()), 1040, 340)
    (row,), (full,) = read([halved]), read([Upright(np.asarray(whole), 1040, 340)])
    assert len(row["lines"]) == len(full["lines"]) == 3
    for one, other in zip(row["lines"], full["lines"], strict=True):
        assert one["corners"] == pytest.approx(other["corners"], abs=12)
    left, top = row["lines"][0]["corners"][:2]
    assert (left, top) == pytest.approx((40, 30), abs=14)


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3), (40, 40)])
def test_nothing_is_read_where_nothing_is(size: tuple[int, int], read: Read):
    assert read([Upright(np.full((*size, 3), 200, np.uint8), size[1], size[0])]) == [
        {"text": "", "lines": []}
    ]


def test_outlines_are_wider_than_the_map_shows_them():
    likely = np.zeros((100, 200), np.float32)
    likely[40:50, 20:180] = 0.9
    likely[80:82, 20:180] = 0.9  # too thin
    likely[10:30, 20:60] = 0.4  # too unsure
    (corners,) = places.outlines(likely)
    more = 159 * 9 * 1.5 / (159 + 9) / 2
    expected = [
        [20 - more, 40 - more],
        [179 + more, 40 - more],
        [179 + more, 49 + more],
        [20 - more, 49 + more],
    ]
    assert corners == pytest.approx(np.array(expected), abs=0.5)


def place(left: float, top: float) -> Place:
    return Place(np.array([[left, top], [left + 9, top], [left + 9, top + 10], [left, top + 10]], np.float32))


def test_lines_are_in_the_order_of_reading():
    found = places.in_order([place(50, 100), place(0, 3), place(60, 0), place(0, 103), place(0, 50)])
    assert [tuple(each.corners[0]) for each in found] == [(0, 3), (60, 0), (0, 50), (0, 103), (50, 100)]


def test_letters_are_those_between_blanks():
    letters = ["", "a", "b", " "]
    steps = [0, 1, 1, 0, 1, 2, 2, 3, 3, 0]
    probabilities = np.full((len(steps), 4), 0.1, np.float32)
    probabilities[np.arange(len(steps)), steps] = 0.7
    said = lines.decoded(probabilities, letters)
    assert said.text == "aab "
    assert said.score == pytest.approx(0.7)
    assert lines.decoded(probabilities[:1], letters) == lines.Said("", 0.0)


def test_a_line_is_cut_out_straight():
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[20:30, 10:60] = (255, 0, 0)
    cut = lines.cut(pixels, np.array([[10, 20], [60, 20], [60, 30], [10, 30]], np.float32))
    assert cut.shape == (10, 50, 3)
    assert cut[2:-2, 2:-2].reshape(-1, 3).mean(0) == pytest.approx([255, 0, 0], abs=1)
    standing = lines.cut(
        pixels.swapaxes(0, 1), np.array([[20, 10], [30, 10], [30, 60], [20, 60]], np.float32)
    )
    assert standing.shape == (10, 50, 3)
