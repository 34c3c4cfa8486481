"""Any sequence of what both sides, an operator, time and tables may do: no contract is read outside of its
state, its dates and the law, counts are those of a set, and the audit holds together."""

from __future__ import annotations

import contextlib
from datetime import date

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from baygrid.app import contracts, gates, grants, persons, renewals
from baygrid.app.contract_terms import Wanted
from baygrid.app.contracts import contracts as listed
from baygrid.app.crossing import since
from baygrid.app.grants import Bearer, ReadRefused
from baygrid.app.problems import Invalid, NotFound, WrongState
from baygrid.core.data import chain
from baygrid.core.data.contracts import Side, State
from baygrid.core.days import beginning, day_of
from tests.app.data_stage import LAB, SENSITIVE, DataStage, person
from tests.app.stage import OPERATOR

DAY = 86_400_000
TABLES = ("a", "b", "c")
EACH = 1_000
"""So many persons come at once, as the law's own threshold is at ten thousand."""


def people(numbers: set[int]) -> list[str]:
    return [f"{number}-{n}" for number in sorted(numbers) for n in range(EACH)]


class Contracts(RuleBasedStateMachine):
    """One exporter and three tables of sensitive persons: ten thousand of them need an assessment."""

    @initialize()
    def begin(self) -> None:
        self.stage = DataStage(today=date(2026, 12, 1))
        self.shown: dict[str, set[int]] = {}
        for name, numbers in zip(TABLES, ({0, 1, 2}, {2, 3, 4, 5}, {6, 7, 8}), strict=True):
            self.stage.table(name, people(numbers), SENSITIVE)
            self.shown[name] = numbers
        self.ids: list[str] = []
        self.forbidden = False
        self.noted: dict[str, set[int]] = {}
        self.actors = {
            Side.CONSUMER: self.stage.lab, Side.PROVIDER: self.stage.hospital, Side.OPERATOR: OPERATOR,
        }  # fmt: skip

    @rule(table=st.sampled_from(TABLES), days=st.sampled_from([None, 10, 60]))
    def request(self, table: str, days: int | None) -> None:
        until = None if days is None else self.stage.now + days * DAY
        share = f"s{len(self.ids)}"
        self.ids.append(self.stage.request(f"hospital/{table}", choice="sc", share=share, until=until))

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), side=st.sampled_from([Side.CONSUMER, Side.PROVIDER, Side.OPERATOR]))
    def step(self, data: st.DataObject, side: Side) -> None:
        """What may be tried at any moment, by anybody."""
        id, actor, on = data.draw(st.sampled_from(self.ids)), self.actors[side], self.stage.platform
        steps = {
            "offer": lambda: contracts.offer(on, actor, id, Wanted()),
            "accept": lambda: contracts.accept(on, actor, id),
            "agree": lambda: gates.agree(on, actor, id),
            "verify": lambda: contracts.verify(on, actor, id),
            "finalize": lambda: gates.finalize(on, actor, id),
            "suspend": lambda: contracts.suspend(on, actor, id, "a leak"),
            "resume": lambda: gates.resume(on, actor, id),
            "terminate": lambda: contracts.terminate(on, actor, id, "enough"),
        }
        with contextlib.suppress(WrongState, Invalid):
            steps[data.draw(st.sampled_from(sorted(steps)))]()

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), all_of_it=st.booleans())
    def go_on(self, data: st.DataObject, all_of_it: bool) -> None:
        """As far as it goes, with what the law wants first recorded or not."""
        id = data.draw(st.sampled_from(self.ids))
        with contextlib.suppress(WrongState, Invalid):
            self.stage.agree(id)
        with contextlib.suppress(WrongState):
            if all_of_it:
                self.stage.record_all(id)
            gates.finalize(self.stage.platform, self.stage.hospital, id)

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), obligation=st.sampled_from(["assessment-passed", "sc-filing", "notice"]))
    def record(self, data: st.DataObject, obligation: str) -> None:
        with contextlib.suppress(WrongState, Invalid):
            self.stage.record(data.draw(st.sampled_from(self.ids)), obligation)

    @precondition(lambda self: self.ids)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(self.ids))
        until = self.stage.now + 200 * DAY
        with contextlib.suppress(WrongState, Invalid):
            self.ids.append(renewals.renew(self.stage.platform, self.stage.lab, id, until).row.id)

    @rule(table=st.sampled_from(TABLES), number=st.integers(0, 11))
    def grow(self, table: str, number: int) -> None:
        """A thousand persons more in a table: noted for each contract that shows it, before they are read."""
        self.shown[table] = self.shown[table] | {number}
        self.stage.put(table, people(self.shown[table]))
        key = persons.key_of(self.stage.platform, "hospital")
        for contract in listed(self.stage.platform, OPERATOR):
            for grant in contract.it.grants:
                if grant.name == table and grant.opened is not None and not contract.row.state.final:
                    more = b"".join(person(key, each) for each in people({number}))
                    persons.expose(self.stage.platform, grant.id, [more], f"v{self.stage.now}")
                    self.noted[grant.id] = self.noted.get(grant.id, set()) | {number}

    @rule(forbidden=st.booleans())
    def learn(self, forbidden: bool) -> None:
        """The operator learns that the recipient is on the list of those to whom nothing may be given."""
        self.forbidden = forbidden
        self.stage.verify("lab", {**LAB, "on_art42_list": forbidden})

    @rule(days=st.sampled_from([1, 9, 40]))
    def pass_time(self, days: int) -> None:
        self.stage.pass_time(days * DAY)

    @rule()
    def tend(self) -> None:
        while renewals.tend(self.stage.platform, lambda tx, now: None, self.stage.now):
            pass

    @invariant()
    def nothing_is_read_that_may_not_be(self) -> None:
        if not hasattr(self, "stage"):
            return
        now = self.stage.now
        for contract in listed(self.stage.platform, OPERATOR):
            row = contract.row
            (grant,) = contract.it.grants
            try:
                permit = grants.may_read(
                    self.stage.platform, Bearer("lab", "x"), row.share, "hospital", grant.name
                )
            except (ReadRefused, NotFound):
                continue
            read = permit.contract
            assert not self.forbidden
            assert read.state is State.FINALIZED
            assert not read.suspensions
            assert read.start <= now
            assert read.until is None or now < read.until
            first = {"notice", "separate-consent", "pipia"}
            if self.counted()[1] >= 10_000:
                assert first | {"assessment-passed"} <= read.records.keys()
            else:
                assert first | {"sc-template", "sc-effective"} <= read.records.keys()

    def counted(self) -> tuple[int, int]:
        found = persons.counted(self.stage.platform, OPERATOR, "hospital").exposed
        return found.pi, found.spi

    @invariant()
    def counts_are_those_of_a_set(self) -> None:
        """Of what is noted for grants that were readable at any time since 1 January."""
        if not hasattr(self, "stage"):
            return
        start = since(day_of(self.stage.now))
        seen: set[int] = set()
        for contract in listed(self.stage.platform, OPERATOR):
            (grant,) = contract.it.grants
            if not contract.row.counts or grant.opened is None:
                continue
            # When it is opened, or opened again, all is noted that is there.
            if grant.closed is None:
                self.noted[grant.id] = set(self.shown[grant.name])
            if grant.closed is None or grant.closed > start:
                seen |= self.noted[grant.id]
        assert self.counted() == (0, len(seen) * EACH)

    def teardown(self) -> None:
        if not hasattr(self, "stage"):
            return
        links = self.stage.store.read(lambda tx: tx.audit.after(0, 100_000))
        assert chain.check(links).flaw is None
        assert beginning(day_of(self.stage.now)) <= self.stage.now
        self.stage.store.close()


TestContracts = Contracts.TestCase
TestContracts.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
