"""One transaction as the port describes it: the parts, all on one session."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from baygrid.store.accounts import Accounts
from baygrid.store.answers import Answers
from baygrid.store.arrays import Arrays
from baygrid.store.attempts import Attempts
from baygrid.store.audit import Audit
from baygrid.store.bottlenecks import Bottlenecks
from baygrid.store.catalogue import Catalogue
from baygrid.store.contracts import Contracts
from baygrid.store.datasets import Datasets
from baygrid.store.entries import Entries
from baygrid.store.estimates import Estimates
from baygrid.store.events import Events
from baygrid.store.exchange import Exchange
from baygrid.store.jobs import Jobs
from baygrid.store.leadership import Leadership
from baygrid.store.logs import Logs
from baygrid.store.money import Money
from baygrid.store.notices import Notices
from baygrid.store.outside import OutsideJobs
from baygrid.store.papers import Papers
from baygrid.store.persons import Persons
from baygrid.store.policies import Policies
from baygrid.store.ratings import Ratings
from baygrid.store.recipients import Recipients
from baygrid.store.region import Region
from baygrid.store.registry import Registry
from baygrid.store.secrets import Secrets
from baygrid.store.shares import Shares
from baygrid.store.sql import Session
from baygrid.store.support import Support
from baygrid.store.trading import Trading
from baygrid.store.users import Users

T = TypeVar("T")


class Tx:
    """Implements `ports.store.Tx`. Built once per connection and used for one transaction after the other."""

    __slots__ = (
        "accounts",
        "answers",
        "arrays",
        "attempts",
        "audit",
        "bottlenecks",
        "catalogue",
        "contracts",
        "datasets",
        "entries",
        "estimates",
        "events",
        "exchange",
        "jobs",
        "leadership",
        "logs",
        "money",
        "notices",
        "outside",
        "papers",
        "persons",
        "policies",
        "ratings",
        "recipients",
        "region",
        "registry",
        "secrets",
        "shares",
        "support",
        "trading",
        "users",
    )

    def __init__(self, session: Session) -> None:
        self.jobs = Jobs(session)
        self.arrays = Arrays(session)
        self.attempts = Attempts(session)
        self.logs = Logs(session)
        self.money = Money(session)
        self.region = Region(session)
        self.notices = Notices(session)
        self.events = Events(session, self.notices)
        self.leadership = Leadership(session)
        self.answers = Answers(session)
        self.policies = Policies(session)
        self.datasets = Datasets(session)
        self.exchange = Exchange(session)
        self.secrets = Secrets(session)
        self.estimates = Estimates(session)
        self.outside = OutsideJobs(session)
        self.ratings = Ratings(session)
        self.shares = Shares(session)
        self.support = Support(session)
        self.trading = Trading(session)
        self.papers = Papers(session)
        self.accounts = Accounts(session)
        self.bottlenecks = Bottlenecks(session)
        self.catalogue = Catalogue(session)
        self.audit = Audit(session)
        self.contracts = Contracts(session)
        self.persons = Persons(session)
        self.recipients = Recipients(session)
        self.registry = Registry(session)
        self.users = Users(session)
        self.entries = Entries(session)

    def write(self, work: Callable[[Tx], T]) -> T:
        """All that a transaction does which writes; a read is `work` alone."""
        return self.audit.after_work(lambda: work(self))
