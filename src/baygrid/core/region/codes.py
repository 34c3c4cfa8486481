"""Codes of bodies. Only the unified social credit code (GB 32100-2015) has a check character that is
published.

Hong Kong's business registration number (the first eight digits of the certificate's number, since 27
December 2023 also the Unique Business Identifier of the Companies Registry) and the company number that it
replaced have none: of these the form alone can be judged, and a mistyped digit is not seen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from baygrid.core.reading import Wrong, shown

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Of the unified social credit code: no I, O, S, V, Z. A character's value is its place."""

_VALUES: Final[Mapping[str, int]] = {character: value for value, character in enumerate(ALPHABET)}
_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(17))
_MEANT: Final[Mapping[str, str]] = {"I": "1", "O": "0", "S": "5", "V": "U", "Z": "2"}
_DISTRICT: Final = range(2, 8)
_LOST: Final = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]+")
_BR: Final = re.compile(r"[0-9]{8}|[A-Z][0-9]{7}")
_BR_CERTIFICATE: Final = re.compile(r"([0-9]{8})-[0-9]{3}-[0-9]{2}-[0-9]{2}-[0-9A-Z]")
_CR: Final = re.compile(r"[A-Z]{0,2}[0-9]{1,7}")


class Scheme(StrEnum):
    USCC = "uscc"
    HK_BR = "hk_br"
    HK_CR = "hk_cr"


def read_code(scheme: Scheme, text: str) -> str:
    """The code as it is kept: capitals, half width, no spaces. Raises Wrong, which names the character and
    what to do."""
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()
    if _LOST.fullmatch(plain):
        raise Wrong(
            f"{shown(plain)} is what a spreadsheet makes of a long number, and its last digits are lost: take"
            " the code from the source anew and format the column as text"
        )
    return _READERS[scheme](plain)


def check_character(first17: str) -> str:
    """The eighteenth character of a unified social credit code whose other seventeen are these.

    GB 32100-2015, 5.2.5: 31 less the sum of values times 3^(place - 1), all modulo 31; 31 counts as 0.
    """
    total = sum(_VALUES[it] * weight for it, weight in zip(first17, _WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def _uscc(code: str) -> str:
    if len(code) != 18:
        raise Wrong(f"has {len(code)} characters: a unified social credit code has 18")
    for place, character in enumerate(code):
        if character not in _VALUES:
            meant = _MEANT.get(character)
            hint = f"is it {meant!r}?" if meant else "use digits and the other capital letters"
            raise Wrong(
                f"character {place + 1} is {character!r}, and these codes have no I, O, S, V, Z: {hint}"
            )
        if place in _DISTRICT and not character.isdigit():
            raise Wrong(
                f"character {place + 1} is {character!r}: characters 3 to 8 are the district, all digits"
            )
    due = check_character(code[:17])
    if code[17] != due:
        raise Wrong(
            f"the check digit, character 18, is {code[17]!r} and the other 17 ask for {due!r}: one character"
            " is mistyped or two are swapped; compare all 18 with the licence"
        )
    return code


def _hk_br(code: str) -> str:
    certificate = _BR_CERTIFICATE.fullmatch(code)
    if certificate:
        return certificate.group(1)
    if _BR.fullmatch(code):
        return code
    if code.isdigit() and len(code) < 8:
        raise Wrong(
            f"has {len(code)} digits, a business registration number has 8: a spreadsheet drops leading"
            f" zeros; is it {code.zfill(8)}?"
        )
    raise Wrong(
        f"{shown(code)} is no business registration number: write 8 digits (a letter and 7 digits where the"
        " Companies Registry made one up for a body that has none)"
    )


def _hk_cr(code: str) -> str:
    if not _CR.fullmatch(code):
        raise Wrong(
            f"{shown(code)} is no company number: write up to 7 digits, after a letter such as F if any"
        )
    letters = code.rstrip("0123456789")
    return letters + code[len(letters) :].zfill(7)


_READERS: Final[Mapping[Scheme, Callable[[str], str]]] = {
    Scheme.USCC: _uscc,
    Scheme.HK_BR: _hk_br,
    Scheme.HK_CR: _hk_cr,
}

CHECKED: Final = frozenset({Scheme.USCC})
"""Of these a check digit was compared; of the others only the form."""
