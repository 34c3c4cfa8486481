"""The rules for names and jurisdictions that operators give: those of the job file."""

from __future__ import annotations

from collections.abc import Callable

from baygrid.app.problems import Invalid
from baygrid.core.jobs import fields
from baygrid.core.jobs.problems import Wrong


def check_name(path: str, name: str) -> str:
    """The name. Raises Invalid with the job file's sentence."""
    return _checked(path, fields.name, name)


def check_jurisdiction(path: str, code: str) -> str:
    """The code. Raises Invalid with the job file's sentence."""
    return _checked(path, fields.place_code, code)


def _checked(path: str, rule: Callable[[object], str], value: str) -> str:
    try:
        return rule(value)
    except Wrong as wrong:
        raise Invalid.at(path, str(wrong)) from None
