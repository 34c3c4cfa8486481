"""What the engine is asked next, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from baygrid.centres.engine import Engine, Sight, Stand, Submission, Task
from baygrid.centres.folder import owners
from baygrid.centres.folder.environment import NotRunnable
from baygrid.centres.queued.asking import Answer, Asking, Errand
from baygrid.centres.queued.attempt import Attempt, Pace, Stage
from baygrid.centres.queued.estimates import Estimates
from baygrid.centres.queued.life import NEVER, Life
from baygrid.centres.queued.notes import Notes
from baygrid.centres.queued.others import Others
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Observation
from baygrid.ports.messages import PartitionReport

SUBMITTED_TOGETHER = 500
ASKED_TOGETHER = 1_000
ACCOUNTED_MS = 3_600_000  # the engine's clock may be another than ours
UNACCOUNTED_MS = 60_000  # the longest pause between two questions to the accounting for the same


class Questions:
    """One at a time. `inventory` is as it was last known."""

    def __init__(self, engine: Engine, life: Life, notes: Notes, asking: Asking, pace: Pace) -> None:
        self._engine, self._life, self._notes = engine, life, notes
        self._asking, self._pace = asking, pace
        self.inventory: tuple[PartitionReport, ...] = notes.read_inventory()
        self._over: list[Sight] = []
        self._look_at: Instant = 0
        self._step = pace.soon
        self._inventory_at: Instant = 0
        self.estimates = Estimates(engine, pace.waits)
        self.others = Others(engine, pace.waits)
        self._turns: list[Callable[[Instant], Errand | None]] = [
            self._signals,
            self._submission,
            self._look,
            self._accounting,
            self._forgetting,
            self._taking_stock,
            self.estimates.errand,
            self.others.errand,
        ]

    def soon(self, now: Instant) -> None:
        """Something is about to change at the engine."""
        self._step = self._pace.soon
        due = now + self._step
        self._look_at = due if self._look_at <= now else min(self._look_at, due)

    def over(self, sight: Sight) -> None:
        """All of it is stored elsewhere."""
        self._over.append(sight)

    def take_inventory(self, partitions: tuple[PartitionReport, ...]) -> None:
        if partitions != self.inventory:
            self.inventory = partitions
            self._notes.write_inventory(partitions)

    def take(self, now: Instant) -> None:
        """Takes in what has been answered."""
        for answer in self._asking.take(now):
            self._take(answer, now)

    def give(self, now: Instant) -> None:
        """Asks what is due: of all kinds the one that was longest not asked."""
        if self._asking.busy or now < self._asking.not_before:
            return
        for turn in self._turns:
            errand = turn(now)
            if errand is not None:
                self._turns.remove(turn)
                self._turns.append(turn)
                self._asking.give(errand)
                return

    def wake_at(self) -> Instant:
        """When the next question is due; an answer to one that is under way comes by itself."""
        return NEVER if self._asking.busy else max(self._due_at(), self._asking.not_before)

    def _due_at(self) -> Instant:
        due = min(self._inventory_at, self.estimates.due_at, self.others.due_at)
        if self._life.open or self._life.withdrawn:
            due = min(due, self._look_at)
        if self._life.kills or self._over:
            return 0
        for one in self._life.open.values():
            if one.stage is Stage.READY or (one.signal is not None and one.target is not None):
                return 0
            if one.absent_at is not None:
                due = min(due, one.account_at)
        return due

    # What is asked

    def _signals(self, now: Instant) -> Errand | None:
        """One signal to all that are to get it."""
        waiting = [(one, one.target) for one in self._life.open.values() if one.signal is not None]
        told = [(one, target) for one, target in waiting if target is not None]
        kills = tuple(self._life.kills.values())
        if not told and not kills:
            return None
        name = "KILL" if kills else str(told[0][0].signal)
        told = [(one, target) for one, target in told if one.signal == name]
        targets = [*(target for _, target in told), *kills]
        about = (name, [one for one, _ in told], kills)
        return Errand("signal", about, lambda: self._engine.signal(targets, name))

    def _submission(self, now: Instant) -> Errand | None:
        ready = [one for one in self._life.open.values() if one.stage is Stage.READY][:SUBMITTED_TOGETHER]
        if not ready:
            return None
        for one in ready:
            one.stage = Stage.SUBMITTING
        tasks = [one.task() for one in ready]
        return Errand("submit", ready, lambda: _submit(self._engine, tasks))

    def _look(self, now: Instant) -> Errand | None:
        """Since one is asked at a time, all that was ever submitted was submitted before it."""
        if now < self._look_at or not (self._life.open or self._life.withdrawn):
            return None
        return Errand("look", None, lambda: _by_name(self._engine.look()))

    def _accounting(self, now: Instant) -> Errand | None:
        absent = [
            one for one in self._life.open.values() if one.absent_at is not None and one.account_at <= now
        ][:ASKED_TOGETHER]
        if not absent:
            return None
        names, since = [one.name for one in absent], min(one.at for one in absent) - ACCOUNTED_MS
        return Errand("account", absent, lambda: _by_name(self._engine.account(names, since)))

    def _forgetting(self, now: Instant) -> Errand | None:
        over = self._over[:ASKED_TOGETHER]
        return Errand("forget", len(over), lambda: self._engine.forget(over)) if over else None

    def _taking_stock(self, now: Instant) -> Errand | None:
        if now < self._inventory_at:
            return None
        return Errand("inventory", None, self._engine.inventory)

    # What is answered

    def _take(self, answer: Answer, now: Instant) -> None:
        if answer.kind == "submit":
            self._submitted(answer.about, {} if answer.silence else answer.result, now)
        elif answer.kind == "inventory":
            self._inventory_at = now + self._pace.inventory
        elif answer.kind == "waits":
            self.estimates.answered(answer.about, None if answer.silence else answer.result, now)
        elif answer.kind == "outside":
            self.others.answered(answer.about, None if answer.silence else answer.result, now)
            return  # an accounting that is silent says nothing of the engine
        if answer.silence:  # ends are still seen in the folders
            for attempt in list(self._life.open.values()):
                if attempt.stage is Stage.THERE:
                    self._life.judge(attempt, now, silent=True)
        elif answer.kind == "signal":
            name, told, kills = answer.about
            self._signalled(name, told, kills, now)
        elif answer.kind == "look":
            self._looked(answer.result, now)
        elif answer.kind == "account":
            self._accounted(answer.about, answer.result, now)
        elif answer.kind == "forget":
            del self._over[: answer.about]
        elif answer.kind == "inventory":
            self.take_inventory(answer.result)

    def _signalled(self, name: str, told: list[Attempt], kills: Sequence[Sight], now: Instant) -> None:
        for one in told:
            if one.signal == name:
                one.signal = None
        for sight in kills:
            self._life.kills.pop(sight.id, None)
        self.soon(now)

    def _submitted(self, tried: list[Attempt], answers: Mapping[str, Submission], now: Instant) -> None:
        for attempt in tried:
            answer = answers.get(attempt.name, Submission())
            if attempt.stage is Stage.DONE:  # forbidden meanwhile
                self._life.withdraw(attempt.name, answer.id)
            elif answer.id:
                attempt.stage, attempt.id = Stage.THERE, answer.id
                attempt.seen = Observation(AttemptState.WAITING, raw="submitted")
                self._life.save(attempt)
            else:
                attempt.stage = Stage.SOUGHT
                if answer.refusal:
                    self._life.refuse(attempt, answer.refusal, now)
        self.soon(now)

    def _looked(self, sights: Mapping[str, list[Sight]], now: Instant) -> None:
        self._step = min(self._step * 2, self._pace.tick)
        self._look_at = now + self._step
        for name, task in list(self._life.withdrawn.items()):
            alive = [one for one in sights.get(name, ()) if one.stand is not Stand.ENDED]
            self._life.kills.update((one.id, one) for one in alive)
            if not alive:
                self._life.kills.pop(task, None)
                del self._life.withdrawn[name]
        for attempt in list(self._life.open.values()):
            found = sights.get(attempt.name, [])
            picked = attempt.pick(found)
            if picked is not None:
                spare = [one for one in found if one.id != picked.id and one.stand is Stand.WAITING]
                self._life.kills.update((one.id, one) for one in spare if attempt.claim is not None)
                attempt.listed, attempt.absent_at, attempt.asked = True, None, 0
                self._life.there(attempt, picked)
                self._life.judge(attempt, now)
            elif attempt.stage is not Stage.READY:
                self._missed(attempt, now)

    def _missed(self, attempt: Attempt, now: Instant) -> None:
        """The list does not have it: the accounting is asked."""
        attempt.listed = False
        if attempt.absent_at is None:
            attempt.absent_at = attempt.account_at = now
            attempt.asked = 0
        else:
            self._life.judge(attempt, now)

    def _accounted(self, asked: list[Attempt], sights: Mapping[str, list[Sight]], now: Instant) -> None:
        for attempt in asked:
            if attempt.stage is Stage.DONE:
                continue
            attempt.account_at = now + min(self._pace.again << min(attempt.asked, 20), UNACCOUNTED_MS)
            attempt.asked += 1
            picked = attempt.pick(sights.get(attempt.name, []))
            if picked is not None:
                self._life.there(attempt, picked)
            elif attempt.stage is Stage.SOUGHT and not attempt.files.has("claim"):
                attempt.stage, attempt.absent_at = Stage.READY, None  # it never arrived
                continue
            self._life.judge(attempt, now)


def _submit(engine: Engine, tasks: Sequence[Task]) -> dict[str, Submission]:
    """In the thread: first the folders, to those whose they will be."""
    answers: dict[str, Submission] = {}
    given: list[Task] = []
    for task in tasks:
        try:
            if task.account:
                owners.give(task.folder, task.account)
            given.append(task)
        except NotRunnable as refusal:
            answers[task.name] = Submission(refusal=str(refusal))
    if given:
        answers.update(engine.submit(given))
    return answers


def _by_name(sights: Sequence[Sight]) -> dict[str, list[Sight]]:
    found: dict[str, list[Sight]] = {}
    for sight in sights:
        found.setdefault(sight.name, []).append(sight)
    return found
