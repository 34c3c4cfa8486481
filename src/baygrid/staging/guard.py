"""What may be fetched for whom: decisions on values. Of hosts nothing is believed but the address that a
connection is about to be made to, since a name can mean another one a moment later.

The ranges are those of IANA's registries of special-purpose addresses (RFC 6890), written out so that they do
not depend on a library's version. Forms of IPv6 that carry an IPv4 address are refused whatever they carry.
"""

from __future__ import annotations

import ipaddress
import posixpath
from collections.abc import Sequence
from typing import Final

from baygrid.core.jobs.addresses import NOWHERE, Address
from baygrid.staging.rules import Bucket, Folder, Network, Rules

IP = ipaddress.IPv4Address | ipaddress.IPv6Address

_REFUSED: Final[Sequence[tuple[str, Sequence[str]]]] = (
    *NOWHERE,
    ("loopback", ("127.0.0.0/8", "::1/128")),
    ("private", ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10")),
    ("shared by a carrier's customers", ("100.64.0.0/10",)),
    ("an IPv4 address in disguise", ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96",
                                     "64:ff9b:1::/48", "2002::/16", "2001::/32")),
    ("reserved", ("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
                  "203.0.113.0/24", "240.0.0.0/4", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20",
                  "5f00::/16")),
)  # fmt: skip
_RANGES: Final[Sequence[tuple[str, Network]]] = [
    (why, ipaddress.ip_network(text)) for why, texts in _REFUSED for text in texts
]
_UNICAST: Final = ipaddress.ip_network("2000::/3")
_ISATAP: Final = (0x00005EFE, 0x02005EFE)


class NotAllowed(Exception):
    """Why this centre does not fetch it, in one sentence."""


def special(ip: IP) -> str | None:
    """Why an address is none of the internet's at large; None for one that is."""
    if isinstance(ip, ipaddress.IPv6Address) and ip.scope_id is not None:
        return "of one interface only"
    for why, network in _RANGES:
        if ip.version == network.version and ip in network:
            return why
    if isinstance(ip, ipaddress.IPv6Address):
        if ip not in _UNICAST:
            return "reserved"
        if (int(ip) >> 32) & 0xFFFFFFFF in _ISATAP:
            return "an IPv4 address in disguise"
    return None


def refused(rules: Rules, ip: IP, port: int) -> str | None:
    """Why no connection is made there; None where one may be."""
    why = special(ip)
    if why is None or (isinstance(ip, ipaddress.IPv6Address) and ip.scope_id is not None):
        return why
    for own in rules.own:
        if own.port in (None, port) and ip.version == own.network.version and ip in own.network:
            return None
    return why


def check_web(rules: Rules, at: Address, came_by: Address | None = None) -> None:
    """Before a name is looked up, also of each place that a server leads to (`came_by`: from where). Raises
    NotAllowed."""
    if at.scheme not in ("https", "http"):
        raise NotAllowed(f"a server leads from https: to {at.scheme}:, which is not followed")
    if came_by is not None and came_by.scheme == "https" and at.scheme == "http":
        raise NotAllowed(f"{came_by.host} leads from https: to http:, which is not followed")
    host = f"[{at.host}]" if ":" in at.host else at.host
    if at.scheme == "http" and not {host, f"{host}:{at.port}"} & set(rules.http):
        raise NotAllowed(
            f"http: is not taken from {host}: use https:, or ask the centre's operator to list it"
        )


def bucket_of(rules: Rules, at: Address, project: str) -> Bucket:
    """Raises NotAllowed."""
    for bucket in rules.buckets:
        if bucket.name == at.host and (not bucket.projects or project in bucket.projects):
            return bucket
    raise NotAllowed(f"this centre fetches nothing from bucket {at.host} for project {project}")


def folder_of(rules: Rules, at: Address, project: str) -> tuple[Folder, str]:
    """The folder that holds it, and the rest of its path. The longest that fits. Raises NotAllowed."""
    path = posixpath.normpath(at.path)
    for folder in sorted(rules.folders, key=lambda folder: -len(folder.path)):
        inside = folder.path == "/" or path == folder.path or path.startswith(f"{folder.path}/")
        if inside and (not folder.projects or project in folder.projects):
            return folder, path[len(folder.path) :].strip("/")
    raise NotAllowed(f"this centre reads nothing below {posixpath.dirname(path)} for project {project}")
