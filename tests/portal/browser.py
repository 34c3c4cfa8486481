"""A real browser before a real server, and what keeps people from using a page."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from scripts.demo.processes import Service

CHROMIUM = shutil.which("chromium")
ARGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-dev-shm-usage",
)  # fmt: skip
PATIENCE_MS = 60_000
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[str]:
    """`baygrid serve` with a centre of two nodes; its address."""
    argv = [sys.executable, "-m", "baygrid.cli", "serve", "--port", "0", "--data", str(folder / "data")]
    for name in ("n1", "n2"):
        argv += ["--node", f"{name}:cpus=16,memory=64"]
    environ = {**os.environ, "HOME": str(folder), "NO_COLOR": "1"}
    service = Service(
        "the server", [*argv, *options], environ, r"serves at (http://[0-9.:]+)", folder / "log.txt"
    )
    try:
        yield service.ready(timeout=120)[1]
    finally:
        service.stop()


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGS))
        try:
            yield browser
        finally:
            browser.close()


def faults(page: Page) -> list[str]:
    """What axe finds that is serious: by WCAG 2.2 AA and good practice."""
    found = Axe().run(page).response["violations"]
    return [
        f"{page.url} {it['id']} ({it['impact']}): {it['nodes'][0]['html'][:200]}"
        for it in found
        if it["impact"] in ("serious", "critical")
    ]


def width(page: Page) -> int:
    """By how many pixels a page is wider than its window."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wide
