"""One shared table: which version it has, what its columns are, its files, its changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from baygrid.api.delta import asked, lines, pages
from baygrid.api.delta.asked import Capabilities, Changes, Query
from baygrid.api.delta.edge import PREFIX, DeltaRoute, Reading, Recipient
from baygrid.api.edge import Responses, parse_json
from baygrid.api.files import address
from baygrid.app import delivering, downloads, grants, shared_tables
from baygrid.app.delivering import Delivery, Hints, Part
from baygrid.app.shared_tables import Known, NotReady
from baygrid.core.data.delta_schema import schema_string
from baygrid.ports.basics import Instant
from baygrid.ports.reader import Column

T = TypeVar("T")
router = APIRouter(prefix=PREFIX, route_class=DeltaRoute, tags=["delta sharing"])
WAIT_S: Final = 20.0
"""So long a question waits for files that are being made. Then it is told to come again, as the Python client
does ten times within a minute and a half, and waits as long each time."""
TOPIC: Final = "shares"
_TABLE: Final = "/shares/{share}/schemas/{schema}/tables/{table}"
_LINES: Final[Responses] = {200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}}
_TIMES: Final = {"type": "string", "example": "2026-11-01T00:00:00Z"}
_NUMBERS: Final = {"type": "integer", "minimum": 0}


def _documented(**schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters that `asked` reads, for the OpenAPI document."""
    return {"parameters": [{"name": name, "in": "query", "schema": it} for name, it in schemas.items()]}


_OF_VERSION: Final = _documented(version=_NUMBERS, timestamp=_TIMES)
_OF_CHANGES: Final = _documented(
    startingVersion=_NUMBERS,
    startingTimestamp=_TIMES,
    endingVersion=_NUMBERS,
    endingTimestamp=_TIMES,
    maxFiles={"type": "integer", "minimum": 1},
    pageToken={"type": "string"},
)
Said = Annotated[str | None, Header(alias="delta-sharing-capabilities")]
Scheme = Annotated[str | None, Header(alias="fileidhash")]


@router.get(_TABLE + "/version", response_class=Response)
def get_version(
    share: str,
    schema: str,
    table: str,
    call: Recipient,
    startingTimestamp: str | None = None,  # noqa: N803 - the protocol's name
) -> Response:
    """In the header Delta-Table-Version: the newest, or the oldest that was made at or after a time."""
    it = _known(call, share, schema, table)
    if startingTimestamp is None:
        number = shared_tables.history(call.platform, it).newest.number
    else:
        at = asked.instant("startingTimestamp", startingTimestamp)
        number = shared_tables.since(call.platform, it, at).number
    return Response(headers={"delta-table-version": str(number)})


@router.head(_TABLE, response_class=Response, deprecated=True)
def head_version(share: str, schema: str, table: str, call: Recipient) -> Response:
    """As `/version`."""
    return get_version(share, schema, table, call)


@router.get(_TABLE + "/metadata", response_class=Response, responses=_LINES, openapi_extra=_OF_VERSION)
def get_metadata(
    share: str, schema: str, table: str, request: Request, call: Recipient, capabilities: Said = None
) -> Response:
    """Two lines: the protocol's version, and the table's columns, as of now, a version or a time."""
    said = replace(asked.capabilities(capabilities), end=False)
    number, at = asked.version_of(request.query_params)
    it = _known(call, share, schema, table)
    version = shared_tables.version_of(call.platform, it, number, at)
    columns = shared_tables.columns_of(call.platform, it, version.number)
    named = None if number is None and at is None else version.number
    return lines.ndjson(_head(it, columns, said, named), version.number, said.header())


@router.post(_TABLE + "/query", response_class=Response, responses=_LINES)
async def query_table(
    share: str,
    schema: str,
    table: str,
    request: Request,
    call: Recipient,
    capabilities: Said = None,
    fileidhash: Scheme = None,
) -> Response:
    """The files of a version with its rows; with `startingVersion`, what changed since."""
    said, scheme = asked.capabilities(capabilities), asked.file_id_hash(fileidhash)
    question = asked.query_of(parse_json(await request.body() or b"{}"))

    def work() -> Response | None:
        it = _known(call, share, schema, table)
        found = _page_of(call, it, question) if question.page else _queried(call, it, question)
        if found is None:
            return None
        kinds = ("file", "file") if question.first is None else ("add", "remove")
        named = question.first is not None or question.version is not None or question.at is not None
        return _answer(call, it, found, question, said, scheme, kinds, named=named)

    return await _when_made(call, work)


@router.get(_TABLE + "/changes", response_class=Response, responses=_LINES, openapi_extra=_OF_CHANGES)
async def get_changes(
    share: str,
    schema: str,
    table: str,
    request: Request,
    call: Recipient,
    capabilities: Said = None,
    fileidhash: Scheme = None,
) -> Response:
    """The files of the change data feed from a version or time to another or the newest, both included."""
    said, scheme = asked.capabilities(capabilities), asked.file_id_hash(fileidhash)
    question = asked.changes_of(request.query_params)

    def work() -> Response | None:
        it = _known(call, share, schema, table)
        found = _page_of(call, it, question) if question.page else _changed(call, it, question)
        if found is None:
            return None
        return _answer(call, it, found, question, said, scheme, ("cdf", "cdf"), named=True)

    return await _when_made(call, work)


async def _when_made(call: Reading, work: Callable[[], T | None]) -> T:
    """What `work` gives once it gives something. Raises NotReady after WAIT_S."""
    clock = asyncio.get_running_loop().time
    until = clock() + WAIT_S
    with call.server.hub.waiter(TOPIC) as waiter:
        while True:
            found = await run_in_threadpool(work)
            if found is not None:
                return found
            left = until - clock()
            if waiter.closed or left <= 0 or not await waiter.wait(left):
                raise NotReady("the files of this table are being made: ask again in a moment")


def _known(call: Reading, share: str, schema: str, table: str) -> Known:
    """Raises NotFound, ReadRefused."""
    permit = grants.may_read(call.platform, call.bearer, share, schema, table)
    return shared_tables.known(call.platform, permit)


def _queried(call: Reading, it: Known, question: Query) -> Delivery | None:
    if question.first is not None:
        start = shared_tables.version_of(call.platform, it, question.first, None)
        return delivering.changes_of(call.platform, it, start, question.last)
    return delivering.rows_of(call.platform, it, question.version, question.at, _hints(question))


def _changed(call: Reading, it: Known, question: Changes) -> Delivery | None:
    if question.since is not None:
        start = shared_tables.since(call.platform, it, question.since)
    else:
        start = shared_tables.version_of(call.platform, it, question.first, None)
    last = question.last
    if question.until is not None:
        last = shared_tables.as_of(call.platform, it, question.until).number
    return delivering.changes_of(call.platform, it, start, last)


def _page_of(call: Reading, it: Known, question: Query | Changes) -> Delivery | None:
    """A later page: of the same snapshots as the first."""
    place = pages.place_of(question.page or "", _digest(question))
    hints = _hints(question) if isinstance(question, Query) else Hints()
    return delivering.again(call.platform, it, place.snapshots, hints)


def _hints(question: Query) -> Hints:
    if question.first is not None:
        return Hints()
    return Hints(question.predicates, question.json_predicate, question.limit)


def _digest(question: Query | Changes) -> str:
    """Of all but the page: so many files of it may be asked for as one likes."""
    return pages.digest(replace(question, page=None, most=None))


def _head(it: Known, columns: Sequence[Column], said: Capabilities, version: int | None) -> list[Any]:
    names = [(column.name, column.type, column.nullable) for column in columns]
    told = lines.Metadata(it.permit.grant.id, it.permit.grant.name, schema_string(names), it.changes, version)
    return [lines.protocol(said.format), lines.metadata(told, said.format)]


def _answer(
    call: Reading,
    it: Known,
    found: Delivery,
    question: Query | Changes,
    said: Capabilities,
    scheme: Mapping[str, str],
    kinds: tuple[str, str],
    *,
    named: bool,
) -> Response:
    """`kinds`: what files of rows that came and of rows that went are called. `named`: the reader named a
    version, so that each file tells its own."""
    start = 0 if question.page is None else pages.place_of(question.page, _digest(question)).start
    most = len(found.parts) if question.most is None else question.most
    page = found.parts[start : start + most]
    delivering.served(call.platform, it, found, page)
    until = downloads.until(call.platform)
    files = [lines.file(_line(call, it, part, until, kinds, named=named), said.format) for part in page]
    version = found.version if named else None
    answer = [*_head(it, found.columns, said, version), *files]
    if said.end or question.most is not None:
        more = start + most < len(found.parts)
        place = pages.Place(found.snapshots, start + most, _digest(question))
        answer.append(lines.end(pages.token_of(place) if more else None, until if page else None))
    return lines.ndjson(answer, found.version, {**said.header(), **scheme})


def _line(
    call: Reading, it: Known, part: Part, until: Instant, kinds: tuple[str, str], *, named: bool
) -> lines.FileLine:
    came, went = kinds
    file = part.file
    return lines.FileLine(
        went if file.change == "went" else came,
        address(call.base, call.platform, file, it.permit.grant.id, call.bearer.token, until),
        file.id,
        file.size,
        file.stats,
        until,
        part.number if named else None,
        part.at if named else None,
    )
