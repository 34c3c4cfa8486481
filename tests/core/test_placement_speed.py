"""Planning stays cheap as queues grow: bounds loose enough for slow machines, too tight for squares."""

import time
from dataclasses import replace

from baygrid.core.placement.image import Image, Placement
from baygrid.core.placement.plan import Plan, plan
from tests.core.region import GIB, bay, job


def best_of_three(image: Image, queue: list) -> tuple[float, Plan]:
    times, made = [], plan(image, queue)
    for _ in range(3):
        begin = time.perf_counter()
        made = plan(image, queue)
        times.append(time.perf_counter() - begin)
    return min(times), made


def small(count: int) -> list:
    return [replace(job(cpus=1, gib=1), job=f"job-{n}") for n in range(count)]


def test_small_jobs_are_placed_in_microseconds():
    seconds, made = best_of_three(bay(plain=64), small(2_000))
    assert len(made.assignments) == 2_000
    assert seconds / 2_000 < 50e-6


def test_a_long_queue_before_a_full_region_costs_next_to_nothing():
    image = bay(plain=64, a100=0)
    for n in range(64):
        image.occupy(Placement(f"att-{n}", "qianhai", "cpu", (f"n{n}",), 32, 256 * GIB))
    seconds, made = best_of_three(image, small(500))
    assert len(made.waiting) == 500
    assert seconds < 5e-3
