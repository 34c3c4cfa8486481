"""The images application: pictures in, labels in Parquet and a sheet for people out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from baygrid.workloads.application import ApplicationError, Done, Outcome, Results, Shard
from baygrid.workloads.detection.detector import Detector
from baygrid.workloads.images import bf16, contact_sheet, detect, inputs, labels
from baygrid.workloads.images.classify import CLASSES, Classify, ImageClassifier, embedding
from baygrid.workloads.images.model import Classifier, prepared
from baygrid.workloads.images.pictures import opened
from baygrid.workloads.images.quality import agreement, golden
from baygrid.workloads.images.reading import read
from baygrid.workloads.images.shard import Reader
from baygrid.workloads.images.worker import ImagesWorker, Task
from baygrid.workloads.pictures import NotReadable
from baygrid.workloads.whole import whole

TASKS: Final = ("classify", "detect", "read", "embed")

PRECISIONS: Final = ("fp32", "bf16")

MOST_IN_SHARD: Final = {"classify": 256, "detect": 128, "read": 32, "embed": 256}
"""Pictures, so that a shard is done in seconds."""

MOST_WITHOUT_NEW: Final = 100
"""Shards one after the other without a picture that is new to the sheet: pictures go in turn."""

FEATURES: Final = 1280  # of the default model

_BY_CLASSIFIER: Final = frozenset({"classify", "embed"})

PICTURE: Final = (
    pa.field("path", pa.string(), nullable=False),
    pa.field("width", pa.int32()),
    pa.field("height", pa.int32()),
)
"""The picture's name below the input (`a/b.jpg`, `c.tar/b.jpg`, `d.parquet#17`), and its size, upright."""


@dataclass(frozen=True)
class Loading:
    """What a worker needs to know to load its models."""

    tasks: tuple[str, ...]
    model: Path | None
    labels: Path | None
    detector: Path | None
    precision: str = "fp32"

    def __call__(self) -> ImagesWorker:
        import cv2

        cv2.setNumThreads(1)  # a worker is one thread of one process
        tasks: list[tuple[str, Task]] = []
        features = None
        if _BY_CLASSIFIER & set(self.tasks):
            classifier = self._classifier()
            features = classifier.features
            tasks.append(("classify", Classify(classifier, self.tasks)))
        if "detect" in self.tasks:
            tasks.append(("detect", detect.Detect(Detector(self.detector))))
        if "read" in self.tasks:
            tasks.append(("text", read.Read()))
        return ImagesWorker(tasks, schema(self.tasks, features))

    def _classifier(self) -> ImageClassifier:
        if self.precision == "bf16":
            return bf16.load()
        return Classifier(self.model or prepared(), self.labels)


@dataclass(frozen=True)
class Images:
    """`input`: a picture, a folder, a tar, a Parquet table, s3:// or http(s)://; None: the photographs that
    come with scikit-image. `count`: pictures in all, in turn. `model` and `labels`: an ONNX classifier and
    the names of its classes, one a line. `detector`: an ONNX file of NanoDet's form. `precision`: fp32, or,
    of the default classifier, bf16 where that is sure."""

    input: str | None = None
    tasks: tuple[str, ...] = ("classify",)
    count: int | None = None
    model: Path | None = None
    labels: Path | None = None
    detector: Path | None = None
    precision: str = "fp32"

    name = "images"
    unit = "images"

    def __post_init__(self) -> None:
        if unknown := [task for task in self.tasks if task not in TASKS]:
            raise ApplicationError(f"no task {unknown[0]!r}: there are {', '.join(TASKS)}")
        if not self.tasks or len(set(self.tasks)) < len(self.tasks):
            raise ApplicationError("name each task once")
        if self.count is not None and self.count < 1:
            raise ApplicationError(f"count is {self.count}; at least 1 picture is needed")
        if self.precision not in PRECISIONS:
            raise ApplicationError(f"no precision {self.precision!r}: there are {', '.join(PRECISIONS)}")
        if self.precision == "bf16" and (self.model or self.labels or not _BY_CLASSIFIER & set(self.tasks)):
            raise ApplicationError("bf16 is for the default classifier, and the tasks classify and embed")

    @property
    def schema(self) -> pa.Schema:
        return schema(self.tasks, self._features())

    def _features(self) -> int:
        """How many numbers an embedding has. Raises ApplicationError where the model gives none."""
        if self.model is None or "embed" not in self.tasks:
            return FEATURES
        own = Classifier(self.model, self.labels).features
        if own is None:
            raise ApplicationError(f"{self.model.name} has no second output: no features to embed by")
        return own

    def shards(self) -> Iterator[Shard]:
        return inputs.shards(self.input, self.count, min(MOST_IN_SHARD[task] for task in self.tasks))

    def loading(self) -> Loading:
        """Raises ApplicationError where the model cannot do what is asked for."""
        self._features()
        if self.precision == "bf16":
            bf16.agreement()  # once for all workers of this machine, and told before any of them starts
        return Loading(self.tasks, self.model, self.labels, self.detector, self.precision)

    def finish(self, results: Results, output: Path) -> Outcome:
        path, sheet = output / labels.FILE, output / contact_sheet.FILE
        classes: dict[str, int] = {}
        labels.write(_seen(results, classes if self._has_golden else None), self.schema, path)
        with whole(sheet) as part:
            # Level 1 takes a third of the usual one's time, for a sheet that is a fourteenth larger.
            contact_sheet.draw(list(cards(results)), results.totals).save(part, "PNG", compress_level=1)
        quality = {"top1_agreement": agreement(classes, golden(classes))} if classes else {}
        if self.precision == "bf16":
            quality["bf16_agreement"] = bf16.agreement()
        return Outcome({"labels": path, "sheet": sheet}, quality)

    @property
    def _has_golden(self) -> bool:
        """The photographs, seen by the default classifier."""
        return self.input is None and self.model is None and "classify" in self.tasks


def _seen(results: Results, classes: dict[str, int] | None) -> Iterator[pa.Table]:
    """The tables of all shards; on the way each picture's class is put into `classes`."""
    for _, done in results:
        if classes is not None:
            found = (done.rows[name].to_pylist() for name in ("path", "class_index"))
            classes.update(zip(*found, strict=True))
        yield done.rows


def cards(results: Results) -> Iterator[contact_sheet.Card]:
    """The first distinct pictures, read once more."""
    shown: set[str] = set()
    idle = 0
    for shard, done in results:
        reasons = {failed.input: failed.reason for failed in done.failed}
        new = {*done.rows["path"].to_pylist(), *reasons} - shown
        idle = 0 if new else idle + 1
        if idle == MOST_WITHOUT_NEW:
            return
        for card in _of_shard(shard, done, reasons, new):
            shown.add(card.name)
            yield card
            if len(shown) == contact_sheet.MOST:
                return


def _of_shard(
    shard: Shard, done: Done, reasons: Mapping[str, str], new: set[str]
) -> Iterator[contact_sheet.Card]:
    """Those of its pictures that are `new`."""
    if not new:
        return
    rows = {row["path"]: row for row in done.rows.to_pylist()}
    for found in Reader(shard.work):
        if found.name not in new:
            continue
        new.remove(found.name)
        if found.name in reasons or found.data is None:
            yield contact_sheet.Card(found.name, None, None, reasons.get(found.name, found.reason))
        else:
            yield _card(found.name, found.data, rows[found.name])
        if not new:
            return


def _card(name: str, data: bytes, row: Mapping[str, Any]) -> contact_sheet.Card:
    try:
        return contact_sheet.Card(name, opened(data, contact_sheet.THUMB[0]), row)
    except NotReadable as wrong:  # it could be read by its worker
        return contact_sheet.Card(name, None, None, f"changed since: {wrong}")


def schema(tasks: tuple[str, ...], features: int | None) -> pa.Schema:
    """PICTURE, then what the tasks say: CLASSES, `objects`, `text` and `lines`, `embedding`."""
    fields = list(PICTURE)
    if "classify" in tasks:
        fields += CLASSES
    if "detect" in tasks:
        fields += detect.COLUMNS
    if "read" in tasks:
        fields += read.COLUMNS
    if "embed" in tasks and features:
        fields.append(embedding(features))
    return pa.schema(fields)
