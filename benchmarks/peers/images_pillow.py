"""A loop with Pillow and ONNX Runtime: FOLDER OUTPUT MODEL NUMBER OF (one of several processes)."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from benchmarks.peers.pictures import SIDE, best, keep, part, session

folder, output, model, number, of = sys.argv[1:]
network = session(model)
labels = []
for path in part(folder, int(number), int(of)):
    with Image.open(path) as image:
        square = ImageOps.fit(image.convert("RGB"), (SIDE, SIDE), Image.Resampling.BILINEAR)
    labels.append((path.name, *best(network, np.asarray(square))))
keep(labels, Path(output) / f"{number}.parquet")
