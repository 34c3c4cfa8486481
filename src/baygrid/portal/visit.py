"""One request for a page: who asks, in which language, by which clock; and the answers that pages give."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from baygrid.app.access import Actor
from baygrid.app.platform import Platform
from baygrid.app.problems import Forbidden, Malformed, Unauthorized
from baygrid.app.signing_in import Session
from baygrid.portal import session as sessions
from baygrid.portal.language import Language, Words, chosen, words
from baygrid.portal.voice import Voice, zone_of

PREFIX = "/portal"
FLASH = "baygrid-told"
YEAR_S = 365 * 86_400


@dataclass(frozen=True)
class Visit:
    """`body`: of a form. `here`: where the navigation stands."""

    request: Request
    platform: Platform
    body: bytes = b""
    here: str = ""

    @cached_property
    def session(self) -> Session:
        """Raises Unauthorized."""
        return sessions.find(self.platform, self.request)

    @cached_property
    def known(self) -> Session | None:
        """The session, on pages that are also for those who have none."""
        try:
            return self.session
        except Unauthorized:
            return None

    @property
    def actor(self) -> Actor:
        return self.session.actor

    @cached_property
    def language(self) -> Language:
        request, user = self.request, self.known.user if self.known else None
        by_choice = request.cookies.get("language") or (user.language if user else None)
        return chosen(by_choice, request.headers.get("accept-language"))

    @cached_property
    def voice(self) -> Voice:
        zone = unquote(self.request.cookies.get("zone", ""))
        return Voice(self.language, zone_of(zone or None))

    @property
    def words(self) -> Words:
        return words(self.language.tag)

    @cached_property
    def now(self) -> int:
        """The same moment all over a page, in ms."""
        return self.platform.clock()

    def say(self, message: str, **values: object) -> str:
        """A text in the reader's language; `%(name)s` stands for a value."""
        said = self.words.get(message)
        return said % values if values else said

    def param(self, name: str) -> str:
        """A part of the address."""
        return str(self.request.path_params[name])

    def asked(self, name: str, default: str = "") -> str:
        """A query parameter, without control characters."""
        value = self.request.query_params.get(name, default)
        return "".join(filter(str.isprintable, value))

    def url(self, path: str = "", /, **query: object) -> str:
        """An address of the portal: `visit.url("jobs/job-1", tab="log")`."""
        asked = urlencode({name: value for name, value in query.items() if value not in (None, "")})
        return f"{PREFIX}/{quote(path)}" + (f"?{asked}" if asked else "")

    @cached_property
    def form(self) -> Form:
        return form(self)


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed, with the spaces around it taken off, except in longer texts (see `text`)."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def get(self, name: str, default: str = "") -> str:
        values = self.fields.get(name)
        return values[-1].strip() if values else default

    def text(self, name: str) -> str:
        """As it was typed, with one kind of line end."""
        values = self.fields.get(name)
        return values[-1].replace("\r\n", "\n") if values else ""

    def all(self, name: str) -> list[str]:
        return [value.strip() for value in self.fields.get(name, ())]

    def __contains__(self, name: str) -> bool:
        return name in self.fields


def form(visit: Visit) -> Form:
    """The fields of a POST. Raises Malformed; Forbidden unless one of our own pages sent it."""
    kind = visit.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Malformed("send the form as application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(visit.body.decode(), keep_blank_values=True, max_num_fields=500, errors="strict")
    except ValueError:
        raise Malformed("this form cannot be read: go back and send it again") from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\0" in value:
            raise Malformed("this form has a NUL character in it: take it out")
        fields.setdefault(name, []).append(value)
    return Form(fields)


def check_origin(request: Request) -> None:
    """A browser says from which page a form was sent. Raises Forbidden for one that is not ours."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    foreign = site not in (None, "same-origin", "none")
    if origin is not None:
        foreign = foreign or urlsplit(origin).netloc != request.headers.get("host")
    if foreign:
        raise Forbidden("this form was not sent by a page of this portal: open the page again and send it")


def check_csrf(visit: Visit) -> None:
    """Raises Forbidden for a form that is not of this session."""
    if not hmac.compare_digest(visit.form.get("csrf").encode(), visit.session.csrf.encode()):
        raise Forbidden("this form is of another session: open the page again and send it once more")


def inside(address: str | None) -> str:
    """Where to go next: only ever a page of ours, whatever a link says."""
    address = address or ""
    plain = address.isascii() and address.isprintable() and "\\" not in address
    if plain and (address == PREFIX or address.startswith(f"{PREFIX}/")):
        return address
    return f"{PREFIX}/"


def go(visit: Visit, path: str, told: str | None = None, **query: object) -> Response:
    """The answer to a form: look there now. `told`: a sentence that the next page shows once."""
    response = RedirectResponse(visit.url(path, **query), 303)
    if told is not None:
        response.set_cookie(FLASH, quote(json.dumps(told)), 60, path=PREFIX, httponly=True, samesite="lax")
    return response


def told(request: Request) -> str | None:
    """What the page before wanted to have shown."""
    kept = request.cookies.get(FLASH)
    try:
        said: Any = json.loads(unquote(kept)) if kept else None
    except (ValueError, RecursionError):
        return None
    return said[:500] if isinstance(said, str) else None
