"""`baygrid.Client`: what the command line can do for a team, for programs and notebooks."""

from __future__ import annotations

import codecs
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, overload

from baygrid.client import config, fetching, jobfile, preparing, waiting, wire
from baygrid.client.connection import Connection
from baygrid.client.display import Listing
from baygrid.client.errors import BaygridError, JobFailed
from baygrid.client.rows import MOST, Rows, gathered, stream
from baygrid.client.telling import Noting
from baygrid.client.values import Array, Bill, Explanation, Job, Offer, Output, SharedTable, Table
from baygrid.client.waiting import Standing

JobLike = Mapping[str, Any] | str | PathLike[str]
"""The fields of a job file, or the path of one."""
_LOG: Final = logging.getLogger("baygrid")


class Client:
    """One server, one token: as given, else BAYGRID_SERVER and BAYGRID_TOKEN, else as `baygrid login` left
    them. `tell` takes sentences about what happens on the way; else they are logged.

    Whatever cannot be done raises BaygridError with the words of the server. A connection that breaks is
    tried again where that does nothing twice; what is submitted is never doubled by it."""

    def __init__(
        self,
        server: str | None = None,
        token: str | None = None,
        *,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        access = config.access(server, token, os.environ)
        self._connection = Connection(access.server, access.token)
        self._teller = Noting(tell or _LOG.info)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.server!r})"

    def close(self) -> None:
        self._connection.close()

    @property
    def server(self) -> str:
        return self._connection.server

    # Jobs

    def submit(self, job: JobLike | None = None, /, *, key: str | None = None, **fields: Any) -> Job | Array:
        """Sends workdir and inputs, and submits. `fields` replace those of the file; without one they are all
        of it. The same `key` (an Idempotency-Key) with the same job never makes a second one."""
        (made,) = preparing.submit(self._connection, [_file(job, fields)], self._teller, key)
        return self.job(made["id"])

    def job(self, id: str) -> Job | Array:
        """A job in full, or how an array stands."""
        if id.startswith(wire.ARRAY):
            return Array.of(self._connection.array(id))
        return Job.of(self._connection.job(id))

    def jobs(
        self,
        *,
        state: str | None = None,
        project: str | None = None,
        array: str | None = None,
        limit: int | None = 20,
    ) -> Listing[Job]:
        """The newest `limit` jobs (None: all of them), elements of arrays one by one."""
        found = self._connection.items("/v1/jobs", limit, state=state, project=project, array=array)
        return Listing(map(Job.of, found))

    def arrays(self, *, project: str | None = None, limit: int | None = 20) -> Listing[Array]:
        """The newest arrays."""
        return Listing(map(Array.of, self._connection.items("/v1/arrays", limit, project=project)))

    @overload
    def wait(
        self,
        job: Array,
        progress: Callable[[Array], None] | None = None,
        *,
        seconds: float | None = None,
        check: bool = True,
    ) -> Array: ...
    @overload
    def wait(
        self,
        job: Job,
        progress: Callable[[Standing], None] | None = None,
        *,
        seconds: float | None = None,
        check: bool = True,
    ) -> Job: ...
    @overload
    def wait(
        self,
        job: Job | Array | str,
        progress: Callable[[Any], None] | None = None,
        *,
        seconds: float | None = None,
        check: bool = True,
    ) -> Job | Array: ...
    def wait(
        self,
        job: Job | Array | str,
        progress: Callable[[Any], None] | None = None,
        *,
        seconds: float | None = None,
        check: bool = True,
    ) -> Job | Array:
        """Until it has ended. `progress` is told whenever something changes: a Standing, of an array the
        Array. Raises NotYet after `seconds`, and with `check` JobFailed unless it succeeded."""
        id, tell = _id(job), progress or (lambda _: None)
        ended: Job | Array
        if id.startswith(wire.ARRAY):
            array = waiting.array_to_the_end(
                self._connection, id, lambda array: tell(Array.of(array)), seconds
            )
            ended, how = Array.of(array), f"{id} has ended: {wire.tally(array)}"
        else:
            watch = waiting.to_the_end(self._connection, self._connection.job(id), tell, seconds)
            ended, how = Job.of(watch.job), watch.verdict()
        if check and not ended.succeeded:
            raise JobFailed(how, ended)
        return ended

    def logs(
        self, job: Job | str, *, follow: bool = False, attempt: str | None = None, offset: int = 0
    ) -> Iterator[str]:
        """The log from the byte `offset` on, line by line without its ends; with `follow` until the job ends,
        whatever breaks on the way."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        rest = ""
        for data in self._connection.log(_id(job), attempt=attempt, offset=offset, follow=follow):
            *lines, rest = (rest + decoder.decode(data)).split("\n")
            yield from lines
        rest += decoder.decode(b"", final=True)
        if rest:
            yield rest

    def cancel(self, job: Job | Array | str) -> Job | Array:
        """Stops it. What it used until then is charged."""
        id = _id(job)
        if id.startswith(wire.ARRAY):
            return Array.of(self._connection.post(f"/v1/arrays/{id}/cancel"))
        return Job.of(self._connection.post(f"/v1/jobs/{id}/cancel"))

    def explain(self, what: Job | JobLike, /, **fields: Any) -> Explanation:
        """Of a job or its id: why it is where it is, or waits. Of the fields or the file of a job: where it
        would go now and at what cost; nothing is sent or held."""
        if isinstance(what, Job) or (isinstance(what, str) and not jobfile.is_file(what)):
            return Explanation.of(self._connection.explain_job(_id(what)))
        document = preparing.named(self._connection, _file(what, fields))
        return Explanation.of(self._connection.explain_document(document))

    def outputs(self, job: Job | str) -> Listing[Output]:
        """What a job left behind."""
        return Listing(map(Output.of, self._connection.get(f"/v1/jobs/{_id(job)}/outputs")["items"]))

    def download(self, job: Job | Array | str, to: str | PathLike[str] | None = None) -> list[Path]:
        """Fetches and unpacks what a job or the elements of an array made: into the folders that the job file
        names, or each into one of its own below `to`. The folders."""
        id, below = _id(job), None if to is None else Path(to)
        if id.startswith(wire.ARRAY):
            fetched = fetching.fetch_array(self._connection, id, self._teller, below)
        else:
            fetched = fetching.fetch(self._connection, self._connection.job(id), self._teller, below)
        return [Path(one["path"]) for one in fetched]

    # Prices and money

    def offers(self) -> Listing[Offer]:
        """What can be had at which price."""
        return Listing(map(Offer.of, self._connection.items("/v1/offers")))

    def bill(
        self,
        job: Job | str | None = None,
        *,
        project: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Bill:
        """What a job was charged, or the project in [start, end). A time without a zone is local."""
        if job is not None and (project or start or end):
            raise BaygridError(
                "a job's bill has no project and no time", code="invalid", cure="leave them out"
            )
        path = (
            f"/v1/jobs/{_id(job)}/bill"
            if job is not None
            else f"/v1/projects/{project or self._connection.own_project()}/bill"
        )
        return Bill.of(self._connection.get(path, **{"from": _instant(start), "to": _instant(end)}))

    # Data

    def tables(self, search: str | None = None, *, project: str | None = None) -> Listing[Table]:
        """Tables that projects offer, by words of their titles, columns, places and labels."""
        return Listing(map(Table.of, self._connection.items("/v1/tables", search=search, project=project)))

    def shared(self) -> Listing[SharedTable]:
        """Tables that a contract lets the project read. Whether the law does, is asked at each read."""
        own = self._connection.get("/v1/me")["project"]
        return Listing(
            table
            for contract in self._connection.items("/v1/contracts")
            if contract["state"] == "FINALIZED" and not contract["suspended"] and contract["consumer"] == own
            for table in SharedTable.all_of(contract)
        )

    def sql(self, query: str, *, rows: int | None = None, project: str | None = None) -> Rows:
        """Asks shared tables, in DuckDB's dialect. With `rows` so many at most, and `more` says whether there
        were others; without it an answer that had to be cut is an error."""
        found, _ = gathered(stream(self._connection, query, MOST if rows is None else rows, project))
        if rows is None and found.more:
            raise BaygridError(
                f"the answer has more than the {len(found):,} rows that fit",
                code="too-large",
                cure="ask for fewer rows or columns, or say rows= for the first of them",
            )
        return found

    def read(
        self,
        table: SharedTable | str,
        *,
        columns: list[str] | None = None,
        where: str | None = None,
        rows: int | None = None,
        project: str | None = None,
    ) -> Rows:
        """A shared table, all of it or these columns of the rows of which `where` (SQL) is true."""
        name = table.name if isinstance(table, SharedTable) else table
        if isinstance(table, SharedTable) and table.least is not None:
            raise BaygridError(
                f"of {name} only figures over at least {table.least} persons are shared",
                code="invalid",
                cure="ask for figures with sql()",
            )
        wanted = "*" if columns is None else ", ".join(map(_quoted, columns))
        query = f"SELECT {wanted} FROM {'.'.join(map(_quoted, name.split('.')))}"  # noqa: S608 - quoted
        return self.sql(f"{query} WHERE {where}" if where else query, rows=rows, project=project)


def _file(job: JobLike | None, fields: Mapping[str, Any]) -> jobfile.JobFile:
    if job is None or isinstance(job, Mapping):
        return jobfile.of({**(job or {}), **fields}, Path.cwd())
    return jobfile.read(os.fspath(job), **fields)


def _id(job: Job | Array | str) -> str:
    return job if isinstance(job, str) else job.id


def _instant(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone().isoformat(timespec="milliseconds")


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
