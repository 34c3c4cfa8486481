"""A centre's stager, of its operator's rules."""

from __future__ import annotations

import time
from pathlib import Path

from baygrid.core.reading import DocumentError
from baygrid.staging.cache import Cache
from baygrid.staging.rules import STANDARD, Rules, parse
from baygrid.staging.stager import Stager


def stager_of(state: Path, file: Path | None) -> Stager:
    """What it fetches is kept below `state`. `file`: its operator's rules; None: https from the internet.
    Raises ValueError for a file that states none."""
    rules = rules_of(file)
    cache = Cache(state / "cache", rules.cache_bytes, rules.cache_age_s, time.time, epoch=_boot())
    return Stager(rules, cache, time.monotonic, time.sleep)


def rules_of(file: Path | None) -> Rules:
    """None: https from the internet. Raises ValueError for a file that states none."""
    if file is None:
        return STANDARD
    import yaml  # only where there is a file

    try:
        rules = parse(yaml.safe_load(file.read_text(encoding="utf-8")))
        if rules.ca is not None and not Path(rules.ca).is_file():
            raise ValueError(f"ca: there is no file {rules.ca}")
    except (OSError, UnicodeDecodeError, yaml.YAMLError, DocumentError, ValueError) as error:
        raise ValueError(f"{file}: {error}") from None
    return rules


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not Linux: what was half fetched is trusted within one run of the agent only
        return str(time.time_ns())
