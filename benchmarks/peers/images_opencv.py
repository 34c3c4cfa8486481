"""A loop with OpenCV and ONNX Runtime: FOLDER OUTPUT MODEL NUMBER OF (one of several processes)."""

import sys
from pathlib import Path

import cv2

from benchmarks.peers.pictures import SIDE, best, keep, part, session

folder, output, model, number, of = sys.argv[1:]
cv2.setNumThreads(1)
network = session(model)
labels = []
for path in part(folder, int(number), int(of)):
    image = cv2.imread(str(path))
    height, width = image.shape[:2]
    size = min(height, width)
    top, left = (height - size) // 2, (width - size) // 2
    square = cv2.resize(
        image[top : top + size, left : left + size], (SIDE, SIDE), interpolation=cv2.INTER_AREA
    )
    labels.append((path.name, *best(network, cv2.cvtColor(square, cv2.COLOR_BGR2RGB))))
keep(labels, Path(output) / f"{number}.parquet")
