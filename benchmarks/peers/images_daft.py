"""Daft as its pages on images and on classes write it: from_glob_path, download, decode, resize, a class.

FOLDER OUTPUT MODEL WORKERS. `resize` takes the whole picture, not its middle, which a page would not cut."""

import sys
from typing import Any

import daft
from daft import DataType, Series, col
from daft.functions import decode_image, download, resize

from benchmarks.peers.pictures import SIDE, best, session

BATCH = 32
LABEL = DataType.struct({"class_index": DataType.int64(), "score": DataType.float64()})

folder, output, model, workers = sys.argv[1:]


@daft.cls(use_process=True, max_concurrency=int(workers))
class Classifier:
    def __init__(self, model: str) -> None:
        self.network = session(model)

    @daft.method.batch(return_dtype=LABEL, batch_size=BATCH)
    def label(self, images: Series) -> list[dict[str, float]]:
        found = [best(self.network, image) for image in images.to_pylist()]
        return [{"class_index": number, "score": score} for number, score in found]


if __name__ == "__main__":
    classifier = Classifier(model)
    image = resize(decode_image(download(col("path")), mode="RGB"), SIDE, SIDE)
    frame = daft.from_glob_path(f"{folder}/*").with_column("image", image)
    labelled: Any = classifier.label(col("image"))  # type: ignore[arg-type]  # Daft makes an expression of it
    frame = frame.with_column("label", labelled)
    frame.select("path", col("label")["class_index"], col("label")["score"]).write_parquet(output)
