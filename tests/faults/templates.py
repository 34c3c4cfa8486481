"""Regions that have begun, made once and copied for each trial."""

from __future__ import annotations

import itertools
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from tests import services
from tests.faults.processes import Processes
from tests.faults.region import RATES, Region, Secrets


@dataclass(frozen=True)
class Template:
    """A project with money and a centre that its agent has reported. `database`: its name on `postgres`."""

    processes: Processes
    folder: Path
    embedded: bool
    secrets: Secrets
    postgres: services.Postgres | None
    database: str
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @contextmanager
    def copy(self, *, both: bool = False) -> Iterator[Region]:
        """A region that is not yet running. It is ended and removed with the block."""
        folder = self.folder.with_name(f"{self.folder.name}-{next(self._numbers)}")
        shutil.copytree(self.folder, folder)
        url = None
        name = f"{self.database}_{folder.name.rpartition('-')[2]}"
        if self.postgres is not None:
            _admin(self.postgres, "CREATE DATABASE {} TEMPLATE {}", name, self.database)
            url = self.postgres.url(name)
        region = Region(
            self.processes,
            folder,
            embedded=self.embedded,
            database=url,
            token=self.secrets.centre,
            both=both,
        )
        try:
            yield region
        finally:
            region.close()
            if self.postgres is not None:
                self.postgres.drop(name)
        shutil.rmtree(folder)  # kept when something failed


@contextmanager
def template(
    processes: Processes, folder: Path, postgres: services.Postgres | None, *, embedded: bool
) -> Iterator[Template]:
    """`postgres` None: on SQLite."""
    folder.mkdir()
    database = "" if postgres is None else postgres.create()
    url = None if postgres is None else postgres.url(database)
    region = Region(processes, folder, embedded=embedded, database=url)
    try:
        secrets = _begin(region)
    finally:
        region.close(signal.SIGTERM)  # in order, so that nobody is connected to what is copied
    yield Template(processes, folder, embedded, secrets, postgres, database)
    if postgres is not None:
        postgres.drop(database)


def _begin(region: Region) -> Secrets:
    region.start("server")
    region.until_up("server")
    operator = (region.folder / "server" / "operator.token").read_text()
    client = region.client(operator)
    team = client.post("/v1/tokens", {"role": "team", "project": "default"})["token"]
    if region.embedded:
        # Its own price is for partition main; a new price would have to be announced.
        client.post("/v1/offers", {"centre": "local", "partition": "dear", "currency": "CNY", **RATES})
        secret = ""
    else:
        client.post("/v1/centres", {"name": "hub", "jurisdiction": "CN-QH"})
        secret = client.post("/v1/tokens", {"role": "centre", "centre": "hub"})["token"]
        client.post("/v1/offers", {"centre": "hub", "partition": "main", "currency": "CNY", **RATES})
        region.token = secret
        region.start("agent")
    for event in client.events("/v1/events?follow=true"):
        if event["kind"] == "inventory-changed":
            break
    return Secrets(operator, team, secret)


def _admin(postgres: services.Postgres, statement: str, *names: str) -> None:
    with psycopg.connect(postgres.url(driver="postgresql"), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
