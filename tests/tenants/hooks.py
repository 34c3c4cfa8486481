"""What schemathesis does beside making requests up: real names of both tenants are put into them, and every
answer is searched for what is the other one's (SCHEMATHESIS_HOOKS; the file of `KNOWN` is the test's)."""

from __future__ import annotations

import json
import os
import re
import zlib
from pathlib import Path
from typing import Any

import schemathesis

KNOWN = "BAYGRID_TEST_TENANTS"
_known: dict[str, Any] = json.loads(Path(os.environ[KNOWN]).read_text())
_of_others = re.compile("|".join(map(re.escape, _known["canaries"])) or "(?!)", re.IGNORECASE)
ALIAS = {"name": ("dataset", "out"), "cursor": ("job",), "before": ("job",)}
IDS = frozenset(
    ("project", "job", "array", "application", "voucher", "contract", "token", "user", "number", "of")
)
"""What a body may name of the other's: nothing that would then be the name of something of one's own."""


def named(name: str, made_up: Any) -> Any:
    """In three cases of four a real name: of the own or of the other's, by what was made up."""
    chance = zlib.crc32(repr(made_up).encode())
    tenant = ("own", "others", "others", "")[chance % 4]
    choices = (
        [_known[tenant][it] for it in ALIAS.get(name, (name,)) if it in _known[tenant]] if tenant else []
    )
    return choices[chance // 4 % len(choices)] if choices else made_up


def _inside(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            key: named(key, it) if isinstance(it, str) and key in IDS else _inside(it)
            for key, it in part.items()
        }
    return [_inside(it) for it in part] if isinstance(part, list) else part


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    return {name: named(name, it) for name, it in (path_parameters or {}).items()}


@schemathesis.hook
def map_query(context: Any, query: Any) -> Any:
    return {name: named(name, it) for name, it in (query or {}).items()}


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    return _inside(body)


@schemathesis.check
def nothing_of_others(context: Any, response: Any, case: Any) -> None:
    asked = f"{response.request.url} {response.request.body!r}".lower()
    told = f"{response.status_code} {response.headers} {response.content.decode(errors='replace')}"
    found = {it for it in _of_others.findall(told) if it.lower() not in asked}
    assert not found, f"tells {sorted(found)}"
