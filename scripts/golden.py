"""Makes the golden values of the rating's profiles: `python scripts/golden.py images|speech`. With those of
images those of the photographs, by which a run over them says how good it is.

What the models say at full precision on a CPU. A profile's version goes up where they change."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from baygrid.workloads import rating
from baygrid.workloads.rating.profile import Profile, profile

FOLDER: Final = Path(rating.__file__).parent


def main() -> None:
    made = {"images": images, "speech": speech}.get(" ".join(sys.argv[1:]))
    if made is None:
        raise SystemExit(__doc__)
    it = profile(sys.argv[1])
    if it.device() != "CPU":
        raise SystemExit(f"this machine computes on {it.device()}; golden values come from a CPU")
    name, values = made(it)
    told = {"profile": it.name, "model": it.model(), "input": it.input, **values}
    (FOLDER / name).parent.mkdir(exist_ok=True)
    (FOLDER / name).write_text(f"{json.dumps(told, sort_keys=True)}\n", encoding="utf-8")


def images(it: Profile) -> tuple[str, dict[str, Any]]:
    """The class of each picture; writes those of the photographs, too."""
    from baygrid.workloads.engines.local import LocalEngine
    from baygrid.workloads.images import quality
    from baygrid.workloads.images.application import Images
    from baygrid.workloads.rating.images import GOLDEN, PICTURES, classes
    from baygrid.workloads.running import run

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "input").mkdir()
        it.prepare(folder / "input")
        engine = LocalEngine(len(os.sched_getaffinity(0)))
        application = it.application(folder / "input", PICTURES)
        _, outcome = run(application, folder / "output", engine, lambda progress: None)
        found = classes(outcome.outputs["labels"])
        _, outcome = run(Images(), folder / "photographs", engine, lambda progress: None)
        engine.close()
        photographs = classes(outcome.outputs["labels"])
    text = json.dumps(photographs, indent=2)
    (Path(quality.__file__).parent / quality.GOLDEN).write_text(f"{text}\n", encoding="utf-8")
    return GOLDEN, {"classes": found}


def speech(it: Profile) -> tuple[str, dict[str, Any]]:
    """What is reached, and the texts."""
    from baygrid.workloads.rating.speech import GOLDEN, LEAST_PAIRS, reached
    from baygrid.workloads.speech import model
    from baygrid.workloads.speech.recognise import Recogniser
    from baygrid.workloads.speech.voice import Voice
    from baygrid.workloads.speech.whisper import Whisper
    from baygrid.workloads.speech.worker import Worker

    with tempfile.TemporaryDirectory() as made:
        application = it.application(Path(made), 0.0)
        whisper = Whisper(model.directory(None), "cpu", "float32")
        worker = Worker(Voice(), Recogniser(whisper, None, True))
        rows = [row for shard in application.shards() for row in worker(shard).rows.to_pylist()]
    texts = [{"text": row["text"], "translation": row["translation"]} for row in rows[:4]]
    return GOLDEN, {"reached": reached(rows, LEAST_PAIRS), "texts": texts}


if __name__ == "__main__":
    main()
