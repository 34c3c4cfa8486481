"""python -m scripts.demo_region [--rounds N | --applications]"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from scripts.demo.processes import NotReady
from scripts.demo.region import STOPPING, Failed, Region, region
from scripts.demo.show import Screen
from scripts.demo_region import applications, centres, jobs
from scripts.demo_region.engines import engines, install
from scripts.demo_region.queue import Ended, Queue, check, money, table

EXPLAINED = ("in-qh", "h100", "a100")
"""One of each centre."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make demo-region", description="One queue over three schedulers.")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="3: fifty jobs; 1: twenty")
    parser.add_argument("--applications", action="store_true", help="the reference applications instead")
    asked = parser.parse_args(arguments)
    for number in STOPPING:
        signal.signal(number, _interrupt)
    screen = Screen()
    screen.title("Baygrid: one queue over a real Slurm, a real Ray and this machine")
    screen.say(
        "Organisations, prices and accelerators are samples; schedulers, jobs and every bill are real."
    )
    try:
        install(screen)
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="baygrid-demo-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            folder.chmod(0o711)  # jobs run as another user
            with engines(screen, folder) as started, region(screen, folder) as made:
                centres.platform(made)
                centres.join(made, started, as_me=asked.applications)
                if asked.applications:
                    _play_applications(made)
                else:
                    _play(made, asked.rounds)
            screen.say(f"All held, after {time.perf_counter() - began:.0f} s.")
    except (Failed, NotReady) as failure:
        screen.problem(f"The demo failed: {failure}")
        return 1
    except KeyboardInterrupt:
        screen.problem("Interrupted; everything it started has ended.")
        return 130
    return 0


def _play(made: Region, rounds: int) -> None:
    queue = Queue(made)
    made.screen.scene("Fifty jobs, one queue" if rounds == 3 else "Jobs, one queue")
    queue.submit([jobs.first()])
    queue.until_it_runs("steps")
    queue.submit([*jobs.mixed(rounds), jobs.last()])
    made.screen.say(f"{queue.size} jobs submitted")
    ended = queue.until_all_ended()
    table(made, ended)
    check(made, ended, queue.size)
    made.screen.scene("Why there, and why not elsewhere")
    for name in EXPLAINED:
        made.show(centres.PROJECT, "explain", queue.id_of(name))
    made.screen.scene("One bill")
    _tell(made, ended, money(made, ended))


def _play_applications(made: Region) -> None:
    models = made.folder / "models"
    made.screen.scene("Three applications at three centres")
    applications.prepare(made, models)
    queue = Queue(made)
    queue.submit(list(applications.jobs(made.folder, models)))
    check(made, queue.until_all_ended(), queue.size)
    applications.compare(made, queue, centres.PROJECT, made.folder)


def _tell(made: Region, ended: Sequence[Ended], charged: dict[str, int]) -> None:
    total = sum(charged.values())
    rows = []
    for one in centres.CENTRES:
        here = sum(each.job["centre"] == one.centre for each in ended)
        rows.append([one.centre, one.engine or "local", str(here), f"{charged[one.centre] / 100:.2f} CNY"])
    rows.append(["all three", "", str(len(ended)), f"{total / 100:.2f} CNY"])
    made.screen.table(["centre", "scheduler", "jobs", "charged"], rows, right=(2, 3))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
