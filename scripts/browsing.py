"""A browser without scripts: keeps cookies, follows answers, fills in forms of pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, Request, build_opener


class NoForm(Exception):
    """A page has no such form, or did not take what was filled in."""


@dataclass
class Form:
    """`values`: of its fields as the page has them. `buttons`: names of those that say something."""

    action: str
    values: dict[str, str] = field(default_factory=dict)
    buttons: set[str] = field(default_factory=set)


class _Forms(HTMLParser):
    """The forms of a page, with what is in their fields already."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._within = ("", "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(has.get("action", "")))
        if not self.found:
            return
        values = self.found[-1].values
        if (
            tag == "input"
            and "name" in has
            and (has.get("type") not in ("checkbox", "radio") or "checked" in has)
        ):
            values[has["name"]] = has.get("value", "")
        elif tag == "button" and "name" in has:
            self.found[-1].buttons.add(has["name"])
        elif tag in ("textarea", "select"):
            self._within = (tag, has.get("name", ""))
        elif tag == "option" and ("selected" in has or self._within[1] not in values):
            values[self._within[1]] = has.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._within[0] == "textarea":
            values = self.found[-1].values
            values[self._within[1]] = values.get(self._within[1], "") + data

    def handle_endtag(self, tag: str) -> None:
        if tag == self._within[0]:
            if tag == "textarea":
                text = self.found[-1].values.get(self._within[1], "")
                self.found[-1].values[self._within[1]] = text.removeprefix("\n")
            self._within = ("", "")


def forms(page: str) -> list[Form]:
    """In their order, each with the values that would be sent as it stands."""
    reader = _Forms()
    reader.feed(page)
    return reader.found


class Browser:
    """One person at one server."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.address = server
        self.text = ""
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def open(self, path: str, timeout: float = 30.0) -> str:
        return self._go(Request(urljoin(self.address, path)), timeout)

    def send(self, action: str, values: Mapping[str, str], timeout: float = 30.0) -> str:
        """Fills in the form of this page whose address ends so, and sends it. Raises NoForm."""
        form = next((form for form in forms(self.text) if form.action.endswith(action)), None)
        if form is None:
            raise NoForm(f"{self.address} has no form for {action}")
        if unknown := values.keys() - form.values.keys() - form.buttons:
            raise NoForm(f"the form {form.action} has no {', '.join(sorted(unknown))}")
        body = urlencode({**form.values, **values}).encode()
        return self._go(Request(urljoin(self.address, form.action), data=body), timeout)

    def _go(self, request: Request, timeout: float) -> str:
        try:
            with self._opener.open(request, timeout=timeout) as answer:
                self.address, self.text = answer.geturl(), answer.read().decode()
        except HTTPError as refused:
            with refused:
                raise NoForm(
                    f"{request.full_url} answered {refused.code}: {refused.read()[:300]!r}"
                ) from None
        return self.text
