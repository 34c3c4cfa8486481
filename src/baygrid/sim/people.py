"""Teams and an operator: what they want done they ask for again until they get an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from baygrid.ports.messages import Refused
from baygrid.sim.network import Network, Result
from baygrid.sim.workload import JobPlan, is_sound, sha256_of
from baygrid.sim.world import Process, Violation, World

PATIENCE_MS = 6_000

Then = Callable[[bytes | Refused], None]


@dataclass(slots=True)
class Told:
    """What the people asked for and were told, for the checker."""

    keys: dict[str, str] = field(default_factory=dict)  # job name -> key
    answers: dict[str, set[bytes]] = field(default_factory=dict)  # of each key: should be one
    jobs: dict[str, str] = field(default_factory=dict)  # id of a job or array -> key
    projects: dict[str, str] = field(default_factory=dict)  # of each key
    refused: dict[str, int] = field(default_factory=dict)  # key -> status
    cancelled: set[str] = field(default_factory=set)
    open: int = 0  # errands that have no answer yet


class People:
    """They never crash; their messages get lost like all others."""

    def __init__(self, world: World, network: Network) -> None:
        self.told = Told()
        self._world = world
        self._network = network
        self._process = Process("people")
        self._sound: set[str] = set()  # jobs and arrays that succeed, where nothing comes between

    def begin(self, plans: list[JobPlan]) -> None:
        for plan in plans:
            self.told.projects[plan.key] = plan.project
            self.told.keys |= {document["name"]: plan.key for document in plan.documents}
            self._world.after(plan.at, "", lambda plan=plan: self._submit(plan), self._process)  # type: ignore[misc]

    def errand(self, who: str, kind: str, then: Then, **data: Any) -> None:
        """Asks until somebody answers."""
        self.told.open += 1
        body = orjson.dumps(data)

        def ask() -> None:
            self._network.call(self._process, who, kind, body, PATIENCE_MS, answered)

        def answered(result: Result) -> None:
            if isinstance(result, bytes | Refused):
                self.told.open -= 1
                then(result)
            else:
                self._world.after(self._world.between(200, 3_000), "", ask, self._process)

        self._world.after(0, "", ask, self._process)

    def _submit(self, plan: JobPlan) -> None:
        if plan.blob is None:
            self._send(plan)
            return
        sha256 = sha256_of(plan.blob)
        self.errand(plan.project, "put", lambda _: self._send(plan), sha256=sha256, data=plan.blob)

    def _with_predecessors(self, plan: JobPlan) -> list[dict[str, Any]]:
        """Some wait for what their team has submitted before, as far as it was told of that; rather for what
        should succeed."""
        rng, documents = self._world.rng, [dict(document) for document in plan.documents]
        known = sorted(id for id, key in self.told.jobs.items() if self.told.projects[key] == plan.project)
        sound = [id for id in known if id in self._sound]
        for document in documents:
            own = sound if sound and rng.random() < 0.7 else known
            if own and rng.random() < 0.4:
                document["after"] = rng.sample(own, min(len(own), rng.choice((1, 1, 1, 2))))
        return documents

    def _send(self, plan: JobPlan) -> None:
        documents = self._with_predecessors(plan)
        body_sha256 = sha256_of(repr(documents))
        data = {"jobs": documents, "key": plan.key, "sha256": body_sha256}

        def submitted(result: bytes | Refused) -> None:
            if isinstance(result, Refused):
                if result.status not in (402, 422):
                    raise Violation("submission", f"{plan.key} is refused with {result}")
                self.told.refused[plan.key] = result.status
                return
            self.told.answers.setdefault(plan.key, set()).add(result)
            for id, document in zip(orjson.loads(result), documents, strict=True):
                self.told.jobs[id] = plan.key
                if plan.cancel_at is None and is_sound(document):
                    self._sound.add(id)
            if plan.cancel_at is not None:
                for id in orjson.loads(result):
                    late = plan.cancel_at - plan.at
                    self._world.after(late, "", lambda id=id: self.cancel(plan.project, id), self._process)  # type: ignore[misc]
            if self._world.rng.random() < 0.2:  # a client that lost its own note of the answer
                self.errand(plan.project, "submit", repeated, **data)

        def repeated(result: bytes | Refused) -> None:
            if isinstance(result, Refused):
                raise Violation("idempotency", f"{plan.key} was accepted, then refused with {result}")
            self.told.answers[plan.key].add(result)

        self.errand(plan.project, "submit", submitted, **data)

    def cancel(self, who: str, job: str) -> None:
        def cancelled(result: bytes | Refused) -> None:
            if isinstance(result, bytes):
                self.told.cancelled.add(job)
            elif result.status != 409:
                raise Violation("cancel", f"{result}", job)

        kind = "cancel_array" if job.startswith("array-") else "cancel"
        self.errand(who, kind, cancelled, job=job)

    def lose(self, attempt: str) -> None:
        def lost(result: bytes | Refused) -> None:
            if isinstance(result, Refused) and result.status != 409:
                raise Violation("declare lost", f"{result}", attempt)

        self.errand("operator", "lose", lost, attempt=attempt)

    def operate(self, kind: str, **data: Any) -> None:
        """A tariff, a state, a grant. 422: the tariff came too late for the time it was to begin at."""

        def done(result: bytes | Refused) -> None:
            if isinstance(result, Refused) and result.status not in (409, 422):
                raise Violation("operator", f"{kind} is refused with {result}")

        self.errand("operator", kind, done, **data)
