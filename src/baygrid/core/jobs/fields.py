"""Parsers of single values of a job file. Each raises `Wrong` or `UnitError` with the cure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeVar

from baygrid.core import reading
from baygrid.core.jobs.problems import Part, Problems
from baygrid.core.reading import Leaf, Wrong, not_text, shown
from baygrid.core.units import Money

MAX_SCRIPT: Final = 64 * 1024
"""Bytes of UTF-8 in `run` and in `setup`."""
MAX_ENVS: Final = 100
MAX_VALUE: Final = 32 * 1024
"""Bytes of UTF-8 in one environment value."""
MAX_COST: Final = 10**15
"""Minor units; sums of such amounts still fit the 64 bits of a database."""
MAX_TIME: Final = 366 * 86_400
"""Seconds in the longest time that a job can ask for."""

_ENV: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLACE_CODE: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")

T = TypeVar("T")


def text(value: object, most: int = 4096) -> str:
    """Any text of at most `most` bytes that can be stored and put into a script."""
    if not isinstance(value, str):
        raise Wrong(f"must be text, not {shown(value)}: put it in quotes if it is meant as text")
    if "\0" in value:
        raise Wrong("has a NUL character: take it out")
    try:
        size = len(value) if value.isascii() else len(value.encode())
    except UnicodeEncodeError:
        raise Wrong("is not valid Unicode: it has half of a surrogate pair") from None
    if size > most:
        raise Wrong(f"is {size} bytes long, the most is {most}: put the rest in a file of the workdir")
    return value


def script(value: object) -> str:
    """Shell commands, not empty, at most 64 KiB."""
    commands = text(value, MAX_SCRIPT)
    if not commands.strip():
        raise Wrong("is empty: write the commands, for example python train.py")
    return commands


duration: Final = reading.duration(1, MAX_TIME, "from 1s to 366d")
"""Seconds, up to a leap year."""


def never_or_duration(value: object) -> int | None:
    """None for "never", else seconds."""
    return None if value == "never" else duration(value)


def word(*words: str) -> Leaf[str]:
    """A parser of one of these words."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise Wrong(f"must be one of {', '.join(words)}, not {shown(value)}")
        return value

    return parse


def matching(pattern: str, example: str) -> Callable[[object], str]:
    """A parser of text that is wholly of this pattern."""
    compiled = re.compile(pattern)

    def parse(value: object) -> str:
        if not isinstance(value, str) or compiled.fullmatch(value) is None:
            raise Wrong(f"must look like {example}, not {shown(value)}")
        return value

    return parse


def cost(value: object) -> Money:
    """Money, zero or more."""
    if not isinstance(value, str):
        raise Wrong(f"must be an amount with its currency such as 500 CNY, not {shown(value)}")
    money = Money.parse(value)
    if money.minor < 0:
        raise Wrong("cannot be negative: write the most that the job may cost, for example 500 CNY")
    if money.minor > MAX_COST:
        raise Wrong("is too much: write the most that the job may cost, for example 500 CNY")
    return money


def truth(value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false, not {shown(value)}")
    return value


def env_name(value: object) -> str:
    """The name of an environment variable that a job may set."""
    if not isinstance(value, str) or len(value) > 256 or _ENV.fullmatch(value) is None:
        raise Wrong(f"{shown(value)} cannot be a variable: use letters, digits and '_', not first a digit")
    if value.startswith("BAYGRID_"):
        raise Wrong(f"{shown(value)} is set by Baygrid: use a name that does not begin with BAYGRID_")
    return value


def env_value(value: object) -> str:
    """Text, or a number or truth value as YAML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() <= 64:
        return str(value)
    if isinstance(value, float) and value - value == 0:  # neither NaN nor infinite
        return repr(value)
    if not isinstance(value, str):
        raise Wrong(f'must be text or a finite number, not {shown(value)}: write "" for an empty value')
    return text(value, MAX_VALUE)


def place_code(value: object) -> str:
    """A jurisdiction: two letters of a country, and perhaps a part of it."""
    if not isinstance(value, str) or _PLACE_CODE.fullmatch(value) is None:
        raise Wrong(f"must be a code such as CN, CN-QH or HK in capitals, not {shown(value)}")
    return value


def items(parser: Leaf[T], most: int = 100) -> Part[tuple[T, ...]]:
    """A parser of lists of 1 to `most` items, all different."""

    def parse(value: object, path: str, found: Problems) -> tuple[T, ...]:
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= most:
            size = f" of {len(value)}" if isinstance(value, list | tuple) else ""
            found.add(path, f"must be a list of 1 to {most} items, not {shown(value)}{size}")
            return ()
        parsed = [found.attempt(f"{path}[{i}]", parser, item) for i, item in enumerate(value)]
        kept = tuple(item for item in parsed if item is not None)
        for i, item in enumerate(parsed):
            if item is not None and item in parsed[:i]:
                found.add(f"{path}[{i}]", f"{shown(value[i])} is listed twice: take one out")
        return kept

    return parse


def entries(key_parser: Leaf[str], parser: Leaf[T], most: int) -> Part[Mapping[str, T]]:
    """A parser of mappings whose keys the user chooses, of at most `most` entries."""

    def parse(value: object, path: str, found: Problems) -> Mapping[str, T]:
        if not isinstance(value, dict | Mapping) or len(value) > most:
            size = f" of {len(value)}" if isinstance(value, Collection) and not isinstance(value, str) else ""
            found.add(path, f"must be a mapping of at most {most} entries, not {shown(value)}{size}")
            return {}
        parsed: dict[str, T] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                found.add(path, not_text(key))
                continue
            valid = found.attempt(f"{path}[{shown(key)}]", key_parser, key)
            result = found.attempt(f"{path}.{valid}" if valid else f"{path}[{shown(key)}]", parser, item)
            if valid is not None and result is not None:
                parsed[valid] = result
        return parsed

    return parse
