"""Issued papers for people (PDF, CSV) and for whoever recomputes them (bundles)."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from baygrid.api.edge import Caller, Json, Responses, Route
from baygrid.app import bundles, rendering
from baygrid.app.rendering import Form, Language
from baygrid.ports.papers import PaperKind

router = APIRouter(route_class=Route, tags=["papers"])

MEDIA: Final = {Form.PDF: "application/pdf", Form.CSV: "text/csv; charset=utf-8"}
PAGES: Final[Responses] = {
    200: {
        "content": {
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
            "text/csv": {"schema": {"type": "string"}},
        }
    }
}
BUNDLE: Final[Responses] = {200: {"content": {"application/json": {"schema": {"type": "object"}}}}}

Synthetic = Annotated[bool, Query(description="the region's data is synthetic: a PDF says so")]


def _register(noun: str, kind: PaperKind) -> None:
    @router.get(f"/v1/{noun}/{{number}}/pages", responses=PAGES, name=f"{kind.value} pages")
    def pages(
        number: str,
        call: Caller,
        format: Form = Form.PDF,
        language: Language = Language.ENGLISH,
        sample: Synthetic = False,
    ) -> Response:
        """As people read it, in their language; the same bytes every time."""
        data = rendering.rendered(call.platform, call.actor, kind, number, format, language, sample=sample)
        name = f"{kind.value}-{number}.{format.value}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(data, media_type=MEDIA[format], headers=headers)

    @router.get(f"/v1/{noun}/{{number}}/bundle", responses=BUNDLE, name=f"{kind.value} bundle")
    def bundle(number: str, call: Caller) -> Json:
        """With all that it follows from, signed by the platform, for `baygrid bill verify`."""
        return Json(bundles.of_paper(call.platform, call.actor, kind, number))


for _kind in PaperKind:
    _register(f"{_kind.value}s", _kind)
