"""Every job that a page shows can be read as it stands, whole files and single fields."""

import re
from pathlib import Path
from typing import Any

import pytest

from baygrid.client.yamlfile import document_of
from baygrid.core.jobs.spec import parse

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(
    r"`((?:retry|resources|budget|data|checkpoint|array|after|image|infra|secrets): [\[{][^`]*)`"
)
JOB = {"name": "it", "project": "demo", "time": "1h", "run": "true"}


def jobs(page: Path) -> list[dict[str, Any]]:
    """A file is a job's if it says what to run; a field in the text is one of some job."""
    text = page.read_text(encoding="utf-8")
    blocks = [read(block) for block in _BLOCK.findall(text)]
    fields = [read(field) for field in _FIELD.findall(text) if "..." not in field]
    return [it for it in blocks if "run" in it] + [JOB | it for it in fields]


def read(text: str) -> dict[str, Any]:
    document, _ = document_of("snippet", text)
    return document if isinstance(document, dict) else {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_job_on_a_page_can_be_read(page):
    for document in jobs(page):
        parse({"project": "demo"} | document)  # a command may say it, with --project


def test_there_are_some():
    found = [job for page in PAGES for job in jobs(page)]
    assert len(found) >= 8
    assert any(job.get("retry") == {"on": ["interruption"], "max": 2} for job in found)
