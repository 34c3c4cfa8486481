"""Days as commands take them."""

from __future__ import annotations

from datetime import date, datetime

from baygrid.cli.errors import CliError


def law_day(text: str | None, where: str = "--as-of") -> date:
    """The day that was said, else today where the texts are law. Raises CliError."""
    if text is None:
        from baygrid.core.days import REGION

        return datetime.now(REGION).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CliError(
            f"{where} {text[:40]!r} is no day", code="bad-settings", cure="write it as 2026-12-17"
        ) from None
