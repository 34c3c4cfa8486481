"""Names that may be of one body, whatever script, case, width or legal form they are written in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

Simplify = Callable[[str], str]
"""Traditional and Japanese characters as simplified ones; an edge has the tables for that."""

_FORMS: Final = (
    *("股份有限公司", "有限责任公司", "有限公司", "责任公司"),
    *("株式会社", "有限会社", "合同会社", "株式会"),
)
_LATIN_FORMS: Final = frozenset(
    (
        *("co", "company", "corp", "corporation", "inc", "incorporated", "limited", "ltd"),
        *("llc", "plc", "kk", "gmbh"),
    )
)
_BREAKS: Final = re.compile(r"[\W_]+")


def folded(text: str, simplify: Simplify) -> str:
    """A text as it is searched: half width, small letters, simplified characters."""
    return simplify(unicodedata.normalize("NFKC", text).casefold())


def key(name: str, simplify: Simplify) -> str:
    """Two names with the same key may be of one body; "" where nothing of a name is left."""
    words = _BREAKS.sub(" ", folded(name, simplify)).split()
    while words and words[-1] in _LATIN_FORMS:
        words.pop()
    plain = "".join(words)
    for form in _FORMS:
        plain = plain.removesuffix(form).removeprefix(form)
    return plain


def keys(names: Mapping[str, str], simplify: Simplify) -> frozenset[str]:
    return frozenset(found for name in names.values() if (found := key(name, simplify)))
