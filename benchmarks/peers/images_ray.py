"""Ray Data as its pages on images and batch inference write it: read_images, map, map_batches with a class.

FOLDER OUTPUT MODEL WORKERS. An actor asks for half a core, so that there is room for reading beside."""

import logging
import sys
from typing import Any

import numpy as np
import ray
from PIL import Image, ImageOps

from benchmarks.peers.pictures import SIDE, best, session

BATCH = 32


def prepared(row: dict[str, Any]) -> dict[str, Any]:
    square = ImageOps.fit(Image.fromarray(row["image"]), (SIDE, SIDE), Image.Resampling.BILINEAR)
    return {"path": row["path"], "image": np.asarray(square)}


class Classifier:
    def __init__(self, model: str) -> None:
        self.network = session(model)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        found = [best(self.network, image) for image in batch["image"]]
        return {
            "path": batch["path"],
            "class_index": np.array([number for number, _ in found]),
            "score": np.array([score for _, score in found]),
        }


folder, output, model, workers = sys.argv[1:]
ray.init(num_cpus=int(workers), include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
ray.data.DataContext.get_current().enable_progress_bars = False
images = ray.data.read_images(folder, mode="RGB", include_paths=True)
labels = images.map(prepared).map_batches(
    Classifier,
    fn_constructor_args=(model,),
    batch_size=BATCH,
    compute=ray.data.ActorPoolStrategy(size=int(workers)),
    num_cpus=0.5,
)
labels.write_parquet(output)
ray.shutdown()
