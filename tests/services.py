"""Real services for tests, benchmarks and scripts: started privately, stopped when their block ends."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import boto3
import psycopg
from psycopg import sql

POSTGRES = Path(__file__).parents[1] / "scripts" / "postgres.sh"
NOT_INSTALLED = 3  # scripts/postgres.sh says so


class Missing(Exception):
    """The service's programs are not on this machine; the message says how to get them."""


def free_port() -> int:
    """A port nobody listens on now. Somebody may take it before you do: be ready to ask again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_ports(among: range, needed: Iterable[int]) -> int:
    """One of `among` after which nobody listens now on any port as far from it as `needed` says."""
    offsets = tuple(needed)
    for first in random.sample(among, len(among)):
        with suppress(OSError):
            for offset in offsets:
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", first + offset))
            return first
    raise AssertionError("no free ports")


@dataclass(frozen=True)
class Postgres:
    """A running server that is ours alone."""

    port: int

    def url(self, database: str = "postgres", driver: str = "postgresql+psycopg") -> str:
        return f"{driver}://postgres@127.0.0.1:{self.port}/{database}"

    def create(self) -> str:
        """A new empty database; its name."""
        name = f"t_{uuid.uuid4().hex}"
        self._admin(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        return name

    def drop(self, name: str) -> None:
        """Gone, whoever is still connected."""
        self._admin(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _admin(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(driver="postgresql"), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """A fresh PostgreSQL server for the length of the block. `durable`: its commits reach the disk."""
    where, server = _start(durable)
    try:
        yield server
    finally:
        _script("stop", where)


def _start(durable: bool) -> tuple[str, Postgres]:
    for tries_left in (2, 1, 0):
        # Not in pytest's folder: user postgres may not enter it, and a socket's path must be short.
        where, port = tempfile.mkdtemp(prefix="baygrid-pg-"), free_port()
        try:
            _script("start", where, str(port), durable=durable)
        except RuntimeError:  # somebody took the port
            shutil.rmtree(where)
            if not tries_left:
                raise
        except BaseException:
            shutil.rmtree(where)
            raise
        else:
            return where, Postgres(port)
    raise AssertionError("unreachable")


def _script(*arguments: str, durable: bool = False) -> None:
    environment = {**os.environ, "DURABLE": "1" if durable else ""}
    done = subprocess.run(
        [POSTGRES, *arguments], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode == NOT_INSTALLED:
        raise Missing("needs PostgreSQL: run scripts/postgres.sh install")
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())


S3_KEYS = {"aws_access_key_id": "baygrid", "aws_secret_access_key": "not-a-secret"}


@contextmanager
def s3(home: Path) -> Iterator[str]:
    """A real S3 server with one bucket, `bay`."""
    weed = shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert weed is not None
    keys = {"accessKey": S3_KEYS["aws_access_key_id"], "secretKey": S3_KEYS["aws_secret_access_key"]}
    identity = {"name": "baygrid", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List"]}
    (home / "s3.json").write_text(json.dumps({"identities": [identity]}))
    ports = {
        name: free_port() for part in ("master", "volume", "filer", "s3") for name in (part, f"{part} grpc")
    }
    command = [weed, "server", f"-dir={home}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"]
    command += [f"-s3.config={home}/s3.json", "-master.volumeSizeLimitMB=64", "-volume.max=20"]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]  # two servers at once would want the same ports
    command += [
        f"-{name.replace(' ', '.port.') if ' ' in name else name + '.port'}={port}"
        for name, port in ports.items()
    ]
    with (home / "weed.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    endpoint = f"http://127.0.0.1:{ports['s3']}"
    try:
        client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **S3_KEYS)
        wait = threading.Event()
        for _ in range(900):  # it does not say when it is ready
            try:
                client.create_bucket(Bucket="bay")
                break
            except Exception:  # noqa: BLE001 - nobody answers yet, or with an error
                assert server.poll() is None, f"it ended: {(home / 'weed.log').read_text()[-2000:]}"
                wait.wait(0.1)
        else:
            raise AssertionError(f"it answers nothing: {(home / 'weed.log').read_text()[-2000:]}")
        client.close()
        yield endpoint
    finally:
        server.send_signal(signal.SIGKILL)  # it takes long to end otherwise
        server.wait(timeout=30)
        for port in ports.values():
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                left.unlink()
