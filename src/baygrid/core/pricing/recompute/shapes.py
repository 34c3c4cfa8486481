"""Documents of a fixed shape: every field is there, of its type, written in the one way, and no other field.

So a document means one thing only, and no two texts mean the same. The first mistake ends the reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Generic, TypeVar

from baygrid.core.reading import DocumentError, Leaf, Problem, Wrong, not_text, shown, whole
from baygrid.core.units import Money, UnitError, exact

MOST_TEXT: Final = 10_000
_MOST_DIGITS: Final = 100
_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+|/[0-9]*[1-9][0-9]*)?", re.ASCII)
_KEY: Final = re.compile(r"[0-9a-f]{64}")
_SIGNATURE: Final = re.compile(r"[0-9a-f]{128}")
T = TypeVar("T")

instant: Final = whole(0, 10**15)
"""Milliseconds since 1970, UTC."""
count: Final = whole(0, 2**53)


class _At(Wrong):
    """A mistake with the way to it, from the outside in."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


def _under(part: str, wrong: ValueError) -> _At:
    return _At(part + (wrong.path if isinstance(wrong, _At) else ""), str(wrong))


@dataclass(frozen=True, slots=True)
class Maybe(Generic[T]):
    """A field that may be left out, which means `default`."""

    leaf: Leaf[T]
    default: T

    def __call__(self, value: object) -> T:
        return self.leaf(value)


@dataclass(frozen=True, slots=True)
class Into(Generic[T]):
    """A field that has another name as a value: `from` is `start`."""

    name: str
    leaf: Leaf[T]

    def __call__(self, value: object) -> T:
        return self.leaf(value)


@dataclass(frozen=True, slots=True)
class Unused:
    """A field that must be right but that nothing is computed from."""

    leaf: Leaf[Any]

    def __call__(self, value: object) -> None:
        self.leaf(value)


def read(leaf: Leaf[T], document: object) -> T:
    """Raises DocumentError with the first mistake."""
    try:
        return leaf(document)
    except (Wrong, UnitError) as wrong:
        path = wrong.path.removeprefix(".") if isinstance(wrong, _At) else ""
        raise DocumentError((Problem(path, str(wrong)),)) from None


def shape(make: Callable[..., T], **fields: Leaf[Any]) -> Leaf[T]:
    """A mapping with these fields, given to `make` by name."""

    def parse(value: object) -> T:
        given = _mapping(value)
        for key in given:
            if key not in fields:
                raise Wrong(f"has a field {shown(key)} that is not known: it has {', '.join(fields)}")
        found = {}
        for name, leaf in fields.items():
            read_ = _field(given, name, leaf)
            if not isinstance(leaf, Unused):
                found[leaf.name if isinstance(leaf, Into) else name] = read_
        try:
            return make(**found)
        except ValueError as error:
            raise Wrong(str(error)) from None

    return parse


def _field(given: Mapping[str, object], name: str, leaf: Leaf[T]) -> T:
    try:
        if name not in given:
            if isinstance(leaf, Maybe):
                default: T = leaf.default
                return default
            raise Wrong("is missing")
        return leaf(given[name])
    except (Wrong, UnitError) as wrong:
        raise _under(f".{name}", wrong) from None


def each(leaf: Leaf[T]) -> Leaf[tuple[T, ...]]:
    """A list."""

    def parse(value: object) -> tuple[T, ...]:
        if not isinstance(value, list | tuple):
            raise Wrong(f"must be a list, not {shown(value)}")
        found: list[T] = []
        try:
            for item in value:
                found.append(leaf(item))  # noqa: PERF401 - its length is the index of what failed
        except (Wrong, UnitError) as wrong:
            raise _under(f"[{len(found)}]", wrong) from None
        return tuple(found)

    return parse


def table(leaf: Leaf[T]) -> Leaf[Mapping[str, T]]:
    """A mapping whose keys are names."""

    def parse(value: object) -> Mapping[str, T]:
        found: dict[str, T] = {}
        for key, item in _mapping(value).items():
            try:
                found[key] = leaf(item)
            except (Wrong, UnitError) as wrong:
                raise _under(f"[{shown(key)}]", wrong) from None
        return found

    return parse


def kinds(**of: Leaf[Any]) -> Leaf[Any]:
    """A mapping whose `kind` says which of these it is; `credit_note` is the kind `credit-note`."""
    leaves = {name.replace("_", "-"): leaf for name, leaf in of.items()}

    def parse(value: object) -> Any:
        kind = _mapping(value).get("kind")
        if not isinstance(kind, str) or kind not in leaves:
            raise _At(".kind", f"must be one of {', '.join(leaves)}, not {shown(kind)}")
        return leaves[kind](value)

    return parse


def nullable(leaf: Leaf[T]) -> Leaf[T | None]:
    return lambda value: None if value is None else leaf(value)


def free(value: object) -> Mapping[str, object]:
    """A mapping of whatever shape."""
    return _mapping(value)


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise Wrong(f"must be a mapping, not {shown(value)}")
    for key in value:
        if not isinstance(key, str):
            raise Wrong(not_text(key))
    return value


def text(value: object) -> str:
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        raise Wrong(f"must be a text of at most {MOST_TEXT} characters, not {shown(value)}")
    return value


def word(expected: str) -> Leaf[str]:
    """This text and no other."""

    def parse(value: object) -> str:
        if value != expected or not isinstance(value, str):
            raise Wrong(f"must be {expected!r}, not {shown(value)}")
        return value

    return parse


def money(value: object) -> Money:
    found = Money.parse(text(value))
    if str(found) != value:
        raise Wrong(f"must be written {str(found)!r}, not {shown(value)}")
    return found


def money_from_zero(value: object) -> Money:
    found = money(value)
    if found.minor < 0:
        raise Wrong(f"cannot be negative, as {found} is")
    return found


def fraction(value: object) -> Fraction:
    """As `core.pricing.charge.exact` writes it."""
    if not isinstance(value, str) or len(value) > _MOST_DIGITS or _NUMBER.fullmatch(value) is None:
        raise Wrong(f"must be a number such as '0.25' or '1/3' in quotes, not {shown(value)}")
    found = Fraction(value)
    if exact(found) != value:
        raise Wrong(f"must be written {exact(found)!r}, not {shown(value)}")
    return found


def public_key(value: object) -> str:
    return _hex(value, _KEY, 64)


def signature(value: object) -> str:
    return _hex(value, _SIGNATURE, 128)


def _hex(value: object, pattern: re.Pattern[str], digits: int) -> str:
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise Wrong(f"must be {digits} digits 0 to 9 and a to f, not {shown(value)}")
    return value
