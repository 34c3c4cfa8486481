"""A region of a test's own making, and who looks at its pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.testclient import TestClient

from baygrid.api.app import create_app
from baygrid.app.signing_in import COOKIE, begin
from baygrid.portal import app as portal
from baygrid.ports.identity import Level, Of, OfKind
from tests.app.people import add_user
from tests.app.stage import Stage

OPERATOR = (Of(OfKind.PLATFORM), Level.OPERATOR)


def lead(project: str) -> tuple[Of, Level]:
    return Of(OfKind.PROJECT, project), Level.LEAD


@contextmanager
def looking(stage: Stage, *memberships: tuple[Of, Level], language: str = "en") -> Iterator[TestClient]:
    """A browser, signed in as somebody with the first of these."""
    name = "-".join(str(of.name or of.kind) for of, _ in memberships)
    user = stage.store.read(lambda tx: tx.users.find("local", name)) or add_user(
        stage.platform, name, *memberships
    )
    app = create_app(stage.platform, role=lambda: "leader")
    app.router.routes += portal.routes(stage.platform)
    secret = stage.store.write(lambda tx: begin(stage.platform, tx, user.id))[1]
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        client.headers["accept-language"] = language
        client.cookies.set(COOKIE, secret)
        yield client
