"""What the server knows, offered when somebody presses Tab: at once or not at all, never with an error."""

import os
from collections.abc import Callable
from typing import Any, Final

import typer

from baygrid.client.wire import ARRAY

PATIENCE_S: Final = 1.0
"""Nobody waits longer for a word that they could type."""
MOST: Final = 100

Offered = list[tuple[str, str]]
"""Words, each with what it stands for, which some shells show."""


def jobs(context: typer.Context, incomplete: str) -> Offered:
    """Ids of the newest jobs."""
    return [
        (job["id"], f"{job['name']}, {job['state']}")
        for job in _found(context, "/v1/jobs", limit=MOST)
        if job["id"].startswith(incomplete)
    ]


def jobs_and_arrays(context: typer.Context, incomplete: str) -> Offered:
    """Ids of both; elements of arrays only where nothing else is meant."""
    arrays = [
        (array["id"], f"{array['name']}, {array['state']}")
        for array in _found(context, "/v1/arrays", limit=MOST)
        if array["id"].startswith(incomplete)
    ]
    return arrays if incomplete.startswith(ARRAY) else jobs(context, incomplete) + arrays


def files_and_jobs(context: typer.Context, incomplete: str) -> Offered:
    """Ids where one was begun: else the shell offers files."""
    return jobs(context, incomplete) if incomplete.startswith("job-") else []


def _names(path: str, key: str, told: str) -> Callable[[typer.Context, str], Offered]:
    def offered(context: typer.Context, incomplete: str) -> Offered:
        found = _found(context, path, limit=MOST)
        return [(it[key], str(it[told] or "")) for it in found if it[key].startswith(incomplete)]

    return offered


centres = _names("/v1/centres", "name", "jurisdiction")
offers = _names("/v1/offers", "id", "accelerator")
projects = _names("/v1/projects", "name", "organisation")
datasets = _names("/v1/datasets", "name", "jurisdiction")


def _found(context: typer.Context, path: str, **params: int) -> list[dict[str, Any]]:
    try:
        import httpx2

        from baygrid.client import config

        access = config.access(context.params.get("_server"), context.params.get("_token"), os.environ)
        answer = httpx2.get(
            access.server + path,
            params=params,
            headers={"Authorization": f"Bearer {access.token}"},
            timeout=PATIENCE_S,
            verify=access.server.startswith("https:"),
        )
        items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
    except Exception:  # noqa: BLE001 - whatever it is: who presses Tab is told words, not errors
        return []
    return items
