"""Any sequence of what users, operators, the scheduler and centres may do: states stay declared, money adds
up."""

from __future__ import annotations

import contextlib
from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from baygrid.app import allocations, arrays, bill, budgets, jobs, ledger, offers, projects, vouchers
from baygrid.app.allocations import Wanted
from baygrid.app.entitlement import Asked
from baygrid.app.problems import Impossible, Invalid, NotEnoughMoney, NotFound, WrongState
from baygrid.core.jobs.lifecycle import ATTEMPT_TABLE, JOB_TABLE, AttemptState, JobState
from baygrid.core.jobs.spec import parse
from baygrid.core.pricing.accounts import project_account, support_account
from baygrid.core.pricing.allocations import DAY_MS
from baygrid.core.pricing.months import Month
from baygrid.core.units import Money
from baygrid.ports.messages import Order
from baygrid.ports.records import Cursor
from baygrid.sim.checker import check_turns
from baygrid.sim.snapshot import Snapshot
from tests.app.stage import HOUR, OPERATOR, Site, Stage

REPORTED = [
    AttemptState.PLACED,
    AttemptState.STAGING,
    AttemptState.WAITING,
    AttemptState.RUNNING,
    AttemptState.STOPPING,
    AttemptState.PUBLISHING,
    AttemptState.UNKNOWN,
    AttemptState.SUCCEEDED,
    AttemptState.FAILED,
    AttemptState.CANCELLED,
    AttemptState.PREEMPTED,
]


class Lifecycle(RuleBasedStateMachine):
    """Two centres, one project with money for a few jobs at a time."""

    @initialize()
    def begin(self) -> None:
        self.stage = Stage(funds="40 CNY")
        self.sites: list[Site] = [
            self.stage.add_site("qianhai"),
            self.stage.add_site("hongkong", cpu_hour="2"),
        ]
        self.orders: dict[str, tuple[Site, Order]] = {}
        vouchers.add_pool(
            self.stage.platform, OPERATOR, name="region", payer="bureau", rulebook="example",
            clause="compute-share", amount=Money(1_000, "CNY"),
        )  # fmt: skip
        self.final: dict[str, JobState] = {}
        self.known: list[str] = []
        self.snapshot = Snapshot()
        self.counted = 0
        self.tended = Month.of(self.stage.now)

    @rule(
        cpus=st.integers(1, 9),
        hours=st.integers(1, 3),
        lost=st.sampled_from(["never", "1h"]),
        retries=st.integers(0, 2),
        cost=st.sampled_from([None, "3 CNY", "9 CNY"]),
        voucher=st.sampled_from(["auto", "none"]),
    )
    def submit(self, cpus: int, hours: int, lost: str, retries: int, cost: str | None, voucher: str) -> None:
        with contextlib.suppress(NotEnoughMoney, Impossible):
            self.known += self.stage.submit(
                {
                    "resources": {"cpus": cpus},
                    "time": f"{hours}h",
                    "lost_after": lost,
                    "retry": {"max": retries},
                    "budget": {"max_cost": cost, "voucher": voucher},
                }
            )

    @rule(size=st.integers(1, 4), parallel=st.integers(1, 3), retries=st.integers(0, 1))
    def submit_array(self, size: int, parallel: int, retries: int) -> None:
        array = {"range": f"0-{size - 1}", "parallel": parallel}
        with contextlib.suppress(NotEnoughMoney):
            self.known += self.stage.submit({"array": array, "retry": {"max": retries}})

    @precondition(lambda self: self.known)
    @rule(data=st.data(), size=st.integers(0, 3))
    def submit_after(self, data: st.DataObject, size: int) -> None:
        others = data.draw(st.lists(st.sampled_from(self.known), min_size=1, max_size=3, unique=True))
        array = {"range": f"1-{size}", "parallel": 1} if size else None
        with contextlib.suppress(NotEnoughMoney, Invalid):
            self.known += self.stage.submit({"after": others, "array": array})

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def cancel_array(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(self.known))
        with contextlib.suppress(WrongState, NotFound):
            arrays.cancel(self.stage.platform, self.stage.team, id)

    @rule(key=st.sampled_from("ab"))
    def submit_again(self, key: str) -> None:
        with contextlib.suppress(NotEnoughMoney):
            assert self.stage.submit(key=key) == self.stage.submit(key=key)

    @rule()
    def schedule(self) -> None:
        self.stage.schedule()
        self.tended = Month.of(self.stage.now)
        for site in self.sites:
            for order in site.desired().orders:
                self.orders.setdefault(order.attempt, (site, order))

    @rule(minutes=st.integers(1, 90))
    def pass_time(self, minutes: int) -> None:
        self.stage.pass_time(minutes * 60_000)

    @rule(days=st.integers(5, 25))
    def pass_days(self, days: int) -> None:
        self.stage.pass_time(days * DAY_MS)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), state=st.sampled_from(REPORTED), seconds=st.integers(0, 20_000))
    def report(self, data: st.DataObject, state: AttemptState, seconds: int) -> None:
        site, order = self.orders[data.draw(st.sampled_from(sorted(self.orders)))]
        answer = site.report(site.says(order, state, seconds))
        assert (order.attempt in answer.closed) == (state.final and not answer.refused)

    @rule()
    def old_report_is_refused(self) -> None:
        site = self.sites[0]
        with contextlib.suppress(WrongState):
            site.report(seq=site.seq)
            raise AssertionError("a report was taken twice")

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        _, order = self.orders[data.draw(st.sampled_from(sorted(self.orders)))]
        with contextlib.suppress(WrongState):
            jobs.cancel(self.stage.platform, self.stage.team, order.job)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def preempt(self, data: st.DataObject) -> None:
        _, order = self.orders[data.draw(st.sampled_from(sorted(self.orders)))]
        self.stage.preempt(order.attempt)

    @rule(
        minor=st.integers(100, 3_000),
        start=st.sampled_from([0, HOUR, 20 * DAY_MS]),
        lasts=st.sampled_from([None, HOUR, 4 * HOUR, 40 * DAY_MS]),
    )
    def grant(self, minor: int, start: int, lasts: int | None) -> None:
        begin = self.stage.now + start
        end = None if lasts is None else begin + lasts
        wanted = Wanted(Money(minor, "CNY"), "more", start=begin, end=end)
        projects.grant(self.stage.platform, OPERATOR, "demo", wanted)

    @rule(minor=st.integers(100, 4_000), hard=st.booleans())
    def set_budget(self, minor: int, hard: bool) -> None:
        amount = Money(minor, "CNY")
        budgets.set_budget(self.stage.platform, OPERATOR, "demo", amount, hard=hard, alerts=(50, 100))

    @rule()
    def remove_budget(self) -> None:
        with contextlib.suppress(NotFound):
            budgets.remove_budget(self.stage.platform, OPERATOR, "demo")

    @rule()
    def cancel_waiting(self) -> None:
        waiting = [JobState.QUEUED, JobState.HELD]
        for view in jobs.page(
            self.stage.platform, self.stage.team, project=None, states=waiting, before=None, limit=1
        ):
            assert (
                jobs.cancel(self.stage.platform, self.stage.team, view.job.id).job.state is JobState.CANCELLED
            )

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def declare_lost(self, data: st.DataObject) -> None:
        _, order = self.orders[data.draw(st.sampled_from(sorted(self.orders)))]
        with contextlib.suppress(WrongState):
            jobs.declare_lost(self.stage.platform, OPERATOR, order.attempt)

    @rule(price=st.integers(0, 5))
    def change_price(self, price: int) -> None:
        with contextlib.suppress(WrongState):
            rates = offers.Rates(cpu_hour=str(price))
            offers.add_tariff(self.stage.platform, OPERATOR, "qianhai-main", None, rates)

    @rule(start_up=st.booleans(), contract=st.integers(1, 50), cap=st.integers(1, 3_000))
    def issue_voucher(self, start_up: bool, contract: int, cap: int) -> None:
        name = f"contract {len(vouchers.vouchers(self.stage.platform, OPERATOR, None))}"
        facts = {"start_up": start_up, "compute_contract": contract, "compute_contract_name": name}
        most = contract * (60 if start_up else 50)
        asked = Asked("acme", None, "region", facts, cap=Money(min(cap, most), "CNY"))
        vouchers.issue(self.stage.platform, OPERATOR, asked)

    @rule(minor=st.integers(-500, 500))
    def change_pool(self, minor: int) -> None:
        with contextlib.suppress(WrongState):
            vouchers.change_pool(self.stage.platform, OPERATOR, "region", Money(minor, "CNY"))

    @rule(data=st.data())
    def revoke_voucher(self, data: st.DataObject) -> None:
        issued = [row.voucher.id for row in vouchers.vouchers(self.stage.platform, OPERATOR, None)]
        if issued:
            with contextlib.suppress(WrongState):
                vouchers.revoke(self.stage.platform, OPERATOR, data.draw(st.sampled_from(issued)))

    @invariant()
    def vouchers_pay_within_their_limits(self) -> None:
        """What each paid is what charges say of it, and what its pool's payer owes."""
        platform = self.stage.platform
        paid: Counter[str] = Counter()
        for share in bill.bill(platform, OPERATOR, "demo", 0, self.stage.now + HOUR, recompute=False).shares:
            paid[share.share["voucher"]] += share.share["paid"]
        for row in vouchers.vouchers(platform, OPERATOR, None):
            terms, drawn = row.voucher.terms, row.voucher.drawn
            assert drawn.paid == paid[row.voucher.id] <= terms.cap.minor
            assert drawn.paid <= terms.rate * drawn.base
            assert terms.contract is not None
            assert drawn.base <= terms.contract.minor
        (pool,) = vouchers.pools(platform, OPERATOR)
        owed = ledger.balances(platform, OPERATOR).get((support_account("region"), "CNY"), 0)
        assert owed == pool.paid == sum(paid.values()) <= pool.amount

    @invariant()
    def states_follow_the_tables(self) -> None:
        declared = {(before, after) for (before, _), (after, _) in JOB_TABLE.items()}
        for view in self._views():
            job = view.job
            was = self.final.get(job.id)
            assert was is None or job.state is was, "a final state changed"
            if job.state.final:
                self.final[job.id] = job.state
                assert job.hold == 0
                assert all(attempt.state.final for attempt in view.attempts)
            assert job.state in {after for _, after in declared} | {JobState.QUEUED}
            self._check_attempts(view)
        reachable = set(ATTEMPT_TABLE.values()) | {AttemptState.PLACED}
        assert all(a.state in reachable for view in self._views() for a in view.attempts)

    def _check_attempts(self, view: jobs.JobView) -> None:
        job, states = view.job, [attempt.state for attempt in view.attempts]
        assert [attempt.n for attempt in view.attempts] == list(range(1, job.attempts + 1))
        assert sum(not state.final for state in states) == (job.state is JobState.ACTIVE)
        earlier = states[:-1] if job.state is JobState.ACTIVE or job.state.final else states
        failed = sum(state in (AttemptState.FAILED, AttemptState.LOST) for state in earlier)
        assert AttemptState.SUCCEEDED not in earlier
        assert failed == job.retries or job.state is JobState.CANCELLED
        assert job.retries <= parse(job.spec).retry.most

    @invariant()
    def holds_are_as_asked(self) -> None:
        project = projects.project(self.stage.platform, OPERATOR, "demo")
        room = project.free
        if project.budget is not None and project.budget.hard:
            within = project.budget.amount.minor - project.spent(self.stage.now).counted
            room = min(room, within) if self.tended == Month.of(self.stage.now) else 0
        for view in self._views():
            job, limit = view.job, parse(view.job.spec).max_cost
            assert job.state is not JobState.QUEUED or job.hold == job.asked
            assert limit is None or view.charged + job.hold <= limit.minor
            if job.state is JobState.HELD:
                assert job.hold == (job.asked if job.cause in ("after", "back-off") else 0)
                assert job.cause != "money" or job.asked > room, "there is money for it"

    @invariant()
    def turns_are_kept(self) -> None:
        if self.snapshot.renew(self.stage.store):
            check_turns(self.snapshot)

    @invariant()
    def money_adds_up(self) -> None:
        platform = self.stage.platform
        project = projects.project(platform, OPERATOR, "demo")
        views = self._views()
        assert project.held == sum(view.job.hold for view in views)
        assert project.charged == sum(view.charged for view in views)
        assert 0 <= project.held + project.charged <= project.granted
        balances = ledger.balances(platform, OPERATOR)
        assert sum(balances.values()) == 0
        assert -balances[project_account("demo"), "CNY"] == project.granted - project.charged
        whole = bill.bill(platform, OPERATOR, "demo", 0, self.stage.now + HOUR, recompute=True)
        assert whole.differences == ()
        assert whole.total == project.charged

    @invariant()
    def what_is_granted_is_what_allocations_kept(self) -> None:
        """And what is charged was drawn from them, from none more than it has."""
        project = projects.project(self.stage.platform, OPERATOR, "demo")
        rows = allocations.allocations(self.stage.platform, OPERATOR, "demo")
        assert project.granted == sum(it.row.allocation.kept for it in rows if it.row.begun)
        assert project.charged == sum(it.used for it in rows)
        for it in rows:
            assert 0 <= it.used <= it.row.allocation.kept
            assert it.row.begun or not it.used
            settled = it.row.due is None and it.row.allocation.ended(self.stage.now)
            assert not settled or it.used == it.row.allocation.kept

    @invariant()
    def no_hard_budget_is_passed(self) -> None:
        """What counts for the month may only be above it where it was so before the budget was set."""
        project = projects.project(self.stage.platform, OPERATOR, "demo")
        counted = project.spent(self.stage.now).counted
        if project.budget is not None and project.budget.hard:
            assert counted <= max(project.budget.amount.minor, self.counted)
        self.counted = counted

    @invariant()
    def each_end_is_told_once(self) -> None:
        told = self.stage.store.read(lambda tx: tx.events.after(Cursor(), 10_000))
        ends = [e.job for _, e in told if e.kind in ("job-succeeded", "job-failed", "job-cancelled")]
        assert len(ends) == len(set(ends))
        assert set(ends) == {view.job.id for view in self._views() if view.job.state.final}

    def _views(self) -> list[jobs.JobView]:
        return jobs.page(
            self.stage.platform, self.stage.team, project=None, states=[], before=None, limit=1000
        )


Lifecycle.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLifecycle = Lifecycle.TestCase
