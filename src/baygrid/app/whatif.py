"""What would have been otherwise: the region's own history, once as the region is and once with a change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

from baygrid.app.access import Action, Actor, permit
from baygrid.app.catalogue import RegionCopy
from baygrid.app.demand import centre_view
from baygrid.app.history import Rows, history_of, read_rows
from baygrid.app.names import unknown
from baygrid.app.platform import Platform
from baygrid.app.policies import check_names, read_policy
from baygrid.app.problems import Invalid
from baygrid.core.placement.document import number
from baygrid.core.placement.image import CentreView, OfferView
from baygrid.core.placement.policy import Policy
from baygrid.core.reading import Problem, Wrong
from baygrid.ports.basics import Instant
from baygrid.ports.store import Tx
from baygrid.replay.centre_file import read_centre
from baygrid.replay.likely import with_likely
from baygrid.replay.whatif import Past, Setting
from baygrid.replay.whatif_report import compare

LOOK_BACK_MS = 30 * 24 * 3_600_000
LOOK_S = 0.2
"""How often it is asked whether anybody still waits."""

Work: TypeAlias = Callable[[Setting, Setting, Sequence[Past], Instant], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Change:
    """What would be otherwise. `policy`: a whole policy document; `prices`: a decimal by offer, of an hour of
    its accelerator, or of a cpu where it has none; `centres`: documents of centres that would be added."""

    policy: Mapping[str, Any] | None = None
    prices: Mapping[str, str] = field(default_factory=dict)
    centres: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """A change whose documents are valid."""

    policy: Policy | None
    prices: Mapping[str, str]
    centres: tuple[CentreView, ...]
    offers: tuple[OfferView, ...]


class GivenUp(Exception):
    """Nobody waits for the answer any more."""


def apart(
    before: Setting, after: Setting, history: Sequence[Past], until: Instant, *, stop: Callable[[], bool]
) -> dict[str, Any]:
    """`compare` in a process of its own: it may take minutes, and the server has others to serve. Raises
    GivenUp soon after `stop` says so."""
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    given = (theirs, before, after, history, until)
    process = context.Process(target=_compare_and_send, args=given, daemon=True)
    process.start()
    theirs.close()
    try:
        while not ours.poll(LOOK_S):
            if stop():
                process.kill()
                raise GivenUp
        told: dict[str, Any] = ours.recv()
    finally:
        process.join()
        ours.close()
    return told


def _compare_and_send(
    where: Connection, before: Setting, after: Setting, history: Sequence[Past], until: Instant
) -> None:
    where.send(compare(before, after, history, until))


def whatif(
    platform: Platform,
    actor: Actor,
    change: Change,
    *,
    work: Work,
    since: Instant | None = None,
    seed: int = 42,
) -> dict[str, Any]:
    """The report of `replay.whatif_report.compare`, and how many lengths were predicted and how many jobs
    left out. `work`: `compare`, or `apart`. `since`: 30 days ago where not said. Raises Invalid. Nothing
    changes in the region."""
    permit(actor, Action.OPERATE)
    read = _read(change)

    def load(tx: Tx) -> tuple[Setting, Setting, Rows, bool, Mapping[str, str], Instant]:
        now = platform.clock()
        copy = platform.catalogue.at(tx)
        if read.policy is not None:
            check_names(tx, copy, read.policy, read.centres)
        before = _as_it_is(copy, now)
        rows, older = read_rows(tx, now - LOOK_BACK_MS if since is None else since)
        return before, _changed(before, read, copy.own_queues), rows, older, copy.organisations, now

    before, after, rows, older, organisations, now = platform.store.read(load)
    history = history_of(rows, organisations, now)
    predicted, left = with_likely(history.known, history.unknown, seed)
    jobs = sorted([*history.known, *predicted], key=lambda past: (past.demand.submitted_at, past.demand.job))
    told = work(before, after, jobs, now)
    told["predicted"] = len(predicted)
    told["left_out"] = {
        "never_ran": history.never_ran,
        "length_unknown": len(left),
        "older_than_these": older,
    }
    return told


def _read(change: Change) -> _Read:
    """Raises Invalid with all that is wrong with the documents by themselves."""
    if change.policy is None and not change.prices and not change.centres:
        raise Invalid.at("", "say what would be otherwise: a policy, prices or centres")
    policy = None if change.policy is None else read_policy(change.policy)
    found: list[Problem] = []
    made = [read_centre(document, f"centres[{n}]", found) for n, document in enumerate(change.centres)]
    if found:
        raise Invalid.many([(mistake.path, mistake.message) for mistake in found])
    offers = tuple(offer for _, of_centre in made for offer in of_centre)
    return _Read(policy, change.prices, tuple(view for view, _ in made), offers)


def _as_it_is(copy: RegionCopy, now: Instant) -> Setting:
    """The centres (who is drained stays so, who is silent now is not), the prices and the policy of now."""
    views = (centre_view(row, copy.partitions[name], now, now) for name, row in sorted(copy.centres.items()))
    return Setting(tuple(views), copy.prices(now).views, copy.policy(now))


def _changed(before: Setting, read: _Read, own_queues: Sequence[str]) -> Setting:
    """Raises Invalid for names that do not fit the region."""
    offers = {offer.id: offer for offer in before.offers}
    for id, price in read.prices.items():
        if id not in offers:
            raise Invalid.at(f"prices.{id}", unknown("offer", id, offers))
        offers[id] = _priced(offers[id], price)
    taken = {view.name for view in before.centres}
    for n, view in enumerate(read.centres):
        if view.name in taken:
            raise Invalid.at(
                f"centres[{n}].name", f"there is a centre {view.name!r} already: take another name"
            )
        taken.add(view.name)
    return Setting(
        (*before.centres, *read.centres),
        (*offers.values(), *read.offers),
        before.policy if read.policy is None else read.policy.with_own_queues(own_queues),
    )


def _priced(offer: OfferView, price: str) -> OfferView:
    try:
        amount = number(price)
    except Wrong as wrong:
        raise Invalid.at(f"prices.{offer.id}", str(wrong)) from None
    if offer.accelerator:
        return replace(offer, rate=replace(offer.rate, accelerator_hour=amount))
    return replace(offer, rate=replace(offer.rate, cpu_hour=amount))
