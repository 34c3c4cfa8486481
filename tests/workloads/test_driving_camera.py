"""Things in pictures of any size, in their own pixels; damaged pictures are named."""

import struct
import zlib

import cv2
import numpy as np
import pytest
import simplejpeg

from baygrid.workloads.detection.detector import Detection
from baygrid.workloads.driving.camera import Camera
from baygrid.workloads.driving.values import Picture


class Bright:
    """Finds the bright rectangle in a picture."""

    def detect(self, picture):
        rows, columns = np.nonzero(picture.min(axis=2) > 128)
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        left, top, right, bottom = map(float, box)
        return [Detection("car", 2, 0.8, (left, top, right, bottom))]


def photo(width, height):
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[height // 4 : height // 2, width // 4 : width // 2] = 255
    return rgb


def seen(data):
    return Camera(Bright())(Picture(1.0, "/front", data))


def png(rgb):
    return cv2.imencode(".png", rgb[..., ::-1])[1].tobytes()


@pytest.mark.parametrize("size", [(640, 480), (1242, 375), (1920, 1200), (4000, 3000)])
def test_boxes_are_in_the_pictures_own_pixels(size):
    width, height = size
    for data in (simplejpeg.encode_jpeg(photo(width, height)), png(photo(width, height))):
        (box,) = seen(data)
        assert (box.topic, box.label) == ("/front", "car")
        sides = (box.left / width, box.top / height, box.right / width, box.bottom / height)
        assert sides == pytest.approx((0.25, 0.25, 0.5, 0.5), abs=0.01)


def bomb(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


JPEG = simplejpeg.encode_jpeg(photo(640, 480))


def passes(count):
    """A progressive JPEG that goes over itself so many times more."""
    data = cv2.imencode(".jpg", photo(640, 480), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * count + b"\xff\xd9"


def test_a_progressive_jpeg_is_seen():
    assert len(seen(passes(0))) == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "neither"),
        (b"GIF89a" + b"\0" * 50, "neither"),
        (JPEG[:3], "JPEG|data|header"),
        (JPEG[:200], "JPEG|data|header"),
        (png(photo(64, 48))[:60], "damaged"),
        (bomb(60_000, 60_000), "pixels"),
        (JPEG.replace(struct.pack(">HH", 480, 640), struct.pack(">HH", 65_000, 65_000)), "pixels"),
        (passes(100), "more than 100 passes"),
    ],
    ids=["empty", "gif", "three bytes", "no data", "cut", "png bomb", "jpeg bomb", "passes"],
)
def test_what_is_no_picture_is_a_value_error_in_words(data, words):
    with pytest.raises(ValueError, match=words) as error:
        seen(data)
    assert str(error.value)
