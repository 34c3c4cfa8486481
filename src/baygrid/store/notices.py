"""Subscriptions, and the outbox of what they are still to be told."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, select, update

from baygrid.ports.basics import Instant
from baygrid.ports.notices import Notice, Subscription, Topic, topic_of
from baygrid.ports.records import Event
from baygrid.store.documents import clean, dumps, loads
from baygrid.store.notice_tables import notices, subscriptions
from baygrid.store.sql import Row, Session, Statement, insert_all_or_raise, insert_new, number, text

_S, _N = subscriptions.c, notices.c
# Both in the order of their records' fields.
_ROWS = select(
    _S.id, _S.project, _S.target, _S.topics, _S.language, _S.sealed, _S.key, _S.made_at, _S.made_by,
    _S.failures, _S.said, _S.told_at,
).order_by(_S.project, _S.made_at, _S.id)  # fmt: skip
_NOTICE = (_N.n, _N.subscription, _N.at, _N.kind, _N.project, _N.job, _N.data, _N.next_at)
_INSERT = insert_new(subscriptions)
_ONE = Statement(_ROWS.where(_S.id == text("key")))
_ALL = Statement(_ROWS)
_OF = Statement(_ROWS.where(_S.project == text("of")))
_DELETE = Statement(delete(subscriptions).where(_S.id == text("key")))
_DELETE_ITS = Statement(delete(notices).where(_N.subscription == text("key")))
_RESEAL = Statement(
    update(subscriptions).where(_S.id == text("this")).values(sealed=text("sealed"), key=text("key"))
)
_QUEUE = insert_new(notices, without=["n"])
_WAITING = Statement(select(func.count()).select_from(notices).where(_N.subscription == text("key")))
_NEXT = Statement(select(_N.next_at).order_by(_N.next_at, _N.n).limit(1))
_DUE = select(_N.n).where(_N.next_at <= number("now")).order_by(_N.next_at, _N.n).limit(1)
# Said again beside the choice: on PostgreSQL another may have taken it meanwhile.
_CLAIM = Statement(
    update(notices)
    .where(_N.n == _DUE.scalar_subquery(), _N.next_at <= number("now"))
    .values(next_at=number("until"))
    .returning(*_NOTICE)
)
_DROP = Statement(delete(notices).where(_N.n == number("which")))
_TOLD = Statement(
    update(subscriptions).where(_S.id == text("key")).values(failures=0, said="", told_at=number("now"))
)
_FAILED = Statement(
    update(subscriptions).where(_S.id == text("key")).values(failures=number("failures"), said=text("said"))
)
_PUT_OFF = Statement(
    update(notices)
    .where(_N.subscription == text("key"), _N.next_at < number("at"))
    .values(next_at=number("at"))
)
_RETRY = Statement(update(notices).where(_N.n == number("which")).values(next_at=number("at")))
TOPIC = "notices"
"""What commits that queue one touch."""


class Notices:
    """Implements `ports.notices.Notices`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, row: Subscription) -> None:
        params = {
            "id": row.id,
            "project": row.project,
            "target": row.target,
            "topics": " ".join(row.topics),
            "language": row.language,
            "sealed": row.sealed,
            "key": row.key,
            "made_at": row.made_at,
            "made_by": row.made_by,
            "failures": row.failures,
            "said": row.said,
            "told_at": row.told_at,
        }
        insert_all_or_raise(self._session, _INSERT, [params], f"a subscription {row.id!r}")

    def get(self, id: str) -> Subscription | None:
        rows = self._session.all(_ONE, {"key": clean(id)})
        return _subscription(rows[0]) if rows else None

    def of(self, project: str | None) -> list[Subscription]:
        found = self._session.all(_ALL, {}) if project is None else self._session.all(_OF, {"of": project})
        return [_subscription(row) for row in found]

    def delete(self, id: str) -> None:
        self._session.change(_DELETE, {"key": id})
        self._session.change(_DELETE_ITS, {"key": id})

    def reseal(self, id: str, sealed: str, key: str) -> None:
        self._session.change(_RESEAL, {"this": id, "sealed": sealed, "key": key})

    def hear(self, events: Sequence[Event]) -> None:
        """Queues what those who subscribed to these events are to be told. Called as they are appended."""
        told = [(event, topic) for event in events if (topic := topic_of(event.kind)) is not None]
        for project in {event.project for event, _ in told if event.project is not None}:
            for row in self.of(project):
                mine = [event for event, topic in told if event.project == project and topic in row.topics]
                self.queue([row], mine)

    def queue(self, subscriptions: Sequence[Subscription], events: Sequence[Event]) -> None:
        rows = [
            {
                "subscription": row.id,
                "at": event.at,
                "kind": event.kind,
                "project": row.project,
                "job": event.job,
                "data": dumps(event.data),
                "next_at": event.at,
            }
            for row in subscriptions
            for event in events
        ]
        if rows:
            self._session.change_many(_QUEUE, rows)
            self._session.topics.add(TOPIC)

    def waiting(self, subscription: str) -> int:
        ((count,),) = self._session.all(_WAITING, {"key": subscription})
        return int(count)

    def next_at(self) -> Instant | None:
        rows = self._session.all(_NEXT, {})
        return rows[0][0] if rows else None

    def claim(self, now: Instant, until: Instant) -> Notice | None:
        row = self._session.returning(_CLAIM, {"now": now, "until": until})
        if row is None:
            return None
        values = list(row)
        values[6] = loads(row[6])
        return Notice(*values)

    def told(self, notice: Notice, now: Instant) -> None:
        self.drop(notice)
        self._session.change(_TOLD, {"key": notice.subscription, "now": now})

    def failed(self, notice: Notice, failures: int, said: str, next_at: Instant) -> None:
        self._session.change(_FAILED, {"key": notice.subscription, "failures": failures, "said": clean(said)})
        self._session.change(_PUT_OFF, {"key": notice.subscription, "at": next_at})
        self._session.change(_RETRY, {"which": notice.n, "at": next_at})

    def drop(self, notice: Notice) -> None:
        self._session.change(_DROP, {"which": notice.n})


def _subscription(row: Row) -> Subscription:
    values = list(row)
    values[3] = tuple(map(Topic, row[3].split()))
    return Subscription(*values)
