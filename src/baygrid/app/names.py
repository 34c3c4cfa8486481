"""The rules for names and jurisdictions that operators give: those of the job file."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from baygrid.app.problems import Invalid
from baygrid.core import reading
from baygrid.core.jobs import addresses, fields
from baygrid.core.jobs.addresses import Address
from baygrid.core.reading import Wrong


def check_name(path: str, name: str) -> str:
    """The name. Raises Invalid with the job file's sentence."""
    try:
        return reading.name(name)
    except Wrong as wrong:
        raise Invalid.at(path, str(wrong)) from None


def check_jurisdiction(path: str, code: str) -> str:
    """The code. Raises Invalid."""
    try:
        return fields.place_code(code)
    except Wrong:
        raise Invalid.at(path, f"must be a code such as CN-QH or HK, not {code[:40]!r}") from None


def check_address(path: str, text: str) -> Address:
    """The URI. Raises Invalid, also for a host from which no centre fetches."""
    try:
        at = addresses.address(text)
    except Wrong as wrong:
        raise Invalid.at(path, str(wrong)) from None
    why = addresses.nowhere(at)
    if why is not None:
        raise Invalid.at(path, f"no centre fetches from {at.host} ({why}): name the server that has the data")
    return at


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """The sentence for a name that is not there, with the nearest that is."""
    close = get_close_matches(name, known, 1)
    cure = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(known)[:10]) or 'none'}"
    return f"there is no {what} {name!r}: {cure}"
