"""Whole runs: the same rows on either engine, and memory that does not grow with a recording's length."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from baygrid.workloads.speech import cutting, model
from baygrid.workloads.speech.scoring import clips
from baygrid.workloads.speech.sources import sources
from baygrid.workloads.speech.worker import Load
from tests.workloads import sounds
from tests.workloads.test_speech_sound import wav

RUN = "from baygrid.workloads import command; from baygrid.workloads.speech import cli; import sys; "
RUN += "command.program(cli, sys.argv[1:])"

RAY = pytest.mark.xdist_group("ray-data")


def run(*arguments: str) -> dict[str, Any]:
    own = {"PYTHONPATH": os.pathsep.join(sys.path), "RAY_AUTH_MODE": "disabled"}
    ran = subprocess.run(
        [sys.executable, "-c", RUN, *arguments, "--json"],
        env={**os.environ, **own}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def directly(folder: Path) -> pa.Table:
    """The rows of one worker in this process, in the order of the shards."""
    worker = Load(str(model.directory(None)))()
    pieces = (piece for source in sources(str(folder)) for piece in cutting.pieces(source))
    return pa.concat_tables([worker(shard).rows for shard in cutting.shards(pieces)])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", ["local", pytest.param("ray", marks=RAY)])
def test_either_engine_gives_the_rows_of_a_worker_by_itself(engine: str, model_cache: Path, tmp_path: Path):
    spoken = tmp_path / "in"
    spoken.mkdir()
    for clip in clips():
        (spoken / clip.file.name).write_bytes(clip.file.read_bytes())
    # Longer than a window, so that it is cut at a border of its own: two sentences with silence between.
    long = [sounds.clip("en"), sounds.silence(590), sounds.clip("ja"), sounds.silence(400), sounds.clip("en")]
    sounds.write(np.concatenate(long), spoken / "long.flac")
    (spoken / "bad.wav").write_bytes(b"RIFF")
    found = run(
        "--input", str(spoken), "--output", str(tmp_path / "out"), "--engine", engine, "--workers", "2"
    )
    assert found["shards"] == 3
    assert [failed["input"] for failed in found["failed"]] == ["bad.wav"]
    assert found["quality"]["gated"] == 0
    assert set(found["quality"]["languages"]) == {"en", "ja"}
    rows = pq.read_table(found["outputs"]["segments"])
    assert rows.drop_columns(["segment"]).equals(directly(spoken).drop_columns(["segment"]))
    assert set(found["stages"]) >= {"decode", "voice", "encode", "transcribe", "translate"}


@pytest.mark.timeout(300)
def test_eight_hours_take_no_more_memory_than_ten_minutes(model_cache: Path, tmp_path: Path):
    """Silence in a file with holes, so that it costs neither disk nor much time; what is held is the same."""
    peaks = []
    for seconds in (600, 8 * 3600):
        file = wav(tmp_path / f"{seconds}.wav", 8000, 1, b"", said=seconds * 16_000)
        os.truncate(file, file.stat().st_size + seconds * 16_000)
        measured = subprocess.run(
            [sys.executable, "-c", LISTEN, str(file)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        peak, hours, segments = json.loads(measured.stdout)
        assert hours == pytest.approx(seconds / 3600, rel=1e-3)
        assert segments == 0
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 60 * 2**20


LISTEN = """
import json, resource, sys
from baygrid.workloads.speech import cutting, model
from baygrid.workloads.speech.sources import sources
from baygrid.workloads.speech.worker import Load
worker = Load(str(model.directory(None)))()
pieces = (piece for source in sources(sys.argv[1]) for piece in cutting.pieces(source))
done = [worker(shard) for shard in cutting.shards(pieces)]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([peak, sum(each.units for each in done), sum(len(each.rows) for each in done)]))
"""
"""Prints the peak of memory, the hours heard and the segments found."""
