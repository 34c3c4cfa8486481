"""What the operator of a centre lets it fetch, from where and how much."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from baygrid.core import reading
from baygrid.core.jobs import fields
from baygrid.core.jobs.problems import Problems, Section
from baygrid.core.reading import DocumentError, Problem, Wrong, shown
from baygrid.core.units import parse_memory

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST_PORT: Final = re.compile(r"([a-z0-9_.-]{1,253}|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Own:
    """A network that is otherwise refused, at one port (None: at all)."""

    network: Network
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """All below `path` may be read, by jobs of these projects (none named: of all)."""

    path: str
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of S3 or a server that speaks it (`endpoint` None: Amazon's). Keys come from where boto3 looks
    for them; `profile` names some of them."""

    name: str
    endpoint: str | None = None
    region: str | None = None
    profile: str | None = None
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`http`: "host" or "host:port" from which http is taken, too. `own`: own networks that may be asked.
    `ca`: a file of certificates to trust besides the system's. `max_bytes` and `max_s`: of one input. The
    cache holds at most `cache_bytes`, nothing that was not used for `cache_age_s`.

    A server must send its head within `head_s`, and then at least `least_rate` bytes a second, counted over
    `window_s`."""

    http: tuple[str, ...] = ()
    own: tuple[Own, ...] = ()
    ca: str | None = None
    folders: tuple[Folder, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    max_bytes: int = 1 << 40
    max_s: float = 12 * 3600.0
    cache_bytes: int = 200 << 30
    cache_age_s: float = 30 * 86_400.0
    head_s: float = 30.0
    window_s: float = 60.0
    least_rate: float = 1024.0


STANDARD: Final = Rules()
"""Without a file: https from the internet, nothing else."""


def parse(document: object) -> Rules:
    """The rules that a document (parsed YAML) states. Raises DocumentError with every mistake."""
    if not isinstance(document, Mapping):
        raise DocumentError(
            (Problem("", "must be a mapping with fields such as buckets, folders or networks"),)
        )
    found = Problems()
    known = ("http", "networks", "ca", "folders", "buckets", "limits", "cache")
    top = Section(document, "", known, found)
    limits = Section(top.values.get("limits"), "limits", ("bytes", "time"), found)
    cache = Section(top.values.get("cache"), "cache", ("bytes", "age"), found)
    rules = Rules(
        http=top.part("http", fields.items(_host), ()),
        own=top.part("networks", fields.items(_own), ()),
        ca=top.leaf("ca", _path, None),
        folders=_each(top, "folders", _folder),
        buckets=_each(top, "buckets", _bucket),
        max_bytes=limits.leaf("bytes", _bytes, STANDARD.max_bytes),
        max_s=limits.leaf("time", _seconds, STANDARD.max_s),
        cache_bytes=cache.leaf("bytes", _bytes, STANDARD.cache_bytes),
        cache_age_s=cache.leaf("age", _seconds, STANDARD.cache_age_s),
    )
    names = [bucket.name for bucket in rules.buckets]
    for name in sorted({name for name in names if names.count(name) > 1}):
        found.add("buckets", f"{name} is there twice: take one out")
    found.raise_any()
    return rules


def _each(top: Section, key: str, parse_one: Callable[[object, str, Problems], T | None]) -> tuple[T, ...]:
    value = top.values.get(key)
    if value is None:
        return ()
    if not isinstance(value, list):
        top.found.add(key, f"must be a list, not {shown(value)}")
        return ()
    parsed = [parse_one(one, f"{key}[{number}]", top.found) for number, one in enumerate(value)]
    return tuple(one for one in parsed if one is not None)


def _folder(value: object, path: str, found: Problems) -> Folder | None:
    if isinstance(value, str):
        value = {"path": value}
    section = Section(value, path, ("path", "projects"), found)
    where = section.needed("path", _path, "", "say which folder, for example path: /data/public")
    return Folder(where, section.part("projects", _NAMES, ())) if where else None


def _bucket(value: object, path: str, found: Problems) -> Bucket | None:
    section = Section(value, path, ("name", "endpoint", "region", "profile", "projects"), found)
    name = section.needed("name", fields.text, "", "say which bucket, for example name: photos")
    endpoint = section.leaf("endpoint", _endpoint, None)
    region = section.leaf("region", fields.text, None)
    profile = section.leaf("profile", fields.text, None)
    return Bucket(name, endpoint, region, profile, section.part("projects", _NAMES, ())) if name else None


def _host(value: object) -> str:
    match = _HOST_PORT.fullmatch(value) if isinstance(value, str) else None
    if match is None or (match[2] and not 0 < int(match[2]) < 65536):
        raise Wrong(f"must be a host such as mirror.example or mirror.example:8080, not {shown(value)}")
    return match[0]


def _own(value: object) -> Own:
    """10.0.0.0/8, 10.0.0.1:8080, [fd00::1]:8443 or fd00::/8."""
    text = value if isinstance(value, str) else ""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or not (host.endswith("]") or ":" not in host):
        host, port = text, ""
    try:
        network = ipaddress.ip_network(host.strip("[]"))
        if port and not 0 < int(port) < 65536:
            raise ValueError(port)
    except ValueError:
        raise Wrong(f"must be a network such as 10.20.0.0/16 or 10.20.0.5:8443, not {shown(value)}") from None
    return Own(network, int(port) if port else None)


def _path(value: object) -> str:
    text = fields.text(value)
    if not text.startswith("/") or ".." in text.split("/"):
        raise Wrong(f"must be a whole path such as /data/public, not {shown(value)}")
    return text.rstrip("/") or "/"


def _endpoint(value: object) -> str:
    text = fields.text(value)
    if not text.startswith(("https://", "http://")):
        raise Wrong(f"must be an address such as https://s3.example.org, not {shown(value)}")
    return text


def _bytes(value: object) -> int:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise Wrong(f"must be an amount such as 200GiB, not {shown(value)}")
    return parse_memory(value) << 20


def _seconds(value: object) -> float:
    return float(fields.duration(value))


_NAMES: Final = fields.items(reading.name)
