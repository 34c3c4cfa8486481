"""Pages from templates, in the words and figures of their reader."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from baygrid import __version__
from baygrid.app.problems import Problem
from baygrid.core.units import Money, parse_duration
from baygrid.portal.assets import hashed
from baygrid.portal.labels import LABELS
from baygrid.portal.language import LANGUAGES, Words, words
from baygrid.portal.navigation import shown
from baygrid.portal.reasons import because, headline, held
from baygrid.portal.visit import FLASH, PREFIX, Visit, told
from baygrid.portal.voice import OFFERED
from baygrid.ports.records import Scope


def page(
    visit: Visit, template: str, *, status: int = 200, problem: Problem | None = None, **values: Any
) -> Response:
    """`problem`: what is wrong with the form that comes back; its fields show what is said of them."""
    said = told(visit.request)
    content = render(visit, template, problem=problem, told=said, **values)
    response = HTMLResponse(content, problem.status if problem is not None else status)
    response.headers["Cache-Control"] = "no-store"
    if said is not None:
        response.delete_cookie(FLASH, path=PREFIX)
    return response


def render(visit: Visit, template: str, *, problem: Problem | None = None, **values: Any) -> str:
    """A template, whole or a part of a page that is asked for alone."""
    session = visit.known
    common = {
        "visit": visit,
        "voice": visit.voice,
        "language": visit.language,
        "url": visit.url,
        "session": session,
        "actor": session.actor if session else None,
        "may_use": session is not None and Scope.USE in session.actor.scopes,
        "navigation": shown(session),
        "problem": problem,
        "errors": errors(problem),
        "told": None,
    }
    return _environment(visit.language.tag).get_template(template).render(common | values)


def errors(problem: Problem | None) -> dict[str, str]:
    """What is wrong, by field."""
    found: dict[str, str] = {}
    for each in problem.extra.get("problems", ()) if problem is not None else ():
        found.setdefault(each["path"], each["message"])
    return found


def _telling(said: Words) -> Callable[..., Markup]:
    """What a page says of a message. Pages say hundreds: one that has no values in it is made once."""

    @cache
    def plain(message: str) -> Markup:
        return Markup(said.get(message)) % {}

    def tell(message: str, /, **values: object) -> Markup:
        return Markup(said.get(message)) % values if values else plain(message)

    return tell


class _Compiled(BytecodeCache):
    """Of templates: they are compiled once for all languages."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._known:
            bucket.bytecode_from_string(self._known[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key] = bucket.bytecode_to_string()


_COMPILED: Final = _Compiled()


@cache
def _environment(tag: str) -> Environment:
    made = Environment(
        loader=PackageLoader("baygrid.portal"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, extensions=["jinja2.ext.do"], auto_reload=False, bytecode_cache=_COMPILED,
    )  # fmt: skip
    said = words(tag)
    made.globals |= {
        "_": _telling(said),
        "ngettext": lambda one, many, n, **values: Markup(said.count(one, many, n)) % values,
        "static": lambda name: f"{PREFIX}/static/{hashed(name)}",
        "languages": tuple(LANGUAGES.values()),
        "zones": OFFERED,
        "version": __version__,
        "Money": Money,
        "because": because,
        "headline": headline,
        "held": held,
        "seconds": parse_duration,
        "label": lambda code: said.get(LABELS.get(code, code)),
    }
    return made
