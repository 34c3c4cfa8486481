"""From any picture file to upright pixels, and to the square a model looks at, in bounded memory."""

import contextlib
import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from baygrid.workloads.images import inputs
from baygrid.workloads.images.pictures import opened, square
from baygrid.workloads.pictures import NotReadable

FILES = {Path(entry.at).name: Path(entry.at) for entry in inputs.photographs()}

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
    looked_at = square(opened(data, 224).pixels, 224)
    assert looked_at.shape == (224, 224, 3)
    assert looked_at.dtype == np.uint8
    return [tuple(int(part) for part in looked_at[y, x]) for y in (50, 174) for x in (50, 174)]


def near(colours: list[tuple[int, ...]], *wanted: tuple[int, ...]) -> bool:
    return np.allclose(colours, wanted, atol=12)


@pytest.mark.parametrize("kind", ["AVIF", "BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP"])
def test_every_format_gives_the_same_square(kind: str):
    assert near(corners(saved(quarters(), kind)), RED, GREEN, BLUE, WHITE)


@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_a_picture_with_a_palette_is_read(kind: str):
    assert near(corners(saved(quarters("P"), kind)), RED, GREEN, BLUE, WHITE)


def test_a_jpeg_of_a_printer_is_read_too():
    assert near(corners(saved(quarters("CMYK"), "JPEG")), RED, GREEN, BLUE, WHITE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_camera_was_held(kind: str, orientation: int):
    image = Image.new("RGB", (480, 300), RED)
    image.paste(GREEN, (240, 0, 480, 150))
    image.paste(BLUE, (0, 150, 240, 300))
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = opened(saved(image, kind, exif=exif), None)
    ways = Image.Transpose
    turn = {
        2: ways.FLIP_LEFT_RIGHT, 3: ways.ROTATE_180, 4: ways.FLIP_TOP_BOTTOM, 5: ways.TRANSPOSE,
        6: ways.ROTATE_270, 7: ways.TRANSVERSE, 8: ways.ROTATE_90,
    }  # fmt: skip
    wanted = np.asarray(image if orientation == 1 else image.transpose(turn[orientation]))
    assert found.pixels.shape == wanted.shape == (found.height, found.width, 3)
    assert np.abs(found.pixels.astype(int) - wanted).mean() < 3


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "CMYK"])
def test_a_large_picture_is_reduced_and_told_by_its_full_size(mode: str):
    image = quarters().resize((1500, 2000)).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    found = opened(saved(image, "TIFF", exif=exif), 224)
    assert (found.width, found.height) == (2000, 1500)
    assert found.pixels.shape == (500, 667, 3)
    looked_at = square(found.pixels, 224)
    shown = [tuple(int(part) for part in looked_at[y, x]) for y in (50, 174) for x in (50, 174)]
    grey = [(letter,) * 3 for letter in (29, 76, 255, 150)]
    assert near(shown, *(grey if mode == "L" else (BLUE, RED, WHITE, GREEN)))


def test_of_an_animation_the_first_picture_is_taken():
    frames = [Image.new("RGB", (300, 300), BLUE)] * 3
    data = saved(Image.new("RGB", (300, 300), GREEN), "GIF", save_all=True, append_images=frames)
    assert near(corners(data), GREEN, GREEN, GREEN, GREEN)


def test_what_is_transparent_lies_on_white():
    image = quarters("RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    assert near(corners(saved(image, "PNG")), WHITE, WHITE, WHITE, WHITE)


def test_grey_pictures_have_three_equal_channels():
    pixels = opened(FILES["camera.png"].read_bytes(), 224).pixels
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_sixteen_bits_become_eight():
    deep = Image.fromarray(np.full((300, 300), 0x80FF, np.uint16))
    assert (opened(saved(deep, "PNG"), 224).pixels == 0x80).all()


def test_a_wide_picture_keeps_its_middle():
    image = Image.new("RGB", (900, 300), RED)
    image.paste(GREEN, (300, 0, 600, 300))
    assert near(corners(saved(image, "PNG")), GREEN, GREEN, GREEN, GREEN)


@pytest.mark.parametrize("size", [(100, 80), (224, 224), (300, 447), (448, 500), (700, 1000), (2000, 1500)])
def test_a_square_of_any_picture_is_what_a_slow_and_careful_resize_gives(size: tuple[int, int]):
    image = Image.open(FILES["rocket.jpg"]).resize(size)
    side = min(size)
    left, top = (size[0] - side) / 2, (size[1] - side) / 2
    box = (left, top, left + side, top + side)
    exact = np.asarray(image.resize((224, 224), Image.Resampling.BILINEAR, box=box), np.float32)
    assert np.abs(square(np.asarray(image), 224) - exact).mean() < 4  # of 255


def test_a_jpeg_is_reduced_while_it_is_decoded_and_looks_the_same():
    data = FILES["retina.jpg"].read_bytes()
    found = opened(data, 224)
    with Image.open(io.BytesIO(data)) as whole:
        assert (found.width, found.height) == whole.size
        assert found.pixels.shape[1] < whole.width / 3
        assert found.scale == whole.width / found.pixels.shape[1]
        exact = np.asarray(whole.convert("RGB").resize((224, 224), Image.Resampling.BILINEAR), np.float32)
    assert np.abs(square(found.pixels, 224) - exact).mean() < 4  # of 255


def promising(kind: bytes, **options: object) -> bytes:
    """A small JPEG whose header promises 60,000 x 60,000 pixels."""
    data = bytearray(saved(quarters(), "JPEG", **options))
    size = data.index(kind) + 5
    data[size : size + 4] = (60_000).to_bytes(2) * 2  # height and width
    return bytes(data)


def test_a_jpeg_that_promises_too_much_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(simplejpeg, "decode_jpeg", None)
    with pytest.raises(NotReadable, match="60000 x 60000 pixels are more than 200,000,000"):
        opened(promising(b"\xff\xc0"), 224)
    with pytest.raises(NotReadable, match="more than 64,000,000"):
        opened(promising(b"\xff\xc2", progressive=True), 224)


@pytest.mark.parametrize("marker", [b"\xff\xc6", b"\xff\xca", b"\xff\xce"])
def test_every_kind_of_progressive_jpeg_is_one(monkeypatch: pytest.MonkeyPatch, marker: bytes):
    """Of arithmetic coding, of differences: it would be in memory before its first line."""
    monkeypatch.setattr(simplejpeg, "decode_jpeg", None)
    monkeypatch.setattr(simplejpeg, "decode_jpeg_header", lambda _: (10_000, 10_000, "RGB", "420"))
    plain = saved(quarters(), "JPEG")
    assert b"\xff\xc0" in plain
    with pytest.raises(NotReadable, match="10000 x 10000 pixels are more than 64,000,000"):
        opened(plain.replace(b"\xff\xc0", marker), 224)


def test_a_jpeg_that_goes_over_itself_without_end_is_refused(monkeypatch: pytest.MonkeyPatch):
    data = saved(quarters(), "JPEG", progressive=True)
    assert near(corners(data), RED, GREEN, BLUE, WHITE)
    monkeypatch.setattr(simplejpeg, "decode_jpeg", None)
    last = data.rindex(b"\xff\xda")
    with pytest.raises(NotReadable, match="more than 100 passes"):
        opened(data[:-2] + data[last:-2] * 100 + b"\xff\xd9", 224)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb() -> bytes:
    """40,000 x 40,000 pixels of nothing in some hundred bytes."""
    head = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(99)))
        + chunk(b"IEND", b"")
    )


def gif_bomb() -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", 60_000, 60_000, 0, 0, 0) + saved(quarters("P"), "GIF")[13:]


def tiff_bomb() -> bytes:
    entries = [
        (256, 50_000),
        (257, 50_000),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, 50_000),
        (279, 9),
    ]
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + rows + bytes(4)


def webp_bomb() -> bytes:
    """16,000 x 16,000: 14 bits each, less one, after the signature of the lossless format."""
    data = bytearray(saved(Image.new("RGB", (64, 64)), "WEBP", lossless=True))
    where = data.index(b"VP8L") + 9
    rest = int.from_bytes(data[where : where + 4], "little") >> 28 << 28
    data[where : where + 4] = (15_999 | 15_999 << 14 | rest).to_bytes(4, "little")
    return bytes(data)


@pytest.mark.parametrize("bomb", [png_bomb, gif_bomb, tiff_bomb, webp_bomb])
def test_a_bomb_is_refused_before_it_bursts(bomb, monkeypatch: pytest.MonkeyPatch):
    data = bomb()
    assert len(data) < 100_000
    monkeypatch.setattr(Image.Image, "convert", None)
    with pytest.raises(NotReadable, match=r"pixels are more than|exceeds limit"):
        opened(data, 224)


def test_pixels_without_a_range_are_refused():
    with pytest.raises(NotReadable, match="no fixed range"):
        opened(saved(Image.new("F", (300, 300)), "TIFF"), 224)


@pytest.mark.parametrize("name", ["rocket.jpg", "chelsea.png"])
def test_a_picture_cut_short_is_an_error(name: str):
    data = FILES[name].read_bytes()
    with pytest.raises(NotReadable, match="damaged: "):
        opened(data[: len(data) // 2], 224)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "an empty file"),
        (b"Dear picture", "not a picture of a known format"),
        (b"%!PS-Adobe-3.0", "not a"),
    ],
)
def test_what_is_no_picture_says_so(data: bytes, why: str):
    with pytest.raises(NotReadable, match=why):
        opened(data, 224)


def test_noise_never_does_more_than_fail():
    chance = np.random.default_rng(1)
    for name in ("chelsea.png", "rocket.jpg"):
        whole = np.frombuffer(FILES[name].read_bytes(), np.uint8)
        for _ in range(40):
            data = whole.copy()
            data[chance.integers(0, len(data), 20)] = chance.integers(0, 256, 20)
            with contextlib.suppress(NotReadable):
                assert opened(data.tobytes(), 224).pixels.ndim == 3


@pytest.mark.slow
def test_the_largest_picture_that_is_read_takes_bounded_memory(tmp_path: Path):
    """In a process of its own: 64 million transparent pixels in 0.3 MB, a gigabyte in naive copies."""
    side, packer = 7_990, zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(1 + 4 * side)) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    (tmp_path / "large.png").write_bytes(png)
    code = """
import resource, sys
from pathlib import Path
from baygrid.workloads.images.pictures import opened
data = Path(sys.argv[1]).read_bytes()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = opened(data, 224)
print(found.width, found.pixels.shape, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "large.png")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    width, *shape, mebibytes = said.split()
    assert (width, " ".join(shape)) == ("7990", "(470, 470, 3)")
    assert int(mebibytes) < 700
