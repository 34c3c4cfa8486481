"""What is listened to: files here, behind a web server, in a bucket."""

from pathlib import Path

import boto3
import pytest

from baygrid.workloads.application import ApplicationError
from baygrid.workloads.speech import cutting
from baygrid.workloads.speech.sound import RATE, Sound
from baygrid.workloads.speech.sources import sources
from baygrid.workloads.storage import buckets
from tests import services
from tests.services import S3_KEYS
from tests.workloads import sounds
from tests.workloads.web import Handler


def heard(asked: str) -> dict[str, float]:
    """Seconds by name, each read whole."""
    found = {}
    for source in sources(asked):
        with source.open() as file, Sound(file) as sound:
            found[source.name] = sum(len(part) for part in sound.read()) / RATE
    return found


def test_a_folder_gives_its_sound_and_nothing_else(tmp_path: Path):
    (tmp_path / "deep").mkdir()
    sounds.write(sounds.noise(1), tmp_path / "deep" / "b.flac")
    sounds.write(sounds.noise(2), tmp_path / "a.wav").rename(tmp_path / "A.WAV")
    (tmp_path / "notes.txt").write_text("no sound")
    assert heard(str(tmp_path)) == {"A.WAV": 2, "deep/b.flac": 1}


def test_a_file_that_is_named_may_end_in_anything(tmp_path: Path):
    file = sounds.write(sounds.noise(1), tmp_path / "a.wav").rename(tmp_path / "a.dat")
    assert heard(str(file)) == {"a.dat": 1}


def test_nothing_to_listen_to_is_said(tmp_path: Path):
    with pytest.raises(ApplicationError, match="is not there"):
        sources(str(tmp_path / "nowhere"))
    with pytest.raises(ApplicationError, match="no sound in"):
        sources(str(tmp_path))


def test_names_do_not_reach_a_terminal_as_they_are(tmp_path: Path):
    sounds.write(sounds.noise(1), tmp_path / "a.wav").rename(tmp_path / "a\x1b[2J\u202e.wav")
    assert list(heard(str(tmp_path))) == ["a\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}.wav"]


def test_a_file_that_is_no_plain_file_holds_nobody(tmp_path: Path):
    import os

    os.mkfifo(tmp_path / "pipe.wav")
    (source,) = sources(str(tmp_path))
    (piece,) = cutting.pieces(source)
    assert piece.seconds == 0
    with pytest.raises(OSError, match="plain"):
        source.open()


def test_of_a_file_far_away_only_what_is_needed_is_fetched(tmp_path: Path, site: str):
    file = sounds.write(sounds.noise(600), tmp_path / "long.wav")
    (source,) = sources(f"{site}/long.wav")
    with source.open() as opened, Sound(opened) as sound:
        assert sound.header.said == 600
        part = list(sound.read(500 * RATE, 502 * RATE))
    assert sum(len(each) for each in part) == 2 * RATE
    fetched = sum(
        int(last) - int(first) + 1 for first, last in (each[6:].split("-") for each in Handler.asked)
    )
    assert fetched < file.stat().st_size / 2
    with pytest.raises(ApplicationError, match="404"):
        sources(f"{site}/gone.wav")


def test_recordings_in_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with services.s3(tmp_path) as endpoint:
        for name, value in {
            "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": S3_KEYS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": S3_KEYS["aws_secret_access_key"],
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        buckets.bucket.cache_clear()
        client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **S3_KEYS)
        client.create_bucket(Bucket="talks")
        data = sounds.write(sounds.noise(3), tmp_path / "a.flac").read_bytes()
        client.put_object(Bucket="talks", Key="day/a.flac", Body=data)
        client.close()
        assert heard("s3://talks/day") == {"a.flac": 3}
    buckets.bucket.cache_clear()
