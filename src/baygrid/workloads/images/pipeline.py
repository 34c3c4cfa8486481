"""A whole run: pictures in turn through a pool of workers, and what they found into files."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from itertools import cycle, islice
from typing import Final, TypeVar

from baygrid.workloads.images import contact_sheet, output, pictures
from baygrid.workloads.images.job import ImagesJob, Progress, Throughput
from baygrid.workloads.images.model import Classifier, prepared
from baygrid.workloads.images.rows import Row, classify

AHEAD: Final = 8
"""Batches per worker that may wait, or be done before their turn: enough to keep all busy, yet bounded."""

T = TypeVar("T")
R = TypeVar("R")


def run(job: ImagesJob, report: Callable[[Progress], None]) -> Throughput:
    """See baygrid.workloads.images.run."""
    source = pictures.in_folder(job.folder) if job.folder else pictures.photographs()
    count = job.count or len(source)
    classifier = Classifier(prepared())
    job.out.mkdir(parents=True, exist_ok=True)

    seen: dict[str, Row] = {}
    done = failed = 0
    decoding = inferring = 0.0
    began = time.perf_counter()
    with output.Labels(job.out / output.LABELS) as labels, ThreadPoolExecutor(job.workers) as pool:
        batches = in_batches(islice(cycle(source), count), classifier.batch)
        for answer in in_order(pool, partial(classify, classifier=classifier), batches, job.workers * AHEAD):
            labels.write(answer.rows)
            for row in answer.rows:
                failed += row.error is not None
                if len(seen) < contact_sheet.MOST:
                    seen.setdefault(row.path, row)
            done += len(answer.rows)
            decoding += answer.decode_seconds
            inferring += answer.infer_seconds
            report(Progress(done, count, (done - failed) / (time.perf_counter() - began) * 3600))
    seconds = time.perf_counter() - began

    throughput = Throughput(
        pictures=str(job.folder or "photographs of scikit-image"),
        distinct=min(count, len(source)),
        count=count,
        failed=failed,
        seconds=seconds,
        workers=job.workers,
        batch=classifier.batch,
        provider=classifier.provider,
        decode_share=decoding / (decoding + inferring),
    )
    shown = [(picture, seen[picture.name]) for picture in source if picture.name in seen]
    output.write_throughput(job.out / output.THROUGHPUT, throughput)
    contact_sheet.draw(shown, throughput).save(job.out / output.CONTACT_SHEET)
    return throughput


def in_batches(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """The items in tuples of `size`; the last one may be shorter."""
    remaining = iter(items)
    while batch := tuple(islice(remaining, size)):
        yield batch


def in_order(pool: Executor, work: Callable[[T], R], items: Iterable[T], ahead: int) -> Iterator[R]:
    """What `work` makes of each item, in their order; at most `ahead` of them are begun and not yet taken."""
    waiting: deque[Future[R]] = deque()
    for item in items:
        if len(waiting) == ahead:
            yield waiting.popleft().result()
        waiting.append(pool.submit(work, item))
    while waiting:
        yield waiting.popleft().result()
