"""multiprocessing.Pool over OpenCV and ONNX Runtime: FOLDER OUTPUT MODEL WORKERS."""

import multiprocessing
import sys
from pathlib import Path
from typing import Any

import cv2

from benchmarks.peers.pictures import SIDE, Label, best, keep, part, session

network: Any = None


def begin(model: str) -> None:
    global network  # noqa: PLW0603 - as the pages on multiprocessing keep what a worker loads once
    cv2.setNumThreads(1)
    network = session(model)


def label(path: Path) -> Label:
    image = cv2.imread(str(path))
    height, width = image.shape[:2]
    size = min(height, width)
    top, left = (height - size) // 2, (width - size) // 2
    square = cv2.resize(
        image[top : top + size, left : left + size], (SIDE, SIDE), interpolation=cv2.INTER_AREA
    )
    return path.name, *best(network, cv2.cvtColor(square, cv2.COLOR_BGR2RGB))


if __name__ == "__main__":
    folder, output, model, workers = sys.argv[1:]
    with multiprocessing.Pool(int(workers), begin, (model,)) as pool:
        labels = list(pool.imap_unordered(label, part(folder, 0, 1), chunksize=16))
    keep(labels, Path(output) / "labels.parquet")
