"""The same rows in every kind of source."""

from __future__ import annotations

import hashlib
import io
import shutil
from abc import ABC, abstractmethod
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from deltalake import write_deltalake
from psycopg import sql

from baygrid.client.pack import pack
from baygrid.ports.reader import Format, Source
from baygrid.sharing.places.allowed import Allowed
from baygrid.staging.rules import Own, Rules
from baygrid.store.objects import open_objects
from tests.services import S3_KEYS

LOOPBACK = (Own(ip_network("127.0.0.0/8")),)
KEYS = {"key": S3_KEYS["aws_access_key_id"], "secret": S3_KEYS["aws_secret_access_key"]}
TYPES = {
    pa.int64(): "bigint", pa.string(): "text", pa.float64(): "double precision", pa.date32(): "date",
    pa.timestamp("us", "UTC"): "timestamptz", pa.bool_(): "boolean", pa.timestamp("us"): "timestamp",
}  # fmt: skip


class Site(ABC):
    """Puts rows where a source tells to find them; again: in place of those."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def allowed(self) -> Allowed:
        return Allowed((self.folder,))

    @abstractmethod
    def put(self, table: pa.Table) -> Source: ...


class ParquetFile(Site):
    def put(self, table: pa.Table) -> Source:
        pq.write_table(table, self.folder / "t.parquet")
        return Source(Format.PARQUET, f"file://{self.folder}/t.parquet")


class ParquetFolder(Site):
    """Two files, and notes of another program."""

    def put(self, table: pa.Table) -> Source:
        for half, name in ((table.slice(0, 2), "a/one.parquet"), (table.slice(2), "two.parquet")):
            (self.folder / "t" / name).parent.mkdir(exist_ok=True, parents=True)
            pq.write_table(half, self.folder / "t" / name, row_group_size=2)
        (self.folder / "t/_SUCCESS").write_text("")
        return Source(Format.PARQUET, f"file://{self.folder}/t")


class DeltaFolder(Site):
    def put(self, table: pa.Table) -> Source:
        write_deltalake(self.folder / "d", table, partition_by=["region"], mode="overwrite")
        return Source(Format.DELTA, f"file://{self.folder}/d")


class CsvFile(Site):
    def put(self, table: pa.Table) -> Source:
        pc.write_csv(table, self.folder / "t.csv")
        return Source(Format.CSV, f"file://{self.folder}/t.csv")


class BlobObject(Site):
    @property
    def allowed(self) -> Allowed:
        return Allowed(objects=partial(open_objects, str(self.folder / "objects")))

    def put(self, table: pa.Table) -> Source:
        into = io.BytesIO()
        pq.write_table(table, into)
        digest = hashlib.sha256(into.getvalue()).hexdigest()
        objects = open_objects(str(self.folder / "objects"))
        objects.put(f"blobs/{digest[:2]}/{digest}", iter([into.getvalue()]))
        return Source(Format.PARQUET, f"blob:{digest}")


class BlobOfFolder(BlobObject):
    """A folder as `baygrid datasets create --from` sends it."""

    def put(self, table: pa.Table) -> Source:
        ParquetFolder(self.folder).put(table)
        packed = pack(self.folder / "t", self.folder)
        data = packed.path.read_bytes()
        objects = open_objects(str(self.folder / "objects"))
        objects.put(f"blobs/{packed.sha256[:2]}/{packed.sha256}", iter([data]))
        return Source(Format.PARQUET, f"blob:{packed.sha256}")


class Bucket(Site):
    """Of a real server. `kind`: what is put into it."""

    def __init__(self, folder: Path, kind: Site, endpoint: str) -> None:
        super().__init__(folder)
        self._kind, self._endpoint = kind, endpoint
        self.client: Any = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **S3_KEYS)

    @property
    def allowed(self) -> Allowed:
        return Allowed(rules=Rules(http=(self._endpoint.removeprefix("http://"),), own=LOOPBACK))

    def put(self, table: pa.Table) -> Source:
        self.empty()
        source = self._kind.put(table)
        path = Path(source.uri.removeprefix("file://"))
        files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
        for file in files:
            key = f"some folder/{file.relative_to(path.parent)}"
            self.client.put_object(Bucket="bay", Key=key, Body=file.read_bytes())
        if path.is_file():
            path.unlink()
        else:
            shutil.rmtree(path)
        uri = f"s3://bay/some%20folder/{path.name}"
        return Source(source.format, uri, secrets=KEYS | {"endpoint": self._endpoint})

    def empty(self) -> None:
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket="bay"):
            for one in page.get("Contents", ()):
                self.client.delete_object(Bucket="bay", Key=one["Key"])


class Database(Site):
    """PostgreSQL. `url`: of an empty database."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self._url = url.replace("+psycopg", "")

    @property
    def allowed(self) -> Allowed:
        return Allowed(rules=Rules(own=LOOPBACK))

    def put(self, table: pa.Table) -> Source:
        with psycopg.connect(self._url) as connection:
            connection.execute("DROP TABLE IF EXISTS t")
            fields = [(sql.Identifier(field.name), sql.SQL(TYPES[field.type])) for field in table.schema]
            columns = sql.SQL(", ").join(sql.SQL("{} {}").format(*each) for each in fields)
            connection.execute(sql.SQL("CREATE TABLE t ({})").format(columns))
            into = sql.SQL("COPY t FROM STDIN")
            with connection.cursor() as cursor, cursor.copy(into) as copy:
                for row in table.to_pylist():
                    copy.write_row(list(row.values()))
        uri = "postgresql://" + self._url.partition("@")[2]
        return Source(Format.POSTGRESQL, uri, "public.t", {"user": "postgres", "password": "not needed"})
