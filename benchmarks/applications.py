"""The reference applications beside what others would do for the same rows, on this machine's CPU.

Figures are units per CPU-second of all processes of a side, its workers and engine too, so that neighbours on
the machine change little; ratios are medians over rounds in which all sides take turns. Every side begins as
a command does, twice a round, with few units and with many: `per_cpu_s` is that of many, beginning and all,
`further_per_cpu_s` that of each further unit, and `peak_mib` the memory of its largest process for both."""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.dataset as ds

from baygrid.workloads.detection import nanodet
from baygrid.workloads.driving.synthetic.drive import drive
from baygrid.workloads.driving.synthetic.writing import write
from baygrid.workloads.images import bf16
from baygrid.workloads.images.model import prepared
from baygrid.workloads.models import ModelMissing, ModelRefused
from baygrid.workloads.speech.model import directory
from baygrid.workloads.speech.scoring import cer
from benchmarks import material
from benchmarks.processes import cost

CORES: Final = len(os.sched_getaffinity(0))
ALONE: Final = "model_alone"
PARTS: Final = ("images", "speech", "driving", "memory")

ENVIRONMENT: Final = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0",
    "DAFT_PROGRESS_BAR": "0", "DAFT_ANALYTICS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}  # fmt: skip
"""Of all sides: processes are what works side by side, each with one thread."""


@dataclass(frozen=True, slots=True)
class Size:
    """Few of each input, and many (recordings: of each language); long ones for what they hold in memory."""

    pictures: tuple[int, int] = (50, 850)
    recordings: tuple[int, int] = (1, 3)
    drive_s: tuple[int, int] = (5, 25)
    long_speech_s: tuple[int, int] = (600, 3600)
    long_drive_s: tuple[int, int] = (125, 500)
    rounds: int = 3


@dataclass(frozen=True, slots=True)
class Ran:
    """A side on an input of so many units: seconds, and MiB of its largest process."""

    units: float
    cpu: float
    wall: float
    peak: float
    output: Path


Commands = Callable[[Path, Path], Sequence[Sequence[str]]]
"""From input and output to the commands of a side, which run at once."""

Input = tuple[float, Path]
"""Units, and where they are."""

Round = Mapping[str, tuple[Ran, Ran]]
"""Each side with few, and with many."""


def measure(parts: Sequence[str] = PARTS, size: Size = Size()) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each application, and `memory` by the length of the input."""
    measures = {"images": _images, "speech": _speech, "driving": _driving, "memory": _memory}
    with tempfile.TemporaryDirectory(prefix="baygrid-bench-") as folder:
        for name in parts:
            place = Path(folder) / name
            place.mkdir()
            yield name, measures[name](place, size)


def _images(place: Path, size: Size) -> dict[str, Any]:
    """Loops run as one process for each core, each over its part. `of_model`: our further pictures a
    CPU-second over those of the model's arithmetic alone; `agree`: the share of pictures with our label, and
    `peers_agree`: of the two loops with one another, which scale pictures in ways of their own."""
    few, many = size.pictures
    material.pictures(place / "many", many)
    material.some(place / "many", few, place / "few")
    model = str(prepared())

    def loop(name: str) -> Commands:
        return lambda source, output: [
            _peer(name, source, output, model, str(number), str(CORES)) for number in range(CORES)
        ]

    def engine(name: str) -> Commands:
        return lambda source, output: [_peer(name, source, output, model, str(CORES))]

    peers: dict[str, Commands] = {
        "pillow": loop("images_pillow"),
        "opencv": loop("images_opencv"),
        "pool": engine("images_pool"),
        "ray_data": engine("images_ray"),
        "daft": engine("images_daft"),
    }
    ours: dict[str, Commands] = {
        "baygrid": _ours("images"),
        "baygrid_ray": _ours("images", "--engine", "ray"),
    }
    if _has_bf16():
        ours["baygrid_bf16"] = _ours("images", "--precision", "bf16")
    inputs = (float(few), place / "few"), (float(many), place / "many")
    rounds = _rounds({**ours, **peers, ALONE: loop("images_model")}, inputs, size.rounds)
    figures = _figures(rounds)
    labels = _labels(rounds[0]["baygrid"][1].output)
    for name in (*peers, *(ours.keys() - {"baygrid"})):
        figures[name]["agree"] = _agree(labels, _labels(rounds[0][name][1].output))
    both = [_labels(rounds[0][name][1].output) for name in ("pillow", "opencv")]
    figures["peers_agree"] = _agree(*both)
    return figures | _over_peers(rounds, peers) | {"of_model": _over(rounds, ALONE)}


def _has_bf16() -> bool:
    """Whether this machine has it, with the classes of fp32: tried out here, before anything counts."""
    try:
        bf16.agreement()
    except (ModelMissing, ModelRefused):
        return False
    return True


def _speech(place: Path, size: Size) -> dict[str, Any]:
    """Hours of short recordings; one worker, one process. `english`: as many in English alone, which nobody
    translates."""
    few, many = size.recordings
    (place / "english").mkdir()
    english = _heard(place / "english", [{"en": 2 * few}, {"en": 2 * many}], size.rounds)
    return _heard(place, [{"en": each, "ja": each} for each in (few, many)], size.rounds) | {
        "english": english
    }


def _heard(place: Path, counts: Sequence[Mapping[str, int]], count: int) -> dict[str, Any]:
    """Of so many recordings in each language, few and many. `cer`: against what is said, in its language."""
    inputs = []
    said: dict[str, str] = {}
    for name, each in zip(("few", "many"), counts, strict=True):
        said = material.recordings(place / name, each)
        inputs.append((material.recorded_seconds(place / name) / 3600, place / name))
    model = str(directory(None))

    def whisper(how: str) -> Commands:
        return lambda source, output: [_peer("speech_faster_whisper", source, output, model, how)]

    peers = {"faster_whisper": whisper("plain"), "faster_whisper_batched": whisper("batched")}
    rounds = _rounds({"baygrid": _ours("speech", "--workers", "1"), **peers}, inputs, count)
    figures = _figures(rounds)
    for name in ("baygrid", *peers):
        texts = _texts(rounds[0][name][1].output)
        figures[name]["cer"] = round(cer([texts[file] for file in said], list(said.values())), 4)
    return figures | _over_peers(rounds, peers)


def _driving(place: Path, size: Size) -> dict[str, Any]:
    """Km; one worker, one process. `without_cameras`: the same with pictures left out by both, for with them
    the detector is most of the work; they are left out of all where there is no detector here."""
    inputs = []
    for name, seconds in zip(("few", "many"), size.drive_s, strict=True):
        (place / name).mkdir()
        inputs.append((_drive(place / name / "drive.mcap", seconds), place / name))

    def loop(detector: str) -> Commands:
        return lambda source, output: [_peer("driving_loop", source / "drive.mcap", output, detector)]

    blind = _ours("driving", "--workers", "1", "--no-cameras")
    rounds = _rounds({"baygrid": blind, "loop": loop("-")}, inputs, size.rounds, "blind")
    figures = {"without_cameras": _figures(rounds) | _over_peers(rounds, ["loop"])}
    with suppress(ModelMissing):
        sides = {"baygrid": _ours("driving", "--workers", "1"), "loop": loop(str(nanodet.prepared()))}
        rounds = _rounds(sides, inputs, size.rounds)
        figures |= _figures(rounds) | _over_peers(rounds, ["loop"])
    return figures


def _memory(place: Path, size: Size) -> dict[str, Any]:
    """MiB of our largest process with an input, and with one several times as long. Pictures: see `_images`.
    In the long recordings somebody speaks for ten seconds of every two minutes; the drives have no
    pictures."""
    inputs: dict[str, list[Path]] = {"speech": [], "driving": []}
    for seconds in size.long_speech_s:
        inputs["speech"].append(place / f"speech-{seconds}")
        inputs["speech"][-1].mkdir()
        material.long_recording(inputs["speech"][-1] / "long.wav", seconds)
    for seconds in size.long_drive_s:
        inputs["driving"].append(place / f"driving-{seconds}")
        inputs["driving"][-1].mkdir()
        _drive(inputs["driving"][-1] / "drive.mcap", seconds, camera=False)
    figures: dict[str, Any] = {}
    for name, sources in inputs.items():
        ours = _ours(name, *(("--to", "none") if name == "speech" else ("--no-cameras",)))
        both = [_run(ours, 1.0, source, place / f"{source.name}-out") for source in sources]
        figures[name] = {
            "input_s": list(size.long_speech_s if name == "speech" else size.long_drive_s),
            "peak_mib": [round(ran.peak) for ran in both],
            "cpu_s": [round(ran.cpu, 1) for ran in both],
        }
    return figures


def _drive(path: Path, seconds: float, camera: bool = True) -> float:
    """Writes a drive as a vehicle's recorder would, without the truth; its km."""
    made = drive(1, seconds)
    write(made, path, camera)
    for truth in path.parent.glob("*.truth*"):
        truth.unlink()
    way = made.trajectory
    return float(np.hypot(np.diff(way.x), np.diff(way.y)).sum()) / 1000


def _ours(name: str, *options: str) -> Commands:
    def commands(source: Path, output: Path) -> list[list[str]]:
        asked = ["--input", str(source), "--output", str(output), "--json", *options]
        return [[sys.executable, "-m", "baygrid.cli", "app", name, *asked]]

    return commands


def _peer(name: str, source: Path, output: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.peers.{name}", str(source), str(output), *more]


def _rounds(
    sides: Mapping[str, Commands], inputs: Sequence[Input], count: int, mark: str = ""
) -> list[Round]:
    """All sides in turn, every other round backwards. Outputs lie beside the inputs, by `mark`."""
    rounds: list[Round] = []
    for number in range(count):
        order = list(sides.items())[:: -1 if number % 2 else 1]
        found: dict[str, tuple[Ran, Ran]] = {}
        for name, commands in order:
            few, many = (
                _run(
                    commands,
                    units,
                    source,
                    source.parent / f"{name}-{source.name}-{mark}{number}",
                    name == ALONE,
                )
                for units, source in inputs
            )
            found[name] = few, many
        rounds.append(found)
    return rounds


def _run(commands: Commands, units: float, source: Path, output: Path, alone: bool = False) -> Ran:
    """`alone`: the commands say themselves how many CPU seconds count."""
    found = cost(commands(source, output), os.environ | ENVIRONMENT)
    cpu = sum(map(float, found.said)) if alone else found.cpu
    return Ran(units, cpu, found.wall, found.peak, output)


def _figures(rounds: Sequence[Round]) -> dict[str, Any]:
    """By side."""
    figures = {}
    for name in rounds[0]:
        several = [each[name] for each in rounds]
        figures[name] = {
            "per_cpu_s": _median(many.units / many.cpu for _, many in several),
            "further_per_cpu_s": _median(_further(each[name]) for each in rounds),
            "wall_per_s": _median(many.units / many.wall for _, many in several),
            "few_cpu_s": _median(few.cpu for few, _ in several),
            "peak_mib": [round(max(pair[n].peak for pair in several)) for n in (0, 1)],
        }
    return figures


def _further(ran: tuple[Ran, Ran]) -> float:
    few, many = ran
    return (many.units - few.units) / (many.cpu - few.cpu)


def _over_peers(rounds: Sequence[Round], peers: Iterable[str]) -> dict[str, Any]:
    """Ours over each peer's, for each further unit, and whole commands."""
    return {
        "over_peers": {name: _over(rounds, name) for name in peers},
        "over_peers_whole": {
            name: _median(each[name][1].cpu / each["baygrid"][1].cpu for each in rounds) for name in peers
        },
    }


def _over(rounds: Sequence[Round], other: str) -> float:
    """Of the same round each time."""
    return _median(_further(each["baygrid"]) / _further(each[other]) for each in rounds)


def _median(values: Iterable[float]) -> float:
    return float(f"{statistics.median(values):.4g}")


def _labels(output: Path) -> dict[str, int]:
    """Class by the picture's name, of our table or of a peer's"""
    files = [str(path) for path in output.rglob("*.parquet")]
    rows = ds.dataset(files).to_table(columns=["path", "class_index"]).to_pylist()
    return {Path(row["path"]).name: row["class_index"] for row in rows}


def _agree(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    return round(statistics.mean(other.get(path) == label for path, label in one.items()), 4)


def _texts(output: Path) -> dict[str, str]:
    """What was heard in each file, in the language spoken."""
    if (told := output / "texts.json").exists():
        heard: dict[str, list[list[Any]]] = json.loads(told.read_text(encoding="utf-8"))
        return {file: " ".join(text for *_, text in pieces) for file, pieces in heard.items()}
    files = [str(path) for path in output.glob("*.parquet")]
    texts: dict[str, str] = {}
    for row in ds.dataset(files).to_table(columns=["file", "text"]).to_pylist():
        texts[row["file"]] = f"{texts.get(row['file'], '')} {row['text']}"
    return texts
