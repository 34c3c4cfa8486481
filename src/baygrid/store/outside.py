"""What ran at centres without Baygrid; append-only."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Float, cast, func, select

from baygrid.ports.basics import Instant
from baygrid.ports.usage import OutsideRow
from baygrid.store.documents import clean, dumps
from baygrid.store.money_tables import outside
from baygrid.store.sql import Session, Statement, insert_new, number, text

_C = outside.c
_INSERT = insert_new(outside)
# As fractions: a sum of whole numbers may be larger than 64 bits.
_BY_ACCOUNT = Statement(
    select(
        _C.account,
        func.count(),
        func.sum(cast(_C.cpu_s, Float)),
        func.sum(cast(_C.accelerator_s, Float)),
    )
    .where(_C.centre == text("at"), _C.end >= number("since"), _C.end < number("until"))
    .group_by(_C.account)
    .order_by(_C.account)
)


class OutsideJobs:
    """Implements `ports.store.OutsideJobs`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, rows: Sequence[OutsideRow]) -> None:
        params = []
        for row in rows:
            job = row.signed.job
            seconds = (job.end - job.start) // 1000
            params.append(
                {
                    "centre": row.centre,
                    "end": job.end,
                    "id": clean(job.id),
                    "account": clean(job.account),
                    "cpu_s": seconds * job.cpus,
                    "accelerator_s": seconds * sum(job.accelerators.values()),
                    "stored_at": row.stored_at,
                    "public_key": row.public_key,
                    "signature": row.signed.signature,
                    "document": dumps(job),
                }
            )
        if params:
            self._session.change_many(_INSERT, params)

    def by_account(self, centre: str, start: Instant, end: Instant) -> list[tuple[str, int, float, float]]:
        params = {"at": centre, "since": start, "until": end}
        return [(row[0], row[1], row[2], row[3]) for row in self._session.all(_BY_ACCOUNT, params)]
