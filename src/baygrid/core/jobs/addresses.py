"""Where an input may come from other than the user's machine: a dataset of the region, or a URI.

Both have one normal form, so that the same thing is recognised as the same. What is written here is only the
form: which hosts, buckets and folders a centre fetches from is decided there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from baygrid.core import reading
from baygrid.core.reading import Wrong, shown

DATASET: Final = "dataset:"
SCHEMES: Final = ("https", "http", "s3", "file")
"""`http` only where a centre's operator lists the host."""
MAX_VERSION: Final = 999_999_999

_URI: Final = re.compile(r"(https|http|s3|file)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.IGNORECASE)
_PRINTABLE: Final = re.compile(r"[!-~]+")
_FORBIDDEN: Final = re.compile(r"[\\<>\"^`{|}]")
_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_QUAD: Final = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}")
_NUMERIC: Final = re.compile(r"0x[0-9a-f]*|[0-9]+")
_IPV6: Final = re.compile(r"[0-9a-f:]+(?:[0-9.]+)?")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SHA256: Final = re.compile(r"#sha256=([0-9a-f]{64})")
_PORTS: Final = {"https": 443, "http": 80}
NOWHERE: Final[Sequence[tuple[str, Sequence[str]]]] = (
    ("link-local", ("169.254.0.0/16", "fe80::/10")),  # the metadata of clouds among them
    ("a cloud's metadata", ("fd00:ec2::254/128", "100.100.100.200/32", "192.0.0.192/32")),
    ("multicast", ("224.0.0.0/4", "ff00::/8")),
    ("unspecified", ("0.0.0.0/8", "::/128")),
)
"""Where no data can be, whoever asks: ranges of IANA's registries of special-purpose addresses (RFC 6890)."""


@dataclass(frozen=True, slots=True)
class Address:
    """A URI. `host`: lower case, an IPv6 address without its brackets; of s3 the bucket, of file "". `port`:
    of https and http only. `path` begins with "/", `query` with "?" or is empty. `sha256`: what the content
    must have, where that was said (`#sha256=...`)."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""
    sha256: str | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port != _PORTS.get(self.scheme, self.port) else ""
        digest = f"#sha256={self.sha256}" if self.sha256 else ""
        return f"{self.scheme}://{host}{port}{self.path}{self.query}{digest}"

    @property
    def shown(self) -> str:
        """For logs and messages: without the query, which may hold a signature."""
        return str(Address(self.scheme, self.host, self.port, self.path)) + ("?..." if self.query else "")

    @property
    def is_folder(self) -> bool:
        """Whether all that lies below is meant. Of a file: address only the disk can tell."""
        return self.scheme == "s3" and self.path.endswith("/")


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """`project` None: the job's own; `version` None: the newest."""

    name: str
    project: str | None = None
    version: int | None = None

    def __str__(self) -> str:
        project = f"{self.project}/" if self.project else ""
        version = f"@{self.version}" if self.version else ""
        return f"{DATASET}{project}{self.name}{version}"


def is_address(location: str) -> bool:
    """Whether this is a URI or a dataset, and no path or uploaded content."""
    return location.lower().startswith((DATASET, *(f"{scheme}://" for scheme in SCHEMES)))


def address(value: object) -> Address:
    """Parses a URI. Raises Wrong."""
    text = _printable(value)
    match = _URI.fullmatch(text)
    if match is None:
        raise Wrong(f"must begin with one of {', '.join(f'{s}://' for s in SCHEMES)}, not {shown(value)}")
    scheme, authority, path, query, fragment = (part or "" for part in match.groups())
    scheme = scheme.lower()
    if _FORBIDDEN.search(text) or _PERCENT.search(text):
        raise Wrong("has a character that no URI has: write it as % and two hex digits")
    if "@" in authority:
        raise Wrong("has a user or password in it: a centre's operator gives keys to the centre")
    digest = _SHA256.fullmatch(fragment)
    if fragment and digest is None:
        raise Wrong("may have only #sha256= and 64 lower-case hex digits behind it")
    if any(part.lower().replace("%2e", ".") in (".", "..") for part in path.split("/")):
        raise Wrong("has . or .. in its path: write where it leads")
    sha256 = digest[1] if digest else None
    if scheme == "s3":
        return _bucket(authority, path, query, sha256)
    if scheme == "file":
        return _file(authority, path, query, sha256)
    host, port = _host(authority, _PORTS[scheme])
    return Address(scheme, host, port, path or "/", query, sha256)


def nowhere(at: Address) -> str | None:
    """Why no centre can fetch from this host, as far as its spelling tells: an address that is nobody's. None
    for all others, also for loopback and private ones, which a centre may have opened as its own."""
    if at.scheme not in _PORTS:
        return None
    try:
        ip = ipaddress.ip_address(at.host)
    except ValueError:
        return None
    ip = getattr(ip, "ipv4_mapped", None) or ip
    for why, networks in NOWHERE:
        if any(ip in ipaddress.ip_network(network) for network in networks):
            return why
    return None


def dataset(value: object) -> DatasetRef:
    """Parses `dataset:[PROJECT/]NAME[@VERSION]`. Raises Wrong."""
    text = _printable(value)
    rest, at, version = text.removeprefix(DATASET).partition("@")
    project, slash, name = rest.rpartition("/")
    if not text.startswith(DATASET) or not rest:
        raise Wrong(f"must look like dataset:city-photos or dataset:team-a/city-photos@2, not {shown(value)}")
    if at and (not version.isdigit() or version[0] == "0" or int(version) > MAX_VERSION):
        raise Wrong(f"must have a version such as @2 behind the name, not {shown(f'@{version}')}")
    return DatasetRef(
        reading.name(name), reading.name(project) if slash else None, int(version) if at else None
    )


def _printable(value: object) -> str:
    if not isinstance(value, str) or len(value) > 4096 or not _PRINTABLE.fullmatch(value):
        raise Wrong(f"must be an address without spaces or letters beyond ASCII, not {shown(value)}")
    return value


def _bucket(authority: str, path: str, query: str, sha256: str | None) -> Address:
    if not _BUCKET.fullmatch(authority) or query or len(path) < 2 or "//" in path:
        raise Wrong("must look like s3://bucket/key, or s3://bucket/folder/ for all that lies below")
    return Address("s3", authority, 0, path, "", sha256)


def _file(authority: str, path: str, query: str, sha256: str | None) -> Address:
    if authority or query or len(path) < 2 or "//" in path or "%" in path:
        raise Wrong("must look like file:///data/photos, a path at the centre")
    return Address("file", "", 0, path.rstrip("/"), "", sha256)


def _host(authority: str, port: int) -> tuple[str, int]:
    """Addresses are taken in the one usual spelling only: 127.1, 0x7f000001 and 017700000001 are the same to
    some programs."""
    text = authority.lower()
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or not _IPV6.fullmatch(host) or host.count(":") < 2:
            raise Wrong(f"has no IPv6 address in its brackets: {shown(authority)}")
    else:
        host, colon, rest = text.partition(":")
        rest = colon + rest
        labels = host.removesuffix(".").split(".")
        host = ".".join(labels)
        if _NUMERIC.fullmatch(labels[-1]):
            if _QUAD.fullmatch(host) is None or any(len(x) > 1 and x[0] == "0" for x in labels):
                raise Wrong(f"has no address as 192.0.2.1 is one: {shown(authority)}")
        elif len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
            raise Wrong(f"has no host such as data.example.org: {shown(authority)}")
    if rest and (not rest[1:].isdigit() or rest[0] != ":" or not 0 < int(rest[1:][:6]) < 65536):
        raise Wrong(f"has no port such as :8443: {shown(authority)}")
    return host, int(rest[1:]) if rest else port
