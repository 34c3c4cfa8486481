"""A job that has run, with results of every kind that can be looked at."""

from __future__ import annotations

import hashlib
import io
import math
import struct
import tarfile
import wave
import zlib

from starlette.testclient import TestClient

from baygrid.core.jobs.lifecycle import AttemptState
from tests.api.world import World, job


def png(colour: tuple[int, int, int] = (0, 98, 122)) -> bytes:
    """A small picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(colour) * 32 for _ in range(24))
    head = struct.pack(">IIBBBBB", 32, 24, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def wav() -> bytes:
    """A tenth of a second of sound."""
    made = io.BytesIO()
    with wave.open(made, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(n / 4))) for n in range(800)))
    return made.getvalue()


FILES: dict[str, bytes] = {
    "photos/one.png": png(),
    "photos/<b>two</b>.png": png((180, 83, 9)),
    "voice.wav": wav(),
    "voice.txt": "各位早上好，today we begin.".encode(),
    "rows.csv": b"city,count,note\nShenzhen,12,<script>alert(1)</script>\nHong Kong,9,\n",
    "drive.jsonl": b"\n".join(
        b'{"drive": "d1", "longitude": %.5f, "latitude": %.5f}'
        % (114.06 + n / 5000, 22.54 + math.sin(n / 6) / 900)
        for n in range(60)
    ),
    "page.html": b"<script>alert(document.cookie)</script>",
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
}


def tar(files: dict[str, bytes] = FILES) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path, data in files.items():
            member = tarfile.TarInfo(f"./{path}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("secret.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return made.getvalue()


def run(world: World, client: TestClient, result: bytes, **more: object) -> str:
    """A job of demo that has succeeded with this output; its id."""
    sent = client.post(
        "/v1/jobs", json=job(outputs={"made": "made"}, infra="far", **more), headers=world.headers("team")
    )
    assert sent.status_code == 201, sent.text
    world.place()
    (attempt,) = world.attempts(sent.json()["id"])
    sha256 = hashlib.sha256(result).hexdigest()
    put = client.put(f"/v1/blobs/{sha256}", content=result, headers=world.headers("far"))
    assert put.status_code in (200, 201), put.text
    now = world.clock()
    world.report("far", attempt, AttemptState.RUNNING, started_at=now)
    log = client.put(
        f"/v1/agent/logs/{attempt.id}?offset=0", content="step 1\n<b>步骤</b> 2\n".encode(),
        headers=world.headers("far") | {"Baygrid-Attempt-Token": attempt.token},
    )  # fmt: skip
    assert log.status_code == 200, log.text
    world.report(
        "far", attempt, AttemptState.SUCCEEDED, started_at=now, ended_at=now + 4000, exit_code=0,
        outputs={"made": sha256}, log_size=len("step 1\n<b>步骤</b> 2\n".encode()),
    )  # fmt: skip
    return attempt.job
