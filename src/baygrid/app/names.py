"""The rules for names and jurisdictions that operators give: those of the job file."""

from __future__ import annotations

from baygrid.app.problems import Invalid
from baygrid.core.jobs import fields
from baygrid.core.jobs.problems import Wrong


def check_name(path: str, name: str) -> str:
    """The name. Raises Invalid with the job file's sentence."""
    try:
        return fields.name(name)
    except Wrong as wrong:
        raise Invalid.at(path, str(wrong)) from None


def check_jurisdiction(path: str, code: str) -> str:
    """The code. Raises Invalid."""
    try:
        return fields.place_code(code)
    except Wrong:
        raise Invalid.at(path, f"must be a code such as CN-QH or HK, not {code[:40]!r}") from None
