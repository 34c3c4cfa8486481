"""How long somebody new waits for a first job: `make first-job` does what the README says, in a fresh clone.

Steps are clone, set-up, server ready, signed in, submitted, finished; all must take less than BOUND_S. The
clone is of what is committed here. Packages come from uv's cache: run `make .venv` once if they never did.
All that it starts and makes ends with it, and no setting of this user is touched."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from scripts.browsing import Browser, NoForm
from scripts.demo.processes import NotReady, Service, adopt_orphans, end_orphans

ROOT: Final = Path(__file__).parents[1]
BOUND_S: Final = 300.0
LOOKS_EVERY_S: Final = 0.1
SERVES: Final = r"serves at (http://\S+)"


class Late(Exception):
    """A step failed, or all of them took too long."""


class Watch:
    """Tells how long each step took, and what is left for all."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter, bound_s: float = BOUND_S) -> None:
        self._clock = clock
        self._bound_s = bound_s
        self._began = self._last = clock()

    def left(self) -> float:
        """Seconds. Raises Late when there are none."""
        left = self._bound_s - (self._clock() - self._began)
        if left <= 0:
            raise Late(f"it took more than {self._bound_s:.0f} s")
        return left

    def done(self, step: str) -> None:
        now = self._clock()
        sys.stdout.write(f"{step:<13}{now - self._last:7.1f} s\n")
        sys.stdout.flush()
        self._last = now

    def all_done(self) -> None:
        self.left()
        sys.stdout.write(f"{'in all':<13}{self._last - self._began:7.1f} s\n")


def clone(watch: Watch, folder: Path) -> Path:
    """As from elsewhere: no file is shared with this repository."""
    checkout = folder / "baygrid"
    run(watch, ["git", "clone", "--quiet", ROOT.as_uri(), str(checkout)], folder, os.environ)
    watch.done("clone")
    return checkout


def set_up(watch: Watch, checkout: Path) -> None:
    apart = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    run(watch, ["make", "--silent", ".venv"], checkout, apart)
    watch.done("set-up")


def first_job(watch: Watch, checkout: Path, home: Path) -> None:
    """From an installed checkout on, by somebody whose home is `home`."""
    environment = {
        "PATH": f"{checkout / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
    }
    with serving(watch, checkout, home, environment) as server:
        watch.done("server ready")
        browser = Browser(server)
        sign_in(browser, (home / ".baygrid" / "admin.password").read_text().strip(), watch)
        watch.done("signed in")
        submit(browser, watch)
        watch.done("submitted")
        finish(browser, watch)
        watch.done("finished")


def sign_in(browser: Browser, password: str, watch: Watch) -> None:
    """With the account that the server's first start makes, as lead of the project `default`. Raises Late."""
    browser.open("/portal/sign-in", watch.left())
    page = browser.send("/sign-in", {"name": "admin", "password": password}, watch.left())
    hat = re.search(r'<option value="([^"]*project:default[^"]*)"', page)
    if hat is None:
        raise Late(f"{browser.address} is not a page of a lead of the project default")
    browser.send("/hat", {"hat": hat[1]}, watch.left())


def submit(browser: Browser, watch: Watch) -> None:
    """The job that the form begins with: its price first, then the job itself."""
    browser.open("/portal/submit", watch.left())
    browser.send("/submit", {"do": "check"}, watch.left())
    browser.send("/submit", {"do": "send"}, watch.left())


def finish(browser: Browser, watch: Watch) -> None:
    """Looks at the job's page again and again. Raises Late for a job that ends otherwise."""
    while (state := re.search(r'data-state="([A-Z]+)"', browser.text)) and state[1] in (
        "HELD",
        "QUEUED",
        "ACTIVE",
    ):
        time.sleep(LOOKS_EVERY_S)
        browser.open(browser.address, watch.left())
    if state is None or state[1] != "SUCCEEDED":
        raise Late(f"{browser.address} does not show a job that succeeded")


@contextmanager
def serving(watch: Watch, checkout: Path, home: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The server's address."""
    argv = [str(checkout / ".venv" / "bin" / "baygrid"), "serve", "--port", "0"]
    server = Service("baygrid serve", argv, environment, SERVES, home / "server.log", checkout)
    try:
        yield server.ready(watch.left())[1]
    finally:
        server.stop()


def run(watch: Watch, argv: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> str:
    """What a program says; it and all that it started end when time is up. Raises Late."""
    with subprocess.Popen(
        argv, cwd=cwd, env=environment, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as program:  # fmt: skip
        try:
            said, _ = program.communicate(timeout=watch.left())
        except BaseException as stopped:
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            if isinstance(stopped, subprocess.TimeoutExpired):
                raise Late(f"{' '.join(argv)} was stopped: there was no time left") from None
            raise
    if program.returncode:
        raise Late(f"{' '.join(argv)} ended with {program.returncode}: {said}")
    return said


def main() -> int:
    adopt_orphans()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    watch = Watch()
    try:
        with tempfile.TemporaryDirectory(prefix="baygrid-first-job-", ignore_cleanup_errors=True) as folder:
            (home := Path(folder) / "home").mkdir()
            try:
                checkout = clone(watch, Path(folder))
                set_up(watch, checkout)
                first_job(watch, checkout, home)
                watch.all_done()
            finally:
                end_orphans()
    except (Late, NoForm, NotReady) as failure:
        sys.stderr.write(f"no first job in time: {failure}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
