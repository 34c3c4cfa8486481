"""From any picture file to the square the model looks at."""

import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from baygrid.workloads.images import pictures

FILES = {picture.path.name: picture.path for picture in pictures.photographs()}

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quarters(mode: str = "RGB") -> Image.Image:
    """Red and green above, blue and white below."""
    image = Image.new("RGB", (448, 448))
    for corner, colour in zip(
        ((0, 0), (224, 0), (0, 224), (224, 224)), (RED, GREEN, BLUE, WHITE), strict=True
    ):
        image.paste(colour, (*corner, corner[0] + 224, corner[1] + 224))
    return image.convert(mode)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def corners(data: bytes) -> list[tuple[int, ...]]:
    square = pictures.decode(data)
    assert square.shape == (224, 224, 3)
    assert square.dtype == np.uint8
    return [tuple(int(part) for part in square[y, x]) for y in (50, 174) for x in (50, 174)]


def near(colours: list[tuple[int, ...]], *wanted: tuple[int, ...]) -> bool:
    return np.allclose(colours, wanted, atol=12)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
def test_every_format_gives_the_same_square(kind: str):
    assert near(corners(saved(quarters(), kind)), RED, GREEN, BLUE, WHITE)


def test_a_jpeg_of_a_printer_is_read_too():
    assert near(corners(saved(quarters("CMYK"), "JPEG")), RED, GREEN, BLUE, WHITE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_is_turned_as_its_camera_was_held(kind: str):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees, clockwise
    assert near(corners(saved(quarters(), kind, exif=exif)), BLUE, RED, WHITE, GREEN)


def test_what_is_transparent_lies_on_white():
    image = quarters("RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    assert near(corners(saved(image, "PNG")), WHITE, WHITE, WHITE, WHITE)


def test_grey_pictures_have_three_equal_channels():
    square = pictures.decode(FILES["camera.png"].read_bytes())
    assert (square[..., 0] == square[..., 2]).all()


def test_a_wide_picture_keeps_its_middle():
    image = Image.new("RGB", (900, 300), RED)
    image.paste(GREEN, (300, 0, 600, 300))
    assert near(corners(saved(image, "PNG")), GREEN, GREEN, GREEN, GREEN)


def test_a_jpeg_is_reduced_while_it_is_decoded_and_looks_the_same():
    data = FILES["retina.jpg"].read_bytes()
    with Image.open(io.BytesIO(data)) as whole:
        assert pictures.opened(data, 224).width < whole.width / 3
        exact = np.asarray(whole.convert("RGB").resize((224, 224), Image.Resampling.BILINEAR), np.float32)
    assert np.abs(pictures.decode(data) - exact).mean() < 4  # of 255


def test_a_jpeg_that_promises_too_much_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch):
    data = bytearray(saved(quarters(), "JPEG"))
    size = data.index(b"\xff\xc0") + 5
    data[size : size + 4] = (60_000).to_bytes(2) * 2  # height and width
    monkeypatch.setattr(simplejpeg, "decode_jpeg", None)
    with pytest.raises(ValueError, match="60000 x 60000 pixels"):
        pictures.decode(bytes(data))


def test_pixels_without_a_range_are_refused():
    with pytest.raises(ValueError, match="no fixed range"):
        pictures.decode(saved(Image.new("I;16", (300, 300)), "PNG"))


@pytest.mark.parametrize("name", ["rocket.jpg", "chelsea.png"])
def test_a_picture_cut_short_is_an_error(name: str):
    data = FILES[name].read_bytes()
    with pytest.raises((OSError, ValueError)):
        pictures.decode(data[: len(data) // 2])
