"""The reference pages are what the code says; the demo's and the README's words are complete."""

import pytest

from scripts import reference


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_reference_page_is_fresh(name):
    written = (reference.ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == reference.PAGES[name](), "stale: run .venv/bin/python scripts/reference.py"
