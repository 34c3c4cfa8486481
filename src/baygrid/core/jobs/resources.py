"""What a job needs on each of its nodes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from baygrid.core.jobs.problems import Problems, Section
from baygrid.core.reading import Wrong, is_name, not_text, shown
from baygrid.core.reasons import JSON
from baygrid.core.units import format_memory, parse_memory

MAX_CPUS: Final = 65_536
MAX_ACCELERATORS: Final = 1024
MAX_ALTERNATIVES: Final = 16

_OTHERS: Final = {"gpu": "accelerators", "gpus": "accelerators", "mem": "memory"}
_CPUS: Final = re.compile(r"([0-9]{1,9})(?:\+|\.\.)?")
_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_WHOLE: Final = 1000


@dataclass(frozen=True, slots=True)
class AcceleratorRequest:
    """`count` accelerators of one model on each node; `share`: thousandths of each, below 1000 (a part of one
    device, which others may share) only for a count of 1."""

    model: str
    count: int = 1
    share: int = _WHOLE

    @property
    def number(self) -> int | float:
        """As a job file writes it: 8, or 0.5."""
        return self.count if self.share == _WHOLE else self.share / _WHOLE

    def __str__(self) -> str:
        return f"{self.model}:{self.number}"


@dataclass(frozen=True, slots=True)
class Resources:
    """Per node: at least `cpus` CPUs and `memory` MiB, and one of the `accelerators` alternatives.

    No alternatives means no accelerator. `ordered`: the first alternative is preferred to the second
    and so on, else any will do (then they are sorted, so that equal wishes are equal values).
    """

    cpus: int = 1
    memory: int = 1024
    accelerators: tuple[AcceleratorRequest, ...] = ()
    ordered: bool = False


DEFAULT: Final = Resources()


def resources(value: object, path: str, found: Problems) -> Resources:
    """Parse the field `resources`."""
    section = Section(value, path, ("accelerators", "cpus", "memory"), found, _OTHERS)
    requests, ordered = section.part("accelerators", _accelerators, ((), False))
    return Resources(
        section.leaf("cpus", _cpus, DEFAULT.cpus),
        section.leaf("memory", _memory, DEFAULT.memory),
        requests,
        ordered,
    )


def document(wanted: Resources) -> dict[str, JSON]:
    """The field `resources` that parses to `wanted`."""
    written: dict[str, JSON] = {"cpus": f"{wanted.cpus}+", "memory": f"{format_memory(wanted.memory)}+"}
    if wanted.ordered:
        written["accelerators"] = [str(request) for request in wanted.accelerators]
    elif wanted.accelerators:
        written["accelerators"] = {request.model: request.number for request in wanted.accelerators}
    return written


def _cpus(value: object) -> int:
    match = _CPUS.fullmatch(value) if isinstance(value, str) else None
    count = int(match[1]) if match else value
    if type(count) is not int or not 1 <= count <= MAX_CPUS:
        raise Wrong(f"must be the least number of CPUs, from 1 to {MAX_CPUS}, such as 8+, not {shown(value)}")
    return count


def _memory(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Wrong(f"must be the least memory in GiB such as 64+, not {shown(value)}")
    mib = parse_memory(
        value.strip().removesuffix("+").removesuffix("..") if isinstance(value, str) else value
    )
    if mib < 1:
        raise Wrong("must be more than nothing: write the least memory in GiB such as 64+")
    return mib


def _count(value: object) -> tuple[int, int]:
    """The number of devices, and thousandths of each."""
    if type(value) is int and 1 <= value <= MAX_ACCELERATORS:
        return value, _WHOLE
    if type(value) is float and 0 < value < 1 and round(value, 3) == value:
        return 1, round(value * _WHOLE)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < MAX_ACCELERATORS:
        raise Wrong(
            f"cannot be {shown(value)}: write a whole number, or below one a part of a device "
            f"with at most three decimals such as 0.5"
        )
    raise Wrong(
        "must be a part of an accelerator such as 0.5, or a whole number of accelerators "
        f"from 1 to {MAX_ACCELERATORS}, not {shown(value)}"
    )


def _request(value: object) -> AcceleratorRequest:
    if not isinstance(value, str):
        raise Wrong(f"must be a model and a number such as H100:8, not {shown(value)}")
    model, colon, number = value.partition(":")
    if not is_name(model) or (colon and _NUMBER.fullmatch(number) is None):
        raise Wrong(f"must be a model and a whole number such as H100:8, not {shown(value)}")
    if not colon:
        return AcceleratorRequest(model)
    return AcceleratorRequest(model, *_count(float(number) if "." in number else int(number)))


def _accelerators(value: object, path: str, found: Problems) -> tuple[tuple[AcceleratorRequest, ...], bool]:
    """A request; a list (in order); a mapping of models to counts, or a set of requests (any)."""
    if isinstance(value, str):
        value = {value: None}
    elif isinstance(value, set | frozenset):
        value = dict.fromkeys(value)
    if not isinstance(value, list | tuple | Mapping):
        found.add(path, f"must be such as H100:8, a list in order, or a mapping of any, not {shown(value)}")
        return (), False
    if len(value) > MAX_ALTERNATIVES:
        found.add(path, f"has {len(value)} alternatives, the most is {MAX_ALTERNATIVES}: keep the best")
        return (), False
    requests: list[AcceleratorRequest] = []
    if isinstance(value, Mapping):
        for key, number in value.items():
            # A set in YAML's short form, {H100:8, A100:8}, is read as a mapping of requests to null.
            request = found.attempt(path, _request, key) if isinstance(key, str) else None
            if not isinstance(key, str):
                found.add(path, not_text(key))
            elif request and number is not None and ":" in key:
                found.add(path, f"{shown(key)} has two numbers: write for example H100: 8")
            elif request:
                asked = None if number is None else found.attempt(f"{path}.{key}", _count, number)
                requests.append(AcceleratorRequest(request.model, *asked) if asked else request)
        requests.sort(key=lambda request: (request.model, request.count, request.share))
        twice = len({request.model for request in requests}) < len(requests)
    else:
        parsed = [found.attempt(f"{path}[{i}]", _request, item) for i, item in enumerate(value)]
        requests = [request for request in parsed if request is not None]
        twice = len(set(requests)) < len(requests)
    if twice:
        found.add(path, "names an alternative twice: list different ones, in order of preference")
    return tuple(requests), len(requests) > 1 and not isinstance(value, Mapping)
