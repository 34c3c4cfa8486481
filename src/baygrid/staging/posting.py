"""What goes out to an https address that somebody named: judged and connected as what comes in (`web`), but
nobody is followed elsewhere, and of the answer only the status counts."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import httpcore2

from baygrid.core.jobs.addresses import Address, address
from baygrid.core.reading import Wrong
from baygrid.ports.notices import NotDelivered
from baygrid.staging.errors import Broken, Failed
from baygrid.staging.guard import NotAllowed, check_web
from baygrid.staging.pace import Pace
from baygrid.staging.rules import Rules
from baygrid.staging.web import Guarded, Resolve, look_up

PATIENCE_S: Final = 20.0
"""For all of it: connecting, sending, and the head of the answer."""
_GONE: Final = 410


class WebCourier:
    """`ports.notices.Courier`. Safe for several threads."""

    def __init__(self, rules: Rules, clock: Callable[[], float], resolve: Resolve = look_up) -> None:
        self._rules = replace(rules, max_s=PATIENCE_S, head_s=PATIENCE_S)
        self._clock, self._resolve = clock, resolve
        self._tls = ssl.create_default_context()
        if rules.ca is not None:
            self._tls.load_verify_locations(rules.ca)

    def post(self, target: str, headers: Mapping[str, str], body: bytes) -> None:
        try:
            at = address(target)
            check_web(self._rules, at)
            status = self._status(at, headers, body)
        except (Wrong, NotAllowed, Broken, Failed) as error:
            raise NotDelivered(str(error)) from None
        if status == _GONE:
            raise NotDelivered(f"{at.host} answered 410: it wants no more", never=True)
        if not 200 <= status < 300:
            raise NotDelivered(f"{at.host} answered {status}")

    def _status(self, at: Address, headers: Mapping[str, str], body: bytes) -> int:
        pace = Pace(self._rules, self._clock)
        pace.head()
        name = str(Address(at.scheme, at.host, at.port, "/")).split("/")[2]
        sent = [(b"host", name.encode()), (b"user-agent", b"baygrid"), (b"content-length", b"%d" % len(body))]
        sent += [(key.encode(), value.encode()) for key, value in headers.items()]
        target = (at.path + at.query).encode()
        url = httpcore2.URL(scheme=at.scheme.encode(), host=at.host.encode(), port=at.port, target=target)
        backend = Guarded(self._rules, self._resolve, pace)
        try:
            with (
                httpcore2.ConnectionPool(ssl_context=self._tls, network_backend=backend) as pool,
                pool.stream("POST", url, headers=sent, content=body) as answer,
            ):
                return answer.status
        except httpcore2.ConnectError:
            raise Broken(f"{at.host} cannot be reached") from None
        except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise Broken(f"the connection to {at.host} broke ({type(error).__name__})") from None
