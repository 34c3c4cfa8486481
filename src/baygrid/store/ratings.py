"""What centres were measured to do, and what their operators publish; append-only."""

from __future__ import annotations

from sqlalchemy import and_, func, select

from baygrid.core.rating.value import Plan, Rating
from baygrid.ports.messages import SignedRating
from baygrid.ports.records import PlanRow, RatingRow
from baygrid.ports.wire import from_json, to_json
from baygrid.store.documents import dumps, loads
from baygrid.store.offers import GROW
from baygrid.store.sql import Row, Session, Statement, insert_all_or_raise, insert_new, text
from baygrid.store.tables import plans, ratings

_R, _P = ratings.c, plans.c
_INSERT = insert_new(ratings)
_KEY = (_R.centre, _R.partition, _R.accelerator, _R.profile)
_ROWS = select(_R.public_key, _R.signature, _R.stored_at, _R.document)
_last = select(*_KEY, func.max(_R.measured_at).label("last")).group_by(*_KEY).subquery()
_NEWEST = Statement(
    _ROWS.join(
        _last, and_(*(column == _last.c[column.name] for column in _KEY), _R.measured_at == _last.c["last"])
    ).order_by(*_KEY)
)
_OF_CENTRE = Statement(
    _ROWS.where(_R.centre == text("at")).order_by(
        _R.measured_at.desc(), _R.partition, _R.accelerator, _R.profile
    )
)
_SET_PLAN = insert_new(plans)
_PLANS = Statement(select(_P.set_at, _P.set_by, _P.document).order_by(_P.centre, _P.set_at))


def _row(row: Row) -> RatingRow:
    public_key, signature, stored_at, document = row
    return RatingRow(public_key, SignedRating(from_json(Rating, loads(document)), signature), stored_at)


class Ratings:
    """Implements `ports.store.Ratings`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, row: RatingRow) -> bool:
        rating = row.signed.rating
        params = {
            "centre": rating.centre,
            "partition": rating.partition,
            "accelerator": rating.accelerator or "",
            "profile": rating.profile,
            "measured_at": rating.measured_at,
            "stored_at": row.stored_at,
            "public_key": row.public_key,
            "signature": row.signed.signature,
            "document": dumps(to_json(rating)),
        }
        if not self._session.change(_INSERT, params):
            return False
        self._session.change(GROW, {})
        return True

    def newest(self) -> list[RatingRow]:
        return [_row(row) for row in self._session.all(_NEWEST, {})]

    def of_centre(self, centre: str) -> list[RatingRow]:
        return [_row(row) for row in self._session.all(_OF_CENTRE, {"at": centre})]

    def set_plan(self, row: PlanRow) -> None:
        params = {
            "centre": row.plan.centre,
            "set_at": row.set_at,
            "set_by": row.set_by,
            "document": dumps(to_json(row.plan)),
        }
        insert_all_or_raise(self._session, _SET_PLAN, [params], f"a plan of {row.plan.centre!r}")

    def plans(self) -> dict[str, PlanRow]:
        found = {}
        for set_at, set_by, document in self._session.all(_PLANS, {}):
            plan = from_json(Plan, loads(document))
            found[plan.centre] = PlanRow(plan, set_at, set_by)
        return found
