"""python -m scripts.site [FOLDER]: the documentation as a site, in var/docs unless told."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.site.book import Unfit
from scripts.site.building import build

ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str]) -> int:
    out = Path(arguments[0]) if arguments else ROOT / "var" / "docs"
    try:
        pages = build(ROOT, out)
    except Unfit as unfit:
        sys.stderr.write("".join(f"{finding}\n" for finding in unfit.findings))
        return 1
    sys.stdout.write(f"{pages} pages: {out / 'index.html'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
