"""The rule for names of organisations, projects, centres and partitions: the job file's rule for names."""

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
