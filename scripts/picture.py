"""The pictures of the README, of a real run: `python -m scripts.picture` runs the demo on a pseudo-terminal,
renders what is left on its screen (docs/images/demo.svg) and shrinks its contact sheet."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path
from typing import Final

from PIL import Image
from rich.console import Console
from rich.text import Text

from scripts.demo.texts import load

ROOT: Final = Path(__file__).parents[1]
IMAGES: Final = ROOT / "docs" / "images"
COLUMNS: Final = 132
SHEET_WIDTH: Final = 860
SCENES: Final = ("scene_images", "scene_train", "scene_border", "scene_tour")
"""Of the demo, as texts.yaml calls them: two jobs, a table read across the border, the tour."""

_CODE: Final = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+|\x1b")
_HEADING: Final = re.compile(r"[0-9]+  (\S.*)")


def main() -> None:
    lines = scenes(screen(record([str(ROOT / "scripts" / "demo.sh"), *sys.argv[1:]])))
    IMAGES.mkdir(parents=True, exist_ok=True)
    (IMAGES / "demo.svg").write_text(svg(lines), encoding="utf-8")
    with Image.open(ROOT / "demo-output" / "images-out" / "contact-sheet.png") as sheet:
        size = (SHEET_WIDTH, round(sheet.height * SHEET_WIDTH / sheet.width))
        sheet.resize(size, Image.Resampling.LANCZOS).save(
            IMAGES / "contact-sheet.jpg", quality=78, optimize=True
        )


def record(command: list[str]) -> str:
    """Everything that a command writes to a terminal of our own. Raises CalledProcessError."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": "60"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=ROOT)
    os.close(theirs)
    written = bytearray()
    with suppress(OSError):  # Linux says so when the last writer has closed a terminal
        while piece := os.read(ours, 1 << 16):
            written += piece
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
    os.close(ours)
    if process.wait() != 0:
        raise subprocess.CalledProcessError(process.returncode, command)
    return written.decode("utf-8", "replace")


def screen(written: str) -> list[str]:
    """The lines that are left on the terminal, with their colours. Knows what rich uses to draw anew: a line
    is erased before it is written again, the cursor goes up by lines."""
    lines, row = [""], 0
    for match in _CODE.finditer(written):
        token, (amount, code) = match[0], match.groups()
        if token == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif code == "A":
            row = max(0, row - int(amount or 1))
        elif code == "K":
            lines[row] = ""
        elif code in (None, "m") and token not in ("\r", "\x1b"):
            lines[row] += token
    return lines


def scenes(lines: list[str]) -> list[str]:
    """The first lines and the chosen scenes, each whole; "..." where scenes were left out. Raises LookupError
    for one that the demo does not play."""
    texts = load()
    missing = {texts[scene]["en"].partition("{")[0] for scene in SCENES}
    kept, chosen = [], True
    for line in lines:
        heading = _HEADING.match(Text.from_ansi(line).plain)
        if heading:
            found = {title for title in missing if heading[1].startswith(title)}
            was, chosen = chosen, bool(found)
            missing -= found
            if was and not chosen:
                kept += ["...", ""]
        if chosen:
            kept.append(line)
    if missing:
        raise LookupError(f"the demo has no scene {', '.join(sorted(missing))}")
    return kept


def svg(lines: list[str]) -> str:
    """A terminal window. Fonts are the reader's own: nothing is loaded from elsewhere."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for line in lines:
        console.print(Text.from_ansi(line), no_wrap=True, overflow="ellipsis", crop=True)
    drawn = console.export_svg(title="make demo", unique_id="demo")
    return re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL).replace("Fira Code", "monospace")


if __name__ == "__main__":
    main()
