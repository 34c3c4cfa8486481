"""Which system a file is of, and its job file here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from baygrid.core.jobs.importing import dstack, sbatch, skypilot
from baygrid.core.jobs.importing.draft import Imported, Unreadable

SBATCH: Final = "sbatch"
OF_YAML: Final[Mapping[str, Callable[[Mapping[object, object], str], Imported]]] = {
    "skypilot": skypilot.convert,
    "dstack": dstack.convert,
}
FORMATS: Final = (SBATCH, *OF_YAML)
_DSTACK: Final = frozenset({"task", "service", "dev-environment", "fleet", "volume", "gateway"})


def looks_like_sbatch(text: str) -> bool:
    """Whether it is a script, and no YAML."""
    return text.startswith("#!") or re.search(r"^#SBATCH\s", text, re.MULTILINE) is not None


def of_script(text: str, name: str) -> Imported:
    """Of a batch script. Raises Unreadable."""
    return sbatch.convert(text, name)


def of_document(document: object, name: str, format: str | None = None) -> tuple[str, Imported]:
    """Of a parsed YAML file, with the system that it is of. Raises Unreadable."""
    if not isinstance(document, Mapping):
        raise Unreadable("is neither a batch script nor a task file, which is a mapping")
    found = format or ("dstack" if document.get("type") in _DSTACK else "skypilot")
    if found == "skypilot" and "run" not in document:
        raise Unreadable("has no field run: it is no task of SkyPilot that does anything")
    return found, OF_YAML[found](document, name)
