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

from baygrid.workloads import heap
from baygrid.workloads.speech import cutting, model
from baygrid.workloads.speech.clip import clips
from baygrid.workloads.speech.sources import sources
from baygrid.workloads.speech.worker import Load
from benchmarks import material
from benchmarks.processes import cost
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


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_worker_holds_no_more_after_many_shards(model_cache: Path, tmp_path: Path):
    """The second recording is under so much noise that it is tried again, for which the model is loaded anew.
    Pages that the kernel has to clear are most of what an encoder costs beside its arithmetic: a half minute
    asks for 100,000 of them where what one layer frees is not kept for the next."""
    voice = sounds.clip("ja")
    noisy = voice * 0.3 + sounds.noise(20, 1)[: len(voice)] * 0.9
    for number, heard in enumerate((sounds.clip("en"), noisy.astype(np.float32), voice, sounds.clip("en"))):
        sounds.write(heard, tmp_path / f"{number}.flac")
    measured = subprocess.run(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        env={**os.environ, **heap.ENVIRONMENT, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    shards = [json.loads(line) for line in measured.stdout.splitlines()]
    held, cleared, again = zip(*shards, strict=True)
    assert again[1], "nothing was tried again: the noise is too soft"
    assert max(held) < 1.05 * held[0]
    assert max(cleared[2:]) < 60_000


HOLD = """
import json, resource, sys
from pathlib import Path
from baygrid.workloads.speech import cutting, model
from baygrid.workloads.speech.sources import sources
from baygrid.workloads.speech.worker import Load
worker = Load(str(model.directory(None)), to=None)()
for source in sources(sys.argv[1]):
    (shard,) = cutting.shards(cutting.pieces(source))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    done = worker(shard)
    cleared = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    held = int(Path("/proc/self/statm").read_text().split()[1])
    print(json.dumps([held, cleared, done.facts["again"]]))
"""
"""Prints for each recording, heard by one worker: the pages that are held after it, those that the kernel
cleared for it, and how much was tried again."""


@pytest.mark.campaign
@pytest.mark.timeout(900)
def test_an_hour_of_talk_takes_no_more_memory_than_ten_minutes(model_cache: Path, tmp_path: Path):
    """Somebody speaks in it, and some of it is tried again."""
    peaks = []
    for seconds in (600, 3600):
        folder = tmp_path / str(seconds)
        folder.mkdir()
        material.long_recording(folder / "long.wav", seconds)
        asked = ["--input", str(folder), "--output", str(tmp_path / f"out-{seconds}"), "--to", "none"]
        own = {"PYTHONPATH": os.pathsep.join(sys.path)}
        peaks.append(cost([[sys.executable, "-c", RUN, *asked, "--json"]], {**os.environ, **own}).peak)
    assert peaks[1] < 1.1 * peaks[0]
