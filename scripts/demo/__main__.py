"""python -m scripts.demo [--lang en|zh-Hans|zh-Hant|ja] [--keep] [--count N] [--out FOLDER]"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

from scripts.demo import border, observing, placing, portal, scenes, support, tour, yardsticks
from scripts.demo.processes import NotReady
from scripts.demo.region import ROOT, STOPPING, Failed, Region, region
from scripts.demo.show import Screen, shown_path
from scripts.demo.texts import LANGUAGES, Texts, language


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    asked = _asked(arguments, environ)
    say, screen = Texts(asked.lang), Screen()
    for number in STOPPING:
        signal.signal(number, _interrupt)
    began = time.perf_counter()
    asked.out.mkdir(parents=True, exist_ok=True)
    screen.title(say("title"))
    screen.say(say("about"))
    try:
        with (
            tempfile.TemporaryDirectory(prefix="baygrid-demo-", ignore_cleanup_errors=True) as folder,
            region(screen, Path(folder)) as made,
        ):
            _play(made, say, asked.out, asked.count)
            screen.say(say("finished", seconds=f"{time.perf_counter() - began:.0f}"))
            if asked.keep:
                tour.still_running(made, say)
                _until_stopped()
    except (Failed, NotReady) as failure:
        screen.problem(say("failed", what=failure))
        return 1
    except KeyboardInterrupt:
        screen.problem(say("interrupted"))
        return 130
    if not asked.keep:
        tour.how_to_go_on(screen, say, shown_path(asked.out))
    return 0


def _play(made: Region, say: Texts, out: Path, count: int) -> None:
    scenes.platform(made, say, out / "letter")
    scenes.people(made, say)
    scenes.centres(made, say)
    measured = [
        yardsticks.images(made, say, out, count),
        yardsticks.speech(made, say, out),
        yardsticks.driving(made, say, out),
    ]
    scenes.train(made, say, out)
    scenes.residency(made, say, out)
    placing.choice(made, say, out)
    placing.giving_way(made, say, out)
    replayed = placing.replay(made, say)
    rates = {each.unit: each for each in measured}
    yardsticks.rating(made, say, rates)
    shared = border.border(made, say, out)
    supported = support.support(made, say, out)
    observed = observing.observing(made, say, out)
    money = scenes.money(made, say, out)
    tour.show(made.screen, say, rates, replayed, scenes.exchange(made), money, supported, shared, observed)
    portal.show(made, say)


def _until_stopped() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        return


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _asked(arguments: Sequence[str], environ: Mapping[str, str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/demo.sh", description="A small region, from start to bill."
    )
    parser.add_argument("--lang", type=_checked(language), default=environ.get("DEMO_LANG") or "en",
                        metavar="|".join(LANGUAGES), help="or DEMO_LANG; default en")  # fmt: skip
    parser.add_argument("--count", type=int, default=int(environ.get("DEMO_COUNT") or 3000), metavar="N",
                        help="images to classify, or DEMO_COUNT; default 3000")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path(environ.get("DEMO_OUT") or ROOT / "demo-output"),
                        metavar="FOLDER", help="where results go; default ./demo-output")  # fmt: skip
    parser.add_argument("--keep", action="store_true", default=environ.get("DEMO_KEEP", "") not in ("", "0"),
                        help="leave the region running until Ctrl-C, or DEMO_KEEP=1")  # fmt: skip
    return parser.parse_args(arguments)


def _checked(reader: Callable[[str], str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        try:
            return reader(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
