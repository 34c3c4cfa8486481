"""Delivers what is queued for subscriptions, at least once: a notice is claimed, sent, and then deleted. Who
dies in between leaves it to be sent again, with the same id.

Webhooks are signed as Standard Webhooks has it (webhook-id, webhook-timestamp, webhook-signature)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any, Final

from baygrid.app.notices import SECRET_PREFIX, about
from baygrid.app.platform import Platform
from baygrid.core.reading import format_instant
from baygrid.papers import notices as papers
from baygrid.ports.basics import Instant
from baygrid.ports.mailer import InDoubt, NotSent, Unreachable
from baygrid.ports.notices import NotDelivered, Notice, Subscription
from baygrid.ports.records import Event
from baygrid.ports.store import Tx

IDLE_MS: Final = 60_000
CLAIM_MS: Final = 300_000
"""Longer than a delivery may take. What was claimed by a server that died is sent again after it."""
FIRST_MS: Final = 15_000
LONGEST_MS: Final = 3_600_000
GIVE_UP_MS: Final = 24 * 3_600_000
"""So long it is tried; what then did not arrive is told in the project's events."""


def wait_ms(failures: int) -> int:
    """After so many failures in a row: 15 s, and twice as long each time, to an hour."""
    return min(LONGEST_MS, FIRST_MS << min(failures - 1, 20))


def step(platform: Platform) -> Instant:
    """Delivers one notice. Returns when to run next. Writes only where one is due."""
    now = platform.clock()
    due = platform.store.read(lambda tx: tx.notices.next_at())
    if due is None or due > now:
        return min(now + IDLE_MS, due or now + IDLE_MS)
    notice = platform.store.write(lambda tx: tx.notices.claim(now, now + CLAIM_MS))
    if notice is not None:
        _deliver(platform, notice)
    return now


def _deliver(platform: Platform, notice: Notice) -> None:
    row, name, currency = platform.store.read(lambda tx: _about(tx, notice))
    if row is None:
        platform.store.write(lambda tx: tx.notices.drop(notice))
        return
    try:
        if row.email is None:
            _post(platform, row, notice, name)
        else:
            _mail(platform, row, notice, name, currency)
    except NotDelivered as error:
        _failed(platform, notice, str(error), never=error.never)
    else:
        now = platform.clock()
        platform.store.write(lambda tx: tx.notices.told(notice, now))


def _about(tx: Tx, notice: Notice) -> tuple[Subscription | None, str, str]:
    """With the name of the job that it tells of, and the project's currency."""
    row = tx.notices.get(notice.subscription)
    job = tx.jobs.get([notice.job]).get(notice.job) if notice.job else None
    project = tx.region.projects([notice.project])[notice.project]
    return row, "" if job is None else job.name, project.currency


def _post(platform: Platform, row: Subscription, notice: Notice, name: str) -> None:
    if platform.courier is None or platform.vault is None:
        raise NotDelivered("this server sends no webhooks")
    try:
        secret = platform.vault.open(row.sealed, about(row.id))
    except ValueError as error:
        raise NotDelivered(f"the secret that signs it cannot be read: {error}") from None
    id = _id(notice)
    body = json.dumps(_document(notice, id, name), ensure_ascii=False, separators=(",", ":")).encode()
    stamp = str(platform.clock() // 1000)
    platform.courier.post(
        row.target,
        {
            "content-type": "application/json",
            "webhook-id": id,
            "webhook-timestamp": stamp,
            "webhook-signature": signature(secret, id, stamp, body),
        },
        body,
    )


def signature(secret: str, id: str, stamp: str, body: bytes) -> str:
    """The receiver makes the same of the headers and the body as it came. `stamp`: seconds since 1970."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    made = hmac.digest(key, b".".join((id.encode(), stamp.encode(), body)), hashlib.sha256)
    return f"v1,{base64.b64encode(made).decode()}"


def _document(notice: Notice, id: str, name: str) -> dict[str, Any]:
    """What a webhook's body says."""
    about_job = {"job": notice.job, "name": name} if notice.job else {}
    said = {"id": id, "type": notice.kind, "timestamp": format_instant(notice.at)}
    return {**said, "data": {"project": notice.project, **about_job, **notice.data}}


def _mail(platform: Platform, row: Subscription, notice: Notice, name: str, currency: str) -> None:
    if platform.mailer is None:
        raise NotDelivered("this server sends no mail")
    message = papers.mail(
        notice, row, name=name, currency=currency, sender=platform.mail_from, id=_id(notice)
    )
    try:
        platform.mailer.send(message)
    except NotSent as error:
        raise NotDelivered(str(error), never=not error.later) from None
    except (InDoubt, Unreachable) as error:
        raise NotDelivered(str(error)) from None


def _id(notice: Notice) -> str:
    """The same at every try, and no other's, whatever database it comes from."""
    what = [notice.subscription, notice.at, notice.kind, notice.job, notice.data, notice.n]
    return f"notice-{hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]}"


def _failed(platform: Platform, notice: Notice, why: str, *, never: bool) -> None:
    now = platform.clock()

    def apply(tx: Tx) -> None:
        row = tx.notices.get(notice.subscription)
        if row is None:
            return
        tx.notices.failed(notice, row.failures + 1, why, now + wait_ms(row.failures + 1))
        if never or now - notice.at >= GIVE_UP_MS:
            tx.notices.drop(notice)
            data = {"subscription": row.id, "of": notice.kind, "of_job": notice.job, "reason": why}
            tx.events.append([Event(now, "notification-given-up", row.project, data=data)])

    platform.store.write(apply)
