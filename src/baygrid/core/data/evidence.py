"""Files of the audit: a contract with its links and, between them, those of others by their hashes only; and
a signed end, which shows later that nothing before it was cut off or written anew."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from baygrid.core.data.chain import START, Checked, End, Hidden, Link, canonical, check, content
from baygrid.core.reading import Wrong, shown

EVIDENCE: Final = "audit-evidence-1"
END: Final = "audit-end-1"
EXPORTED: Final = "evidence-exported"
"""The kind of the link that is made when a contract is exported: it has the SHA-256 of what is told of it."""
SIGNED: Final = "signed"

_HEX: Final = re.compile(r"[0-9a-f]{64}")
_SIGNATURE: Final = re.compile(r"[0-9a-f]{128}")
SignedBy = Callable[[str, str, bytes], bool]
"""Whether this public key made this signature of these bytes; all in hex."""


@dataclass(frozen=True, slots=True)
class Signed:
    public_key: str
    signature: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Evidence:
    """`contract` None: of all, not of one. `start`: what the first link follows; `end`: the last."""

    contract: Mapping[str, Any] | None
    start: End
    links: tuple[Link | Hidden, ...]
    end: End
    signed: Signed


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that is not right. `link` None: it is no link, but what `place` says."""

    place: str
    says: str
    link: int | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.says}"


def link_document(link: Link | Hidden) -> dict[str, Any]:
    if isinstance(link, Hidden):
        return {"n": link.n, "digest": link.digest, "hash": link.hash}
    return {**content(link), "previous": link.previous, "hash": link.hash}


def end_document(end: End) -> dict[str, Any]:
    return {"n": end.n, "hash": end.hash}


def fingerprint(contract: Mapping[str, Any]) -> str:
    """Of what is told of a contract: SHA-256 of its canonical JSON."""
    return hashlib.sha256(canonical(contract)).hexdigest()


def evidence_document(
    contract: Mapping[str, Any] | None, start: End, links: Sequence[Link | Hidden], at: int
) -> dict[str, Any]:
    """Not yet signed. `at`: when it is made, in milliseconds since 1970."""
    end = End(links[-1].n, links[-1].hash) if links else start
    return {
        "baygrid": EVIDENCE,
        "issued_at": at,
        "contract": contract,
        "from": end_document(start),
        "links": [link_document(link) for link in links],
        "end": end_document(end),
    }


# Reading


def read_link(document: object, at: str = "link") -> Link | Hidden:
    """Raises Wrong."""
    if isinstance(document, Mapping) and "digest" in document:
        hidden = _fields(document, at, {"n": int, "digest": str, "hash": str})
        return Hidden(hidden["n"], _hex(hidden, "digest", at), _hex(hidden, "hash", at))
    kinds = {"n": int, "at": int, "kind": str, "data": dict, "salt": str, "previous": str, "hash": str}
    link = _fields(document, at, {**kinds, "contract": None, "project": None})
    for name in ("contract", "project"):
        if not isinstance(link[name], str | None):
            raise Wrong(f"{at}.{name} must be text or null, not {shown(link[name])}")
    return Link(**{**link, "previous": _hex(link, "previous", at), "hash": _hex(link, "hash", at)})


def read_end(document: object) -> tuple[End, Signed]:
    """Of a signed end, or of evidence that has one. Raises Wrong."""
    if isinstance(document, Mapping) and document.get("baygrid") == EVIDENCE:
        found = read_evidence(document)
        return found.end, found.signed
    kinds = {"baygrid": str, "issued_at": int, "end": dict, SIGNED: dict}
    values = _fields(document, "", kinds)
    if values["baygrid"] != END:
        raise Wrong(f"it is no end of an audit: it says that it is {shown(values['baygrid'])}")
    return _end(values["end"], "end"), _signed(values)


def read_evidence(document: object) -> Evidence:
    """Raises Wrong with the first mistake."""
    kinds = {"baygrid": str, "issued_at": int, "contract": None, "from": dict, "links": list, "end": dict}
    values = _fields(document, "", {**kinds, SIGNED: dict})
    if values["baygrid"] != EVIDENCE:
        raise Wrong(f"it is no evidence of an audit: it says that it is {shown(values['baygrid'])}")
    if not isinstance(values["contract"], Mapping | None):
        raise Wrong(f"contract must be an object or null, not {shown(values['contract'])}")
    links = tuple(read_link(each, f"links[{index}]") for index, each in enumerate(values["links"]))
    return Evidence(
        values["contract"], _end(values["from"], "from"), links, _end(values["end"], "end"), _signed(values)
    )


def _signed(document: Mapping[str, Any]) -> Signed:
    values = _fields(document[SIGNED], SIGNED, {"public_key": str, "signature": str})
    if not _SIGNATURE.fullmatch(values["signature"]):
        raise Wrong(f"{SIGNED}.signature must be 128 hex digits in small letters")
    rest = {name: value for name, value in document.items() if name != SIGNED}
    return Signed(_hex(values, "public_key", SIGNED), values["signature"], canonical(rest))


def _end(document: object, at: str) -> End:
    values = _fields(document, at, {"n": int, "hash": str})
    return End(values["n"], _hex(values, "hash", at))


def _hex(values: Mapping[str, Any], name: str, at: str) -> str:
    value: str = values[name]
    if not _HEX.fullmatch(value):
        raise Wrong(f"{at}.{name} must be 64 hex digits in small letters, not {shown(value)}")
    return value


def _fields(document: object, at: str, kinds: Mapping[str, type | None]) -> dict[str, Any]:
    """Exactly these, of these types."""
    where = at or "it"
    if not isinstance(document, Mapping):
        raise Wrong(f"{where} must be an object, not {shown(document)}")
    for name in document:
        if name not in kinds:
            raise Wrong(f"{where} has {shown(name)}, which does not belong there")
    for name, kind in kinds.items():
        if name not in document:
            raise Wrong(f"{where} has no {name}")
        value = document[name]
        if kind is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise Wrong(f"{at}{'.' if at else ''}{name} must not be {shown(value)}")
    return dict(document)


# Checking


def checked(it: Evidence, end: End | None = None) -> Checked:
    """Its links, as far as they are right. `end`: another one that was signed, where the file reaches it."""
    return check(it.links, it.start, end or it.end)


def first_difference(
    it: Evidence, signed_by: SignedBy, platform_key: str | None = None, end: End | None = None
) -> Difference | None:
    """None: all of it is right. `platform_key`: which must have signed it, where that is known."""
    flaw = checked(it).flaw or (checked(it, end).flaw if end else None)
    if flaw is not None:
        return Difference(f"link {flaw.n}", f"it is {flaw.what.value}: {flaw.differs}", flaw.n)
    last = it.links[-1].n if it.links else it.start.n
    if it.start.n == 0 and it.start != START:
        return Difference("from", "nothing is before link 1, so it must have no hash but zeros")
    if last != it.end.n:
        return Difference("end", f"it says {it.end.n}, and the last link is {last}")
    return _contract(it) or wrong_signature(it.signed, signed_by, platform_key)


def _contract(it: Evidence) -> Difference | None:
    """What is told of the contract, and whose links are shown."""
    if it.contract is None:
        return None
    id = it.contract.get("id")
    for link in it.links:
        if isinstance(link, Link) and link.contract != id:
            says = f"it is of {shown(link.contract)}, not of contract {shown(id)}"
            return Difference(f"link {link.n}", says, link.n)
    exported = [link for link in it.links if isinstance(link, Link) and link.kind == EXPORTED]
    if exported and exported[-1].data.get("sha256") != fingerprint(it.contract):
        return Difference("contract", f"it is another one than link {exported[-1].n} has the SHA-256 of")
    return None


def wrong_signature(it: Signed, signed_by: SignedBy, platform_key: str | None) -> Difference | None:
    """None: it is right, and of the key that is demanded."""
    if platform_key is not None and it.public_key != platform_key:
        return Difference("signed.public_key", f"it must be {platform_key}, not {it.public_key}")
    if not signed_by(it.public_key, it.signature, it.data):
        return Difference("signed.signature", "it is not of this file: the file or the signature was altered")
    return None


def first_altered_byte(text: bytes, document: object) -> int | None:
    """Where a file is not as it was written: canonical JSON, and perhaps a line's end. What means the same to
    one reader may mean something else to the next."""
    right = canonical(document)
    if text in (right, right + b"\n"):
        return None
    return next((n for n, (one, two) in enumerate(zip(text, right, strict=False)) if one != two), len(right))
