"""The region's letter: its issues, and what each is made of, as it was published. For everybody, also for
programs that read feeds."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Final

from starlette.responses import RedirectResponse, Response

from baygrid.app import letters
from baygrid.app.problems import NotFound
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit

KINDS: Final[Mapping[str, str]] = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "svg": "image/svg+xml",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xml": "application/atom+xml; charset=utf-8",
}
_STYLE: Final = re.compile(rb"<style[^>]*>(.*?)</style>", re.DOTALL)


def show(visit: Visit) -> Response:
    return page(visit, "letter/letter.html", issues=letters.issues(visit.platform))


def file(visit: Visit) -> Response:
    """Their page of all issues is ours."""
    path = visit.param("path")
    if path == "index.html":
        return RedirectResponse(visit.url("letter"), 303)
    kind = KINDS.get(path.rpartition(".")[2])
    if kind is None:
        raise NotFound(f"the letter has no file {path!r}")
    found = letters.file(visit.platform, path)
    headers = {"ETag": f'"{found.sha256}"', "Cache-Control": "no-cache"}
    if headers["ETag"] in visit.request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    headers["Content-Security-Policy"] = policy(found.content)
    return Response(found.content, media_type=kind, headers=headers)


def policy(content: bytes) -> str:
    """A letter's page and pictures carry their style with them: just that is let through, and no script."""
    styles = {base64.b64encode(hashlib.sha256(it).digest()).decode() for it in _STYLE.findall(content)}
    said = " ".join(f"'sha256-{it}'" for it in sorted(styles)) or "'none'"
    return (
        f"default-src 'none'; style-src {said}; img-src 'self'; form-action 'none'; frame-ancestors 'none'; "
        "base-uri 'none'"
    )


PAGES = (
    Page("letter", show, here="letter", public=True),
    Page("letter/{path:path}", file, here="letter", public=True),
)
