"""What the programs for pictures share: the model, loaded for one thread, and the table of labels.

The model takes one picture at a time: on a CPU that is its fastest way, so the peers are given it too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pyarrow as pa
import pyarrow.parquet as pq

SIDE = 224

Label = tuple[str, int, float]
"""Name, class, probability."""


def session(model: str) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def best(network: ort.InferenceSession, pixels: Any) -> tuple[int, float]:
    """Class and probability of a picture (224, 224, 3)."""
    logits = network.run(None, {network.get_inputs()[0].name: pixels[None]})[0][0]
    odds = np.exp(logits - logits.max())
    odds /= odds.sum()
    number = int(odds.argmax())
    return number, float(odds[number])


def part(folder: str, number: int, of: int) -> list[Path]:
    """The pictures of one of several processes."""
    return sorted(Path(folder).iterdir())[number::of]


def keep(labels: Sequence[Label], path: Path) -> None:
    names = ("path", "class_index", "score")
    columns = {name: [label[n] for label in labels] for n, name in enumerate(names)}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
