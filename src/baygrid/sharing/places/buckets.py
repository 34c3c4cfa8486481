"""S3, and servers that speak it: `s3://BUCKET/KEY`, or all below `KEY/`.

A project names the server (`endpoint`), so every connection is judged by the guard, made to the address that
was judged, and led nowhere else. Requests are signed by botocore; sent they are by `staging.web`'s own
backend.
"""

from __future__ import annotations

import io
import re
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode
from xml.etree import ElementTree as Xml

import httpcore2
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from baygrid.core.jobs.addresses import Address, address
from baygrid.core.reading import Wrong
from baygrid.ports.reader import ReadFailed
from baygrid.sharing.places.allowed import Allowed
from baygrid.sharing.places.parts import Parts
from baygrid.sharing.places.place import MAX_FILES, Entry
from baygrid.staging.errors import Broken, Failed
from baygrid.staging.guard import NotAllowed, check_web
from baygrid.staging.pace import Pace
from baygrid.staging.web import Guarded

_SAFE: Final = "/-_.~"
_CODE: Final = re.compile(rb"<Code>([A-Za-z]{1,60})</Code>")
_TRIES: Final = 3
_BROKEN: Final = (
    Broken, Failed, httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Door:
    """How a bucket is asked. `endpoint` None: Amazon's, of that region. Without `key`: as nobody."""

    bucket: str
    endpoint: str | None
    region: str
    key: str | None
    secret: str | None

    @classmethod
    def of(cls, bucket: str, secrets: Mapping[str, str]) -> Door:
        return cls(
            bucket, secrets.get("endpoint"), secrets.get("region", "us-east-1"), secrets.get("key"),
            secrets.get("secret"),
        )  # fmt: skip

    @property
    def address(self) -> Address:
        """Of the bucket. Raises ReadFailed."""
        if self.endpoint is None:
            return Address("https", f"s3.{self.region}.amazonaws.com", 443, f"/{self.bucket}")
        try:
            at = address(self.endpoint)
        except Wrong as wrong:
            raise ReadFailed(f"the endpoint of its secret {wrong}") from None
        if at.scheme not in ("https", "http") or at.query or at.sha256:
            raise ReadFailed("the endpoint of its secret must be like https://s3.example.org")
        return Address(at.scheme, at.host, at.port, f"{at.path.rstrip('/')}/{self.bucket}")


def client_of(uri: str, secrets: Mapping[str, str], allowed: Allowed) -> closing[Client]:
    """Of the bucket of an address. Raises ReadFailed."""
    return closing(Client(Door.of(_address(uri).host, secrets), allowed))


def _address(uri: str) -> Address:
    try:
        return address(uri)
    except Wrong as wrong:
        raise ReadFailed(f"its address {wrong}") from None


class Bucket:
    """Implements `Place`: what lies at or below a key."""

    def __init__(self, uri: str, client: Client) -> None:
        """Raises ReadFailed."""
        self._client = client
        key = unquote(_address(uri).path[1:])
        self._base, self._only = f"{key.rstrip('/')}/", None
        if not key.endswith("/"):
            found = [each for each in self._client.list(key, 1) if each.path == key]
            if found:
                folder, _, self._only = key.rpartition("/")
                self._base = f"{folder}/" if folder else ""
        self._found: dict[str, Entry] = {}

    def entries(self, below: str = "") -> list[Entry]:
        prefix = self._base + (self._only or (f"{below}/" if below else ""))
        keys = self._client.list(prefix, MAX_FILES)
        found = [
            Entry(each.path.removeprefix(self._base), each.size, each.mark, each.at)
            for each in keys
            if (self._only is None and not each.path.endswith("/")) or each.path == prefix
        ]
        self._found |= {each.path: each for each in found}
        return sorted(found, key=lambda entry: entry.path)

    def open(self, path: str) -> io.RawIOBase:
        known = self._found.get(path)
        if known is None:
            size, mark = self._client.head(self._base + path)
            known = self._found[path] = Entry(path, size, mark, 0)
        entry = known
        return Parts(
            entry.size, lambda start, size: self._client.get(self._base + path, start, size, entry.mark)
        )


class Client:
    """Signed requests for one bucket. The whole time that they may take is the operator's (`Rules.max_s`)."""

    def __init__(self, door: Door, allowed: Allowed) -> None:
        self._door, self._at = door, door.address
        try:
            check_web(allowed.rules, self._at)
        except NotAllowed as error:
            raise ReadFailed(str(error)) from None
        self._pace = Pace(allowed.rules, allowed.clock)
        backend = Guarded(allowed.rules, allowed.resolve, self._pace)
        tls = None
        if self._at.scheme == "https":
            tls = ssl.create_default_context()
            if allowed.rules.ca is not None:
                tls.load_verify_locations(allowed.rules.ca)
        self._pool = httpcore2.ConnectionPool(ssl_context=tls, network_backend=backend)

    def close(self) -> None:
        self._pool.close()

    def list(self, prefix: str, limit: int) -> list[Entry]:
        """Keys that begin so, with their sizes. Raises ReadFailed, also for more than MAX_FILES."""
        found: list[Entry] = []
        token: str | None = None
        while True:
            asked = {"list-type": "2", "prefix": prefix, "max-keys": str(min(limit, 1000))}
            query = asked if token is None else asked | {"continuation-token": token}
            page = _parsed(self._asked("GET", "", query).content)
            found += [_entry(each) for each in page.findall("{*}Contents")]
            token = page.findtext("{*}NextContinuationToken")
            if not token or len(found) >= limit < MAX_FILES:
                return found
            if len(found) > MAX_FILES:
                raise ReadFailed(f"it has more than {MAX_FILES} files: pack them")

    def head(self, key: str) -> tuple[int, str]:
        """Bytes, and what changes with the content."""
        answer = self._asked("HEAD", key, {})
        return int(_header(answer, b"content-length") or 0), _header(answer, b"etag")

    def get(self, key: str, start: int, size: int, mark: str) -> bytes:
        """Raises ReadFailed, also where the object is another one by now."""
        headers = {"Range": f"bytes={start}-{start + size - 1}"} | ({"If-Match": mark} if mark else {})
        content = self._asked("GET", key, {}, headers).content
        if len(content) != size:
            raise ReadFailed(f"{self._door.bucket}/{key[:200]} is not as long as it was")
        return bytes(content)

    def _asked(
        self, method: str, key: str, query: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> httpcore2.Response:
        for left in reversed(range(_TRIES)):
            try:
                answer = self._request(method, key, query, headers or {})
            except NotAllowed as error:
                raise ReadFailed(str(error)) from None
            except _BROKEN:
                if left:
                    continue
                raise ReadFailed(f"the store of bucket {self._door.bucket} cannot be reached") from None
            if answer.status < 500 or not left:
                return _checked(answer, self._door.bucket, key)
        raise AssertionError("unreachable")

    def _request(
        self, method: str, key: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> httpcore2.Response:
        path = self._at.path + (f"/{quote(key, safe=_SAFE)}" if key else "")
        ask = urlencode(sorted(query.items()), quote_via=quote, safe="-_.~")
        host = str(Address(self._at.scheme, self._at.host, self._at.port, "/"))[:-1]
        url = f"{host}{path}" + (f"?{ask}" if ask else "")
        signed = AWSRequest(method, url, headers={**headers, "Host": host.partition("://")[2]})
        if self._door.key and self._door.secret:
            keys = Credentials(self._door.key, self._door.secret)
            S3SigV4Auth(keys, "s3", self._door.region).add_auth(signed)
        self._pace.head()
        sent = [(str(name).encode(), str(value).encode()) for name, value in signed.headers.items()]
        return self._pool.request(method, url, headers=sent)


def _checked(answer: httpcore2.Response, bucket: str, key: str) -> httpcore2.Response:
    if answer.status in (200, 206):
        return answer
    if answer.status == 404:
        raise ReadFailed(f"there is nothing at s3://{bucket}/{key[:200]}")
    if answer.status == 412:
        raise ReadFailed(f"s3://{bucket}/{key[:200]} was changed while it was read: try again")
    code = _CODE.search(answer.content)
    why = f"{answer.status} {code[1].decode()}" if code else str(answer.status)
    raise ReadFailed(f"the store of bucket {bucket} answered {why}")


def _parsed(content: bytes) -> Any:
    try:
        return Xml.fromstring(content)
    except Xml.ParseError:
        raise ReadFailed("its store does not speak S3") from None


def _entry(each: Any) -> Entry:
    at = datetime.fromisoformat(each.findtext("{*}LastModified"))
    mark = each.findtext("{*}ETag", "")
    return Entry(each.findtext("{*}Key"), int(each.findtext("{*}Size")), mark, int(at.timestamp() * 1000))


def _header(answer: httpcore2.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in answer.headers if key.lower() == name), "")
