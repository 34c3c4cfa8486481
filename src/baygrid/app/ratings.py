"""What centres were measured to do: taken in signed, shown dated, beside what their operators publish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from baygrid.app.access import Action, Actor, permit
from baygrid.app.centres import find
from baygrid.app.platform import Platform
from baygrid.app.plausible import CLOCK_MS
from baygrid.app.problems import Invalid, WrongState
from baygrid.app.signatures import signed_by
from baygrid.core.rating import judging
from baygrid.core.rating.value import Plan, Rating
from baygrid.ports.messages import SignedRating
from baygrid.ports.records import CentreRecord, Event, PlanRow, RatingRow
from baygrid.ports.store import Exists, Tx
from baygrid.ports.wire import rating_bytes

NOTE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Known:
    """Of each place and profile the newest rating, and what is planned of each centre."""

    rows: tuple[RatingRow, ...]
    plans: Mapping[str, PlanRow]


def ratings(platform: Platform, actor: Actor, centre: str | None = None) -> Known:
    """Raises NotFound for a centre that is not there."""
    permit(actor, Action.BROWSE)

    def load(tx: Tx) -> Known:
        if centre is not None:
            find(tx, centre)
        rows = (row for row in tx.ratings.newest() if centre in (None, row.signed.rating.centre))
        plans = {name: row for name, row in tx.ratings.plans().items() if centre in (None, name)}
        return Known(tuple(rows), plans)

    return platform.store.read(load)


def history(platform: Platform, actor: Actor, centre: str) -> list[RatingRow]:
    """All of a centre, newest first. Raises NotFound."""
    permit(actor, Action.BROWSE)

    def load(tx: Tx) -> list[RatingRow]:
        find(tx, centre)
        return tx.ratings.of_centre(centre)

    return platform.store.read(load)


def check(actor: Actor, centre: str) -> None:
    """Raises Forbidden for who may bring no rating of this centre."""
    permit(actor, Action.RATE, centre=centre)


def take(platform: Platform, actor: Actor, centre: str, signed: SignedRating) -> RatingRow:
    """Stores a rating that this centre's agent has signed, whoever of those who may brings it. What is there
    already is answered again. Raises NotFound; Invalid for what cannot be true, WrongState for another one of
    the same time."""
    check(actor, centre)
    rating, now = signed.rating, platform.clock()
    record = platform.store.read(lambda tx: find(tx, centre))
    if rating.centre != centre:
        raise Invalid.at("rating.centre", f"is {rating.centre[:40]!r}: this is no rating of {centre}")
    wrong = judging.impossible(rating, now, CLOCK_MS) or _misfit(rating, record)
    if wrong is not None:
        raise Invalid.at(f"rating.{wrong[0]}", wrong[1])
    if not signed_by(record.public_key, signed.signature, rating_bytes(rating)):
        raise Invalid.at("signature", f"is not by the key of the agent of {centre}, or not of this rating")
    row = RatingRow(record.public_key, signed, now)

    def apply(tx: Tx) -> RatingRow:
        if tx.ratings.insert(row):
            data = {"partition": rating.partition, "profile": rating.profile, "unit": rating.unit}
            tx.events.append([Event(now, "centre-rated", centre=centre, data=data)])
            return row
        same = (
            it
            for it in tx.ratings.of_centre(centre)
            if rating_bytes(it.signed.rating) == rating_bytes(rating)
        )
        found = next(same, None)
        if found is None:
            raise WrongState("there is another rating of that time with this profile: measure anew")
        return found

    return platform.store.write(apply)


def _misfit(rating: Rating, record: CentreRecord) -> tuple[str, str] | None:
    """Why its agent cannot have measured this with what it declares to have."""
    part = next((it for it in record.inventory if it.name == rating.partition), None)
    if part is None:
        known = ", ".join(it.name for it in record.inventory) or "none yet"
        return "partition", f"{rating.partition[:40]!r} is not there: {record.name} has {known}"
    if rating.nodes > len(part.nodes):
        return "nodes", f"are more than the {len(part.nodes)} of partition {part.name}"
    if rating.cpus > sum(node.cpus for node in part.nodes):
        return "cpus", f"are more than partition {part.name} has"
    if rating.memory_mib > sum(node.memory_mib for node in part.nodes):
        return "memory_mib", f"is more than partition {part.name} has"
    model = rating.accelerator
    if model is not None and rating.accelerators > sum(
        node.accelerators.get(model, 0) for node in part.nodes
    ):
        return "accelerators", f"are more {model[:40]!r} than partition {part.name} has"
    return None


def plan(platform: Platform, actor: Actor, it: Plan) -> PlanRow:
    """Publishes what a centre is to do, in the place of what was published before. Raises NotFound,
    Invalid."""
    permit(actor, Action.OPERATE)
    wrong = judging.wrong_plan(it)
    if wrong is not None:
        raise Invalid.at(*wrong)
    if len(it.note) > NOTE_LENGTH or not it.note.isprintable():
        raise Invalid.at("note", f"must be at most {NOTE_LENGTH} printable characters")
    row = PlanRow(it, platform.clock(), actor.token_id)

    def apply(tx: Tx) -> None:
        find(tx, it.centre)
        tx.ratings.set_plan(row)
        data = {"units_per_hour": dict(it.units_per_hour), "note": it.note}
        tx.events.append([Event(row.set_at, "centre-planned", centre=it.centre, data=data)])

    try:
        platform.store.write(apply)
    except Exists:
        raise WrongState("another plan was published at this very moment: look, and try again") from None
    return row
