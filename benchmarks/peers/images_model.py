"""The model's own arithmetic: ONNX Runtime on pictures that are ready. FOLDER OUTPUT MODEL NUMBER OF.

Prints the CPU seconds of that alone; pictures are decoded before, TOGETHER of them at a time."""

import sys
import time

import cv2

from benchmarks.peers.pictures import SIDE, part, session

TOGETHER = 64

folder, _, model, number, of = sys.argv[1:]
network = session(model)
name = network.get_inputs()[0].name
paths = part(folder, int(number), int(of))
spent = 0.0
for first in range(0, len(paths), TOGETHER):
    some = [cv2.imread(str(path)) for path in paths[first : first + TOGETHER]]
    ready = [cv2.resize(image, (SIDE, SIDE))[None] for image in some]
    begun = time.process_time()
    for picture in ready:
        network.run(None, {name: picture})
    spent += time.process_time() - begun
print(spent)
