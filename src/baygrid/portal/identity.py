"""Pages of users: their account, members and invitations, tokens, and devices that want to be let in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from baygrid.app import devices, invitations, members, own_account, providers, tokens
from baygrid.app.invitations import Account
from baygrid.app.members import parse_of
from baygrid.app.problems import Problem
from baygrid.portal import session as sessions
from baygrid.portal.language import N_
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit, check_csrf, go
from baygrid.ports.identity import LEVELS, LOCAL, Level, Of, OfKind
from baygrid.ports.records import Role, Scope

LEVEL_NAMES: Final[Mapping[str, str]] = {
    Level.LEAD: N_("Lead"),
    Level.MEMBER: N_("Member"),
    Level.VIEWER: N_("Viewer"),
    Level.ADMIN: N_("Administrator"),
    Level.OPERATOR: N_("Operator"),
}
SCOPE_NAMES: Final[Mapping[str, str]] = {
    Scope.READ: N_("look at everything"),
    Scope.USE: N_("submit, cancel and change"),
    Scope.MANAGE: N_("decide who else may"),
}


def account(visit: Visit, problem: Problem | None = None) -> Response:
    rows = own_account.sessions(visit.platform, visit.session)
    own = [it for it in tokens.own(visit.platform, visit.session.user.id) if it.revoked_at is None]
    live = [it for it in own if it.expires_at is None or it.expires_at > visit.now]
    return page(
        visit, "identity/account.html", problem=problem, sessions=rows, tokens=live,
        local=visit.session.user.issuer == LOCAL, levels=LEVEL_NAMES, scopes=SCOPE_NAMES,
    )  # fmt: skip


def change_password(visit: Visit) -> Response:
    form = visit.form
    try:
        own_account.change_password(visit.platform, visit.session, form.text("old"), form.text("password"))
    except Problem as problem:
        return account(visit, problem)
    return go(visit, "account", visit.say("Your password is changed; you are signed out everywhere else."))


def revoke_own(visit: Visit) -> Response:
    tokens.revoke(visit.platform, visit.actor, visit.form.get("token"))
    return go(visit, "account", visit.say("The token is good for nothing now."))


def _of(visit: Visit, asked: str) -> Of:
    return parse_of(asked) if asked else members.own(visit.actor)


def list_members(visit: Visit) -> Response:
    return _members(visit, _of(visit, visit.asked("of")))


def _members(visit: Visit, of: Of, problem: Problem | None = None, **values: Any) -> Response:
    manages = Scope.MANAGE in visit.actor.scopes
    organisation = visit.actor.organisation
    return page(
        visit, "identity/members.html", problem=problem, of=of, manages=manages,
        members=members.members(visit.platform, visit.actor, of),
        invitations=invitations.invitations(visit.platform, visit.actor, of) if manages else [],
        levels=[(level.value, visit.say(LEVEL_NAMES[level])) for level in LEVELS[of.kind]], names=LEVEL_NAMES,
        issuers=providers.issuers(visit.platform),
        places=[members.own(visit.actor), *([Of(OfKind.ORGANISATION, organisation)] if organisation else [])],
        typed={"email": "", "days": "7", "level": ""} | values.pop("typed", {}), link=values.get("link"),
    )  # fmt: skip


def set_level(visit: Visit) -> Response:
    of, user = parse_of(visit.form.get("of")), visit.form.get("user")
    try:
        members.set_level(visit.platform, visit.actor, of, user, _level(visit.form.get("level")))
    except Problem as problem:
        return _members(visit, of, problem)
    return go(visit, "members", visit.say("It is changed."), of=of.key)


def remove_member(visit: Visit) -> Response:
    of, user = parse_of(visit.form.get("of")), visit.form.get("user")
    try:
        members.remove(visit.platform, visit.actor, of, user)
    except Problem as problem:
        return _members(visit, of, problem)
    if user == visit.session.user.id:
        return go(visit, "")
    return go(visit, "members", visit.say("The member is removed."), of=of.key)


def invite(visit: Visit) -> Response:
    """The link is shown once, on the page that answers."""
    form, of = visit.form, parse_of(visit.form.get("of"))
    typed = {name: form.get(name) for name in ("email", "days", "level")}
    try:
        days = int(typed["days"]) if typed["days"].isascii() and typed["days"].isdigit() else 0
        level = _level(typed["level"])
        made = invitations.invite(visit.platform, visit.actor, of, level, typed["email"], days)
    except Problem as problem:
        return _members(visit, of, problem, typed=typed)
    return _members(visit, of, link=f"{str(visit.request.base_url).rstrip('/')}{made.path}")


def _level(text: str) -> Level:
    return Level(text) if text in list(Level) else Level.VIEWER


def take_back(visit: Visit) -> Response:
    invitations.take_back(visit.platform, visit.actor, visit.form.get("invitation"))
    return go(visit, "members", visit.say("The invitation is taken back."), of=visit.form.get("of"))


def list_tokens(visit: Visit) -> Response:
    return _tokens(visit)


def _tokens(visit: Visit, problem: Problem | None = None, secret: str = "", named: str = "") -> Response:
    found = sorted(tokens.tokens(visit.platform, visit.actor), key=lambda it: it.id, reverse=True)
    return page(
        visit, "identity/tokens.html", problem=problem, tokens=found,
        secret=secret, named=named, scopes=SCOPE_NAMES, project=visit.actor.project,
    )  # fmt: skip


def make_token(visit: Visit) -> Response:
    """The secret is shown once, on the page that answers."""
    form = visit.form
    chosen = frozenset(Scope(it) for it in form.all("scope") if it in list(Scope))
    days = form.get("days")
    wanted = tokens.Wanted(
        Role.TEAM, visit.actor.project, None, form.get("label")[:200], chosen,
        int(days) if days.isascii() and days.isdigit() else 0,
    )  # fmt: skip
    try:
        _, secret = tokens.add_token(visit.platform, visit.actor, wanted)
    except Problem as problem:
        return _tokens(visit, problem, named=form.get("label"))
    return _tokens(visit, secret=secret)


def revoke_token(visit: Visit) -> Response:
    tokens.revoke(visit.platform, visit.actor, visit.form.get("token"))
    return go(visit, "tokens", visit.say("The token is good for nothing now."))


def ask_device(visit: Visit) -> Response:
    return _device(visit, visit.asked("code"))


def _device(visit: Visit, code: str, problem: Problem | None = None, decided: str = "") -> Response:
    return page(
        visit, "identity/device.html", problem=problem, code=code[:20], decided=decided, names=LEVEL_NAMES
    )


def decide_device(visit: Visit) -> Response:
    """Nothing is looked up before the user says what the device's screen shows: so nobody is led to confirm
    by a link what they have not seen."""
    code, hat = visit.form.get("code"), visit.form.get("hat")
    try:
        if visit.form.get("decision") == "deny":
            devices.deny(visit.platform, visit.session, code)
            return _device(visit, "", decided="denied")
        devices.confirm(visit.platform, visit.session, code, hat)
    except Problem as problem:
        return _device(visit, code, problem)
    return _device(visit, "", decided="confirmed")


def ask_invited(visit: Visit) -> Response:
    return _invited(visit)


def _invited(visit: Visit, problem: Problem | None = None, **typed: str) -> Response:
    row = invitations.invited(visit.platform, visit.param("secret"))
    known = {"name": "", "title": "", "email": row.email} | typed
    return page(
        visit, "identity/invited.html", problem=problem, row=row, level=LEVEL_NAMES[row.level], typed=known,
        address=visit.url(f"invitations/{visit.param('secret')}"), secret=visit.param("secret"),
        providers=providers.titles(visit.platform),
    )  # fmt: skip


def accept(visit: Visit) -> Response:
    secret, form = visit.param("secret"), visit.form
    typed = {name: form.get(name) for name in ("name", "title", "email")}
    try:
        if visit.known is not None:
            check_csrf(visit)
            _, mine = invitations.accept(visit.platform, secret, visit.known.user)
        else:
            language = visit.language.tag
            wanted = Account(password=form.text("password"), language=language, **typed)
            _, mine = invitations.accept_new(visit.platform, secret, wanted)
        response = RedirectResponse(visit.url(), 303)
        sessions.keep(visit.request, response, mine)
    except Problem as problem:
        return _invited(visit, problem, **typed)
    return response


PAGES = (
    Page("account", account, here="account"),
    Page("account/password", change_password, here="account", method="POST"),
    Page("account/revoke", revoke_own, here="account", method="POST"),
    Page("members", list_members, here="members"),
    Page("members/level", set_level, here="members", method="POST"),
    Page("members/remove", remove_member, here="members", method="POST"),
    Page("members/invite", invite, here="members", method="POST"),
    Page("members/take-back", take_back, here="members", method="POST"),
    Page("tokens", list_tokens, here="tokens"),
    Page("tokens", make_token, here="tokens", method="POST"),
    Page("tokens/revoke", revoke_token, here="tokens", method="POST"),
    Page("device", ask_device, here="account"),
    Page("device", decide_device, here="account", method="POST"),
    Page("invitations/{secret}", ask_invited, public=True),
    Page("invitations/{secret}", accept, method="POST", public=True),
)
