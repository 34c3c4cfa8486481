"""One exchange with the server each: what the loop does in its threads, and the simulation in its one.

Each takes from the agent, uses the transport, and gives the agent what came of it. `Refused` means for good.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from baygrid.centres.agent import Agent
from baygrid.centres.bringing import Bringing
from baygrid.centres.outputs import PackingFailed, pack
from baygrid.centres.publishing import Publication
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Centre, StagingFailed, Transport
from baygrid.ports.messages import Order, Refused, Unreachable
from baygrid.staging.errors import Stopped


@dataclass(frozen=True, slots=True)
class Outcome:
    """`again`: nothing is wrong but the way to the server. `came`: as of `Bringing`."""

    failure: str | None = None
    again: bool = False
    value: str = ""
    note: str = ""
    came: Mapping[str, int] = field(default_factory=dict)


def stage(centre: Centre, transport: Transport, order: Order, fetch: Bringing) -> Outcome:
    """Fetches and unpacks. Safe in a thread of its own: it touches only what belongs to this attempt."""
    failure, again = None, False
    try:
        centre.prepare(order, fetch)
        if order.secrets:  # last: what is about to start has them, nothing else
            centre.entrust(order, transport.secrets(order.attempt, order.token))
    except Unreachable as error:
        failure, again = str(error) or "the server cannot be reached", True
    except Stopped:
        failure = "it is not wanted any more"
    except (StagingFailed, Refused, OSError) as error:
        failure = str(error)
    return Outcome(failure, again, came=fetch.came)


def publish(transport: Transport, work: Publication) -> Outcome:
    """Packs and stores. Safe in a thread of its own."""
    archive = work.path.with_name(f".{work.name}.tar")
    try:
        packed = pack(work.path, archive)
        transport.put_blob(packed.sha256, archive)
    except Unreachable as error:
        return Outcome(str(error) or "the server cannot be reached", again=True)
    except (PackingFailed, Refused, OSError) as error:
        return Outcome(str(error))
    finally:
        archive.unlink(missing_ok=True)
    return Outcome(value=packed.sha256, note=packed.note)


def send_logs(
    transport: Transport, chunks: list[tuple[str, str, int, bytes]]
) -> list[tuple[str, int | Refused]]:
    """What the server now holds of each. What could not be sent is left out: it comes again."""
    results: list[tuple[str, int | Refused]] = []
    for attempt, token, offset, data in chunks:
        try:
            results.append((attempt, transport.append_log(attempt, token, offset, data)))
        except Refused as refusal:
            results.append((attempt, refusal))
        except Unreachable:
            break
    return results


def staged(agent: Agent, order: Order, outcome: Outcome, now: Instant) -> None:
    agent.staged(order.attempt, now, outcome.failure, again=outcome.again, came=outcome.came)


def published(agent: Agent, work: Publication, outcome: Outcome, now: Instant) -> None:
    if outcome.failure is None:
        agent.published(work.attempt, work.name, outcome.value, now, outcome.note)
    else:
        agent.publishing_failed(work.attempt, outcome.failure, now, again=outcome.again)


def logs_sent(agent: Agent, results: list[tuple[str, int | Refused]], now: Instant) -> None:
    for attempt, result in results:
        if isinstance(result, Refused):
            agent.log_refused(attempt, now)
        else:
            agent.log_stored(attempt, result, now)


def step(agent: Agent, centre: Centre, transport: Transport, clock: Callable[[], Instant]) -> Instant | None:
    """Everything once, one after the other: tick, bytes in, bytes out, logs, report. May raise Refused
    for the report. Returns when to step again; the answers to `desired` are for the caller to bring."""
    agent.tick(clock())
    for order in agent.staging_due(clock()):
        fetch = Bringing(order, transport.fetch_blob, None, clock)
        staged(agent, order, stage(centre, transport, order, fetch), clock())
    for work in agent.blobs_due(clock()):
        published(agent, work, publish(transport, work), clock())
    logs_sent(agent, send_logs(transport, agent.log_chunks(clock())), clock())
    if agent.wants_report(clock()):
        try:
            agent.answered(transport.report(agent.report(clock())), clock())
        except Unreachable:
            agent.unanswered()
    return agent.wake_at(clock())
