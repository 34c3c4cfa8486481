"""Who you are here: logging in with the browser, members, invitations."""

import os
import socket
import sys
import time
import webbrowser
from typing import Annotated, Any, Final

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command, group
from baygrid.cli.shapes import local
from baygrid.client import config
from baygrid.client.errors import BaygridError

BY_DEVICE: Final = "device"
"""Of a configuration whose token was made for this machine alone: logging out takes it back."""
Of = Annotated[
    str | None,
    typer.Option(
        "--of",
        metavar="WHAT",
        help="project:NAME, organisation:NAME, centre:NAME or platform; else your project.",
    ),
]
User = Annotated[str, typer.Argument(metavar="USER", help="As `baygrid members` shows it.")]
Level = Annotated[
    str,
    typer.Argument(
        metavar="LEVEL", help="lead, member or viewer; of an organisation admin or member; else operator."
    ),
]


def register(app: typer.Typer) -> None:
    command(app, "login")(login)
    command(app, "logout")(logout)
    command(app, "whoami")(whoami)
    members_ = group(
        app, "members", members, "List members of a project and the like; change and remove them."
    )
    command(members_, "set")(members_set)
    command(members_, "remove")(members_remove)
    command(app, "invite")(invite)
    invitations_ = group(app, "invitations", invitations, "List invitations; take them back.")
    command(invitations_, "revoke")(invitations_revoke)


def login(
    session: Session,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address to open, on whichever machine.")
    ] = False,
) -> None:
    """Log in with the browser; or remember the token that --token gives, or that is piped in."""
    session.server = session.server or os.environ.get("BAYGRID_SERVER") or config.DEFAULT_SERVER
    given = session.token or os.environ.get("BAYGRID_TOKEN")
    if not given and not sys.stdin.isatty():
        given = sys.stdin.readline().strip()
    token = given or _by_device(session, open_it=not no_browser)
    new = Session(server=session.server, token=token)
    me: dict[str, Any] = new.client.get("/v1/me")
    path = config.config_path(os.environ)
    config.save(path, config.Config(new.access.server, token, "login" if given else BY_DEVICE))
    if session.json:
        session.out.json({"server": new.access.server, "config": str(path), **me})
    else:
        session.out.line(f"logged in at {new.access.server} as {_told(me)}")


def _by_device(session: Session, *, open_it: bool) -> str:
    """The token that the server's user lets this machine have (RFC 8628)."""
    asked = session.client.post("/v1/device", {"label": f"baygrid login on {socket.gethostname()}"[:100]})
    page, code = asked["verification_uri_complete"], asked["user_code"]
    session.out.note(f"open {page} and confirm that it shows {code}")
    if open_it:
        webbrowser.open(page)
    pause, end = asked["interval"], time.monotonic() + asked["expires_in"]
    while time.monotonic() < end:
        time.sleep(pause)
        body = {"device_code": asked["device_code"]}
        found = session.client.send("POST", "/v1/device/token", json=body, accept=(400,)).json()
        if "access_token" in found:
            return str(found["access_token"])
        if found["error"] == "slow_down":
            pause += 5
        elif found["error"] != "authorization_pending":
            raise CliError(found["detail"], code=found["error"])
    raise CliError("nobody confirmed it in time", code="device", cure="run `baygrid login` again")


def logout(session: Session) -> None:
    """Forget the server and the token; one that `baygrid login` made for this machine ends."""
    path = config.config_path(os.environ)
    known = config.load(path)
    if known is None:
        session.out.answer({"logged_out": False}, "you are not logged in")
        return
    if known.by == BY_DEVICE:
        session.server, session.token = known.server, known.token
        try:
            session.client.delete(f"/v1/tokens/{session.client.get('/v1/me')['token']}")
        except BaygridError as problem:
            if problem.status != 401:  # it has ended already
                raise
    path.unlink()
    session.out.answer({"logged_out": True, "server": known.server}, f"logged out of {known.server}")


def whoami(session: Session) -> None:
    """Show as whom the server knows you, and what you may do."""
    me = session.client.get("/v1/me")
    scopes = ", ".join(me["scopes"])
    session.out.answer(
        {"server": session.access.server, **me}, f"{_told(me)} at {session.access.server}, to {scopes}"
    )


def _told(me: dict[str, Any]) -> str:
    whose = me.get("project") or me.get("centre")
    return f"{me['role']}{f' of {whose}' if whose else ''}"


def _of(session: Session, of: str | None) -> str:
    return of or f"project:{session.own_project()}"


def members(session: Session, context: typer.Context, of: Of = None) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.items("/v1/members", of=_of(session, of))
    session.out.show(
        found,
        ("user", "name", "email", "level", "since", "said by"),
        [
            [
                it["user"],
                it["name"],
                it["email"],
                it["level"],
                local(it["made_at"]),
                it["issuer"] or it["made_by"],
            ]
            for it in found
        ],
        none="no members yet: `baygrid invite LEVEL` makes a link",
    )


def members_set(session: Session, user: User, level: Level, of: Of = None) -> None:
    """Change what a member may do."""
    what = _of(session, of)
    session.client.send("PUT", f"/v1/members/{user}", json={"of": what, "level": level})
    session.out.answer({"user": user, "of": what, "level": level}, f"{user} is {level} of {what} now")


def members_remove(session: Session, user: User, of: Of = None) -> None:
    """Remove a member: sessions and tokens there are refused from now on."""
    what = _of(session, of)
    session.client.send("DELETE", f"/v1/members/{user}", params={"of": what})
    session.out.answer({"user": user, "of": what, "removed": True}, f"{user} is no member of {what} any more")


def invite(
    session: Session,
    level: Level = "member",
    of: Of = None,
    email: Annotated[
        str, typer.Option("--email", help="For whom it is, to tell them apart; nothing is sent.")
    ] = "",
    days: Annotated[int, typer.Option("--days", help="Until it expires, 1 to 30.")] = 7,
) -> None:
    """Make a link that makes whoever opens it a member, once. Send it to them yourself."""
    body = {"of": _of(session, of), "level": level, "email": email, "days": days}
    made = session.client.post("/v1/invitations", body)
    if session.json:
        session.out.json(made)
        return
    session.out.note(f"{made['id']}, until {local(made['expires_at'])}; the link is not shown again:")
    print(made["link"], file=session.out.out)


def invitations(session: Session, context: typer.Context, of: Of = None) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.items("/v1/invitations", of=_of(session, of))
    session.out.show(
        found,
        ("invitation", "level", "for", "made", "until", "state"),
        [
            [it["id"], it["level"], it["email"], local(it["made_at"]), local(it["expires_at"]),
             "used" if it["used_at"] else "revoked" if it["revoked_at"] else "open"]
            for it in found
        ],
        none="no invitations",
    )  # fmt: skip


def invitations_revoke(
    session: Session, invitation: Annotated[str, typer.Argument(metavar="INVITATION")]
) -> None:
    """Take an invitation back: nobody can use it any more."""
    session.client.delete(f"/v1/invitations/{invitation}")
    session.out.answer({"id": invitation, "revoked": True}, f"{invitation} is revoked")
