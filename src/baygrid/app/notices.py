"""Who is told of what happens in a project, by webhook or mail: subscriptions. What they are told is queued
by the event itself (`ports.notices`) and delivered by `app/telling.py`."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from baygrid.app.access import Action, Actor, permit, visible, whose
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound, Problem, WrongState
from baygrid.app.projects import find_project
from baygrid.core.jobs.addresses import address, nowhere
from baygrid.core.reading import Wrong
from baygrid.papers.words import LANGUAGES
from baygrid.ports.notices import TEST, Subscription, Topic
from baygrid.ports.records import Event
from baygrid.ports.store import Tx

MOST: Final = 20
"""Subscriptions of one project: nobody is mailed more often than that for one event."""
SECRET_PREFIX: Final = "whsec_"
_EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}")


class NotSending(Problem):
    status, code, title = 503, "not-sending", "This server sends nothing of this kind"


@dataclass(frozen=True, slots=True)
class Made:
    """`secret`: signs what goes to an https address; shown this once. "" for mail."""

    row: Subscription
    secret: str


@dataclass(frozen=True, slots=True)
class Listed:
    """`waiting`: how many notices are still on their way."""

    row: Subscription
    waiting: int


def listed(platform: Platform, actor: Actor, project: str | None) -> list[Listed]:
    """Of a project; of all where an operator names none. Raises NotFound."""
    project = whose(actor, project)

    def load(tx: Tx) -> list[Listed]:
        if project is not None:
            find_project(tx, project)
        return [Listed(row, tx.notices.waiting(row.id)) for row in tx.notices.of(project)]

    return platform.store.read(load)


def add(
    platform: Platform,
    actor: Actor,
    project: str | None,
    target: str,
    topics: Sequence[Topic],
    language: str,
) -> Made:
    """Raises Invalid, NotFound, NotSending, WrongState."""
    project = project or actor.project
    if project is None:
        raise Invalid.at("project", "name the project that it is about")
    permit(actor, Action.USE, project=project)
    target = _target(platform, target)
    if language not in LANGUAGES:
        raise Invalid.at("language", f"must be one of {', '.join(LANGUAGES)}")
    if not topics:
        raise Invalid.at("topics", f"name at least one of {', '.join(Topic)}")
    now = platform.clock()
    id, secret, sealed, key = platform.ids.new("subscription", now), "", "", ""
    if not target.startswith("mailto:"):
        if platform.vault is None:
            raise NotSending("it was started without a key, so it cannot sign webhooks: tell mails instead")
        secret = SECRET_PREFIX + base64.b64encode(platform.ids.secret().encode()).decode()
        sealed, key = platform.vault.seal(secret, about(id)), platform.vault.key
    wanted = tuple(topic for topic in Topic if topic in topics)
    row = Subscription(id, project, target, wanted, language, sealed, key, now, actor.token_id)

    def apply(tx: Tx) -> None:
        find_project(tx, project)
        known = tx.notices.of(project)
        if len(known) >= MOST:
            raise WrongState(f"project {project!r} has {MOST} subscriptions: remove one first")
        if target in {it.target for it in known}:
            raise WrongState("there is a subscription of this address already: remove it first")
        tx.notices.insert(row)
        tx.events.append([Event(now, "notification-added", project, data=_told(row, actor))])

    platform.store.write(apply)
    return Made(row, secret)


def remove(platform: Platform, actor: Actor, id: str) -> None:
    """What it was still to be told it is not told any more. Raises NotFound."""
    now = platform.clock()

    def apply(tx: Tx) -> None:
        row = _find(tx, actor, id, Action.USE)
        tx.notices.delete(id)
        tx.events.append([Event(now, "notification-removed", row.project, data=_told(row, actor))])

    platform.store.write(apply)


def test(platform: Platform, actor: Actor, id: str) -> Subscription:
    """Sends it a notice that tells of nothing, the way that all go. Raises NotFound."""
    now = platform.clock()

    def apply(tx: Tx) -> Subscription:
        row = _find(tx, actor, id, Action.USE)
        tx.notices.queue([row], [Event(now, TEST, row.project)])
        return row

    return platform.store.write(apply)


def seal_webhooks_anew(platform: Platform) -> int:
    """Seals with the newest key of the vault what an older one has sealed. Returns how many no key of this
    server can read: those stay as they are."""
    vault = platform.vault
    assert vault is not None

    def apply(tx: Tx) -> int:
        unreadable = 0
        for row in tx.notices.of(None):
            if row.sealed and row.key != vault.key:
                try:
                    sealed = vault.seal(vault.open(row.sealed, about(row.id)), about(row.id))
                    tx.notices.reseal(row.id, sealed, vault.key)
                except ValueError:
                    unreadable += 1
        return unreadable

    return platform.store.write(apply)


def about(id: str) -> str:
    """What a sealed secret belongs to."""
    return f"webhook {id}"


def shown(target: str) -> str:
    """For lists and events: the query of an https address may hold a key of its owner's."""
    return target if target.startswith("mailto:") else address(target).shown


def _target(platform: Platform, text: str) -> str:
    if text.startswith("mailto:"):
        user, _, domain = text.removeprefix("mailto:").rpartition("@")
        email = f"{user}@{domain.lower()}"
        if _EMAIL.fullmatch(email) is None:
            raise Invalid.at("target", "must be mailto: and one mail address, such as mailto:li@example.org")
        if platform.mailer is None:
            raise NotSending("it sends no mail: its operator starts it with --smtp and --mail-from")
        return f"mailto:{email}"
    try:
        at = address(text)
    except Wrong as wrong:
        raise Invalid.at("target", str(wrong)) from None
    if at.scheme not in ("https", "http") or at.sha256 is not None:
        raise Invalid.at("target", "must be an https: address, or mailto: and a mail address")
    if (why := nowhere(at)) is not None:
        raise Invalid.at("target", f"leads to an address that is {why}: nothing is sent there")
    if platform.courier is None:
        raise NotSending("it sends no webhooks")
    return str(at)


def _find(tx: Tx, actor: Actor, id: str, action: Action) -> Subscription:
    row = tx.notices.get(id)
    if row is None:
        permit(actor, action, project=actor.project)
        raise NotFound(f"there is no subscription {id!r}")
    visible(actor, action, row.project, "subscription", id)
    return row


def _told(row: Subscription, actor: Actor) -> dict[str, str]:
    return {"subscription": row.id, "target": shown(row.target), "by": actor.token_id}
