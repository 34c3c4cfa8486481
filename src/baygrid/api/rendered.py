"""Issued papers for people (PDF, CSV) and for whoever recomputes them (bundles)."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from baygrid.api.edge import Caller, Json, Responses, Route
from baygrid.api.times import Time, instant_of
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
        return _file(data, f"{kind.value}-{number}", format)

    @router.get(f"/v1/{noun}/{{number}}/bundle", responses=BUNDLE, name=f"{kind.value} bundle")
    def bundle(number: str, call: Caller) -> Json:
        """With all that it follows from, signed by the platform, for `baygrid bill verify`."""
        return Json(bundles.of_paper(call.platform, call.actor, kind, number))


@router.get("/v1/projects/{project}/statement/pages", responses=PAGES)
def statement_pages(
    project: str,
    call: Caller,
    begin: Annotated[Time, Query(alias="from")] = None,
    end: Annotated[Time, Query(alias="to")] = None,
    format: Form = Form.PDF,
    language: Language = Language.ENGLISH,
    sample: Synthetic = False,
) -> Response:
    """How its money moved in [from, to), as people read it; without them, until now."""
    until = instant_of("to", end)
    data = rendering.statement(
        call.platform,
        call.actor,
        project,
        instant_of("from", begin) or 0,
        call.platform.clock() + 1 if until is None else until,
        format,
        language,
        sample=sample,
    )
    return _file(data, f"statement-{project}", format)


def _file(data: bytes, name: str, form: Form) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form.value}"'}
    return Response(data, media_type=MEDIA[form], headers=headers)


for _kind in PaperKind:
    _register(f"{_kind.value}s", _kind)
