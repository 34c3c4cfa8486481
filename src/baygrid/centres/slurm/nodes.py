"""Slurm's own notations: lists of nodes, resources, times. Pure; each raises ValueError."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from baygrid.centres.slurm.commands import UNTYPED
from baygrid.ports.basics import Instant

_NONE = {"", "(null)", "None", "None assigned", "N/A", "n/a", "NONE", "Unknown"}
_FOR_EVER = {"UNLIMITED", "infinite", "INFINITE", "Partition_Limit", "NOT_SET", "INVALID"}
_MOST_NODES = 1_000_000
_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50}


def hosts(text: str) -> tuple[str, ...]:
    """Of "c[1-3,07],gpu01": c1, c2, c3, c07, gpu01. Several brackets are all their combinations."""
    if text in _NONE:
        return ()
    found: list[str] = []
    for part in _parts(text):
        found += _expanded(part)
        if len(found) > _MOST_NODES:
            raise ValueError(f"{text[:80]!r} names too many nodes")
    return tuple(found)


def _parts(text: str) -> Iterator[str]:
    """Split at commas outside brackets."""
    depth = start = 0
    for at, letter in enumerate(text):
        depth += (letter == "[") - (letter == "]")
        if depth not in (0, 1):
            raise ValueError(f"{text[:80]!r} is not a list of nodes")
        if letter == "," and depth == 0:
            yield text[start:at]
            start = at + 1
    if depth:
        raise ValueError(f"{text[:80]!r} is not a list of nodes")
    yield text[start:]


def _expanded(part: str) -> list[str]:
    head, bracket, rest = part.partition("[")
    if not bracket:
        return [part]
    ranges, _, tail = rest.partition("]")
    tails = _expanded(tail)
    return [f"{head}{number}{end}" for number in _numbers(ranges) for end in tails]


def _numbers(ranges: str) -> Iterator[str]:
    for one in ranges.split(","):
        first, dash, last = one.partition("-")
        low, high = int(first), int(last) if dash else int(first)
        if high - low > _MOST_NODES:
            raise ValueError(f"{one!r} names too many nodes")
        for number in range(low, high + 1):
            yield str(number).zfill(len(first))


def accelerators(gres: str) -> dict[str, int]:
    """By model, of a node's gres: "gpu:H100:8(S:0-1),shard:16" has H100: 8. Without a type: gpu."""
    found: dict[str, int] = {}
    for part in re.sub(r"\([^)]*\)", "", "" if gres in _NONE else gres).split(","):
        kind, *rest = part.split(":")
        if kind != "gpu":
            continue
        model = rest[0] if len(rest) > 1 else UNTYPED
        found[model] = found.get(model, 0) + count(rest[-1] if rest else "1")
    return found


def tres(text: str) -> dict[str, str]:
    """Of "cpu=2,gres/gpu=4,gres/gpu:h100=4,mem=200M"."""
    pairs = (part.partition("=") for part in text.split(",") if "=" in part)
    return {name: value for name, _, value in pairs}


def accelerators_used(resources: dict[str, str]) -> dict[str, int]:
    """By model, where the site counts each type; else all as one."""
    typed = {name[9:]: count(value) for name, value in resources.items() if name.startswith("gres/gpu:")}
    whole = count(resources.get("gres/gpu", "0"))
    return typed or ({UNTYPED: whole} if whole else {})


def count(text: str) -> int:
    """Of "8", "16K"."""
    return _sized(text) if text else 0


def mebibytes(text: str) -> int:
    """Of bytes ("217088") or with a unit ("200M", "1.50G"), rounded up."""
    return -(-_sized(text) // (1 << 20)) if text not in _NONE else 0


def _sized(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGTP]?)[nc]?", text)
    if match is None:
        raise ValueError(f"{text[:80]!r} is not a number")
    return int(float(match[1]) * _SIZES[match[2]])


def instant(text: str) -> Instant | None:
    """Of seconds since 1970, which is what we ask for; of a date, as of UTC, where our commands run."""
    if text in _NONE:
        return None
    if text.isdigit():
        return int(text) * 1000
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def seconds(text: str) -> float | None:
    """Of "2-03:04:05", "3:04:05", "04:05", "00:00.052"; alone a number is minutes. None: without limit."""
    if text in _FOR_EVER or text in _NONE:
        return None
    days, dash, clock = text.rpartition("-")
    fields = [float(field) for field in clock.split(":")]
    if len(fields) > 3:
        raise ValueError(f"{text!r} is not a time")
    if dash:
        fields += [0.0] * (3 - len(fields))  # days-hours
    elif len(fields) == 1:
        fields = [0.0, fields[0], 0.0]
    hours, minutes, rest = [0.0] * (3 - len(fields)) + fields
    return int(days or 0) * 86_400 + hours * 3600 + minutes * 60 + rest
