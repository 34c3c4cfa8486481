"""Makes the golden values of the rating's profiles and of the photographs: `python scripts/golden.py images`.

What the models say at full precision on a CPU. A profile's version goes up where they change."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from baygrid.workloads.engines.local import LocalEngine
from baygrid.workloads.images import quality
from baygrid.workloads.images.application import Images
from baygrid.workloads.models.onnx import CPU, Network
from baygrid.workloads.rating import images
from baygrid.workloads.running import run

FOLDER: Final = Path(images.__file__).parent / "golden"
PHOTOGRAPHS: Final = Path(quality.__file__).parent / quality.GOLDEN


def main() -> None:
    if sys.argv[1:] != ["images"]:
        raise SystemExit(__doc__)
    profile = images.ImagesProfile()
    if (found := Network(images.model.prepared()).provider) != CPU:
        raise SystemExit(f"this machine computes on {found}; golden values come from a CPU")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "input").mkdir()
        profile.prepare(folder / "input")
        engine = LocalEngine(len(os.sched_getaffinity(0)))
        application = profile.application(folder / "input", images.PICTURES)
        _, outcome = run(application, folder / "output", engine, lambda progress: None)
        classes = images.classes(outcome.outputs["labels"])
        _, outcome = run(Images(), folder / "photographs", engine, lambda progress: None)
        engine.close()
        photographs = images.classes(outcome.outputs["labels"])
    told = {"profile": profile.name, "model": profile.model(), "input": profile.input, "classes": classes}
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(told, indent=None, sort_keys=True)
    (FOLDER / Path(images.GOLDEN).name).write_text(f"{text}\n", encoding="utf-8")
    PHOTOGRAPHS.write_text(f"{json.dumps(photographs, indent=2)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
