"""Every address that is only read, in both the API and the portal, with names put in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from fastapi.routing import APIRoute

from baygrid.api.edge import _query_names
from baygrid.app.signing_in import COOKIE
from baygrid.portal.app import PAGES
from tests.tenants.region import Region, Tenant

NOTED = "/v1/audit/evidence/{contract}"
"""Whoever carries evidence out is noted in that same audit."""
READS = ("GET", "HEAD")
QUERIES = {
    "/v1/agent/desired": "incarnation=9&wait=0",
    "/v1/agent/tunnels": "wait=0",
    "/v1/indicators/compare": "top=companies.count&bottom=companies.count",
    "/v1/indicators/history": "id=companies.count",
    "/v1/members": "of=project:{project}",
    "/v1/invitations": "of=project:{project}",
    "/v1/files/{file}": "until=1&grant=g&recipient=r&sig=s",
    "/delta-sharing/shares/{share}/schemas/{schema}/tables/{table}/changes": "startingVersion=0",
    **{f"/v1/{kind}/{{number}}/pages": "format=csv" for kind in ("invoices", "credit-notes")},
    "/v1/projects/{project}/statement/pages": "format=csv",
    "/portal/members": "of=project:{project}",
    "/portal/tokens": "of=project:{project}",
    "/portal/jobs/{job}/outputs/{name}/file": "path={result}",
}
"""What these do not answer without."""
ALSO = {
    "/portal/submit": ("clone={job}",),
    "/portal/jobs": ("array={array}", "before={job}"),
    "/portal/members": ("of=organisation:{organisation}",),
    "/portal/data/persons": ("organisation={organisation}",),
    "/v1/members": ("of=organisation:{organisation}",),
    "/v1/invitations": ("of=organisation:{organisation}",),
    "/v1/audit": ("about={job}", "about={project}", "by={user}"),
    "/v1/tables": ("search={organisation}",),
}
"""Other questions that name something."""
FURTHER = ("/", "/portal", "/openapi.json", "/v1/jobs/{waiting}/explain", "/portal/jobs/{waiting}")
ONE = ("project", "array", "contract", "organisation", "pool")
FIXED = {
    "centre": "far",
    "schema": "main",
    "chart": "data.requests_unmet",
    "book": "example",
    "secret": "absent",
}


@dataclass(frozen=True)
class Ask:
    method: str
    address: str
    query: str = ""

    def url(self, things: Mapping[str, str]) -> str:
        address = self.address.replace(":path}", "}")
        for prefix, real in (("/v1/datasets", "dataset"), ("/outputs/", "out")):
            if prefix in address:
                address = address.replace("{name}", f"{{{real}}}")
        whole = f"{address}?{self.query}" if self.query else address
        return re.sub(r"\{(\w+)\}", lambda it: FIXED.get(it[1]) or things.get(it[1], "absent"), whole)

    @property
    def names(self) -> bool:
        """Whether it names something of somebody's."""
        return bool(set(re.findall(r"\{(\w+)", f"{self.address}?{self.query}")) - FIXED.keys())


def asks(region: Region) -> list[Ask]:
    found: list[Ask] = []
    for route in region.app.routes:
        if isinstance(route, APIRoute):
            for method in sorted(set(route.methods or ()) & set(READS)):
                known = _query_names(route.dependant)
                found.append(Ask(method, route.path, QUERIES.get(route.path, "")))
                found += [Ask(method, route.path, f"{name}={{{name}}}") for name in ONE if name in known]
    found += [Ask("GET", f"/portal/{it.path}") for it in PAGES if it.method == "GET"]
    found = [Ask(it.method, it.address, it.query or QUERIES.get(it.address, "")) for it in found]
    found += [Ask("GET", address, query) for address, queries in ALSO.items() for query in queries]
    return [*found, *(Ask("GET", address) for address in FURTHER)]


def askers(region: Region, tenant: Tenant) -> dict[str, dict[str, str]]:
    """Headers by who: everybody of this tenant, and who has nothing to do with any."""
    bearers = {who: {"Authorization": f"Bearer {secret}"} for who, secret in tenant.tokens.items()}
    cookies = {f"{who} (browser)": cookie(secret) for who, secret in tenant.sessions.items()}
    return {
        "nobody": {},
        **bearers,
        **cookies,
        "another centre": region.headers("hub"),
        "another centre (browser)": cookie(region.sessions["hub"]),
    }


def cookie(secret: str) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={secret}"}


FRESH = re.compile(r'name="key" value="form-\w+"')
"""A form can be sent once: it has an id that nothing else has."""


def told(answer: httpx2.Response) -> str:
    """All that an answer tells: status, headers, body."""
    headers = json.dumps(sorted((k, v) for k, v in answer.headers.items() if k != "date"))
    return FRESH.sub("", f"{answer.status_code}\n{headers}\n{answer.content.decode(errors='replace')}")


def sweep(
    region: Region, who: Mapping[str, dict[str, str]], things: Mapping[str, str]
) -> Iterator[tuple[str, Ask, Any]]:
    """What each gets at each address."""
    for name, headers in who.items():
        for ask in (it for it in asks(region) if it.address != NOTED):
            yield name, ask, region.client.request(ask.method, ask.url(things), headers=headers)
