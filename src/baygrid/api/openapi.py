"""The OpenAPI document: FastAPI's, with our bodies, our problems and our kind of authentication."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from baygrid import __version__
from baygrid.api import job_schemas, schemas
from baygrid.api.delta.edge import PREFIX
from baygrid.api.delta.schemas import DeltaError, DeltaQuery
from baygrid.api.edge import body_model
from baygrid.ports.messages import Report, SignedRating

REF = "#/components/schemas/{model}"
QUERY = f"{PREFIX}/shares/{{share}}/schemas/{{schema}}/tables/{{table}}/query"
OPEN = frozenset(
    {"/healthz", "/metrics", "/v1/files/{file}", "/v1/profiles/{link}", "/v1/device", "/v1/device/token"}
)
RAW_BODIES: dict[tuple[str, str], Any] = {
    ("post", "/v1/jobs"): {"anyOf": [{"$ref": REF.format(model=m)} for m in ("JobFile", "JobBatch")]},
    ("post", "/v1/placements/explain"): {"$ref": REF.format(model="JobFile")},
    ("post", "/v1/agent/report"): {"$ref": REF.format(model="Report")},
    ("post", "/v1/centres/{centre}/ratings"): {"$ref": REF.format(model="SignedRating")},
    ("post", QUERY): {"$ref": REF.format(model="DeltaQuery")},
}
"""Bodies that the application itself reads."""
WRONG: dict[str, Any] = {
    "description": "What is wrong, as RFC 9457 says it.",
    "content": {"application/problem+json": {"schema": {"$ref": REF.format(model="Problem")}}},
}
DELTA_WRONG: dict[str, Any] = {
    "description": "What is wrong, as Delta Sharing says it.",
    "content": {"application/json": {"schema": {"$ref": REF.format(model="DeltaError")}}},
}


def document(app: FastAPI) -> dict[str, Any]:
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    found: dict[str, Any] = get_openapi(
        title="Baygrid",
        version=__version__,
        summary="A region's AI compute and data as one place.",
        routes=routes,
    )
    models = {model for route in routes if (model := body_model(route))}
    models |= {schemas.Problem, job_schemas.JobFile, job_schemas.JobBatch, DeltaError, DeltaQuery}
    _, ours = models_json_schema([(m, "validation") for m in sorted(models, key=str)], ref_template=REF)
    report = TypeAdapter(Report).json_schema(ref_template=REF)
    rating = TypeAdapter(SignedRating).json_schema(ref_template=REF)
    components = found.setdefault("components", {})
    schemas_found = components.setdefault("schemas", {})
    schemas_found.update(ours["$defs"] | report.pop("$defs") | rating.pop("$defs"))
    schemas_found.update({"Report": report, "SignedRating": rating})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas_found.pop(name, None)
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    for route in routes:
        for method in route.methods or ():
            operation = found["paths"][route.path_format][method.lower()]
            _complete(operation, method.lower(), route)
    return found


def _complete(operation: dict[str, Any], method: str, route: APIRoute) -> None:
    model = body_model(route)
    schema = (
        {"$ref": REF.format(model=model.__name__)} if model else RAW_BODIES.get((method, route.path_format))
    )
    if schema is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = DELTA_WRONG if route.path_format.startswith(PREFIX) else WRONG
    if route.path_format not in OPEN:
        operation["security"] = [{"bearer": []}]
