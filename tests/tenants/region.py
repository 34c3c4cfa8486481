"""A region in which two tenants, amber and zircon, have one of everything each, made by the same steps."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.testclient import TestClient

from baygrid.app import contracts, gates, recipients
from baygrid.app.access import Actor
from baygrid.app.contract_terms import Wanted
from baygrid.app.papers import sealed
from baygrid.app.signing_in import begin
from baygrid.app.tokens import issue
from baygrid.core.data.terms import Terms
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.pricing.credit import Credited, CreditNote
from baygrid.core.pricing.invoice import Customer, Invoice, Settled
from baygrid.core.pricing.months import Month
from baygrid.core.units import Money
from baygrid.portal import app as portal
from baygrid.ports.basics import Instant
from baygrid.ports.identity import Level, Of, OfKind
from baygrid.ports.papers import PaperKind
from baygrid.ports.records import AttemptRecord, Role, Scope
from tests.api.sharing import Sharing
from tests.api.world import Clock, job
from tests.app.people import add_user
from tests.portal.made import tar

USERS = {
    "lead": (OfKind.PROJECT, Level.LEAD),
    "member": (OfKind.PROJECT, Level.MEMBER),
    "viewer": (OfKind.PROJECT, Level.VIEWER),
    "admin": (OfKind.ORGANISATION, Level.ADMIN),
    "colleague": (OfKind.ORGANISATION, Level.MEMBER),
}
TOKENS = {
    "reading": frozenset({Scope.READ}),
    "using": frozenset({Scope.USE}),
    "team": frozenset({Scope.READ, Scope.USE}),
    "managing": frozenset(Scope),
}


class Stopped(Clock):
    """Two answers to the same question are alike, down to the byte, unless something has changed."""

    def __init__(self) -> None:
        self.at = super().__call__()

    def __call__(self) -> Instant:
        return self.at + self.ahead_ms


@dataclass
class Tenant:
    """`name`: of its organisation. `tokens`, `sessions`: secrets by who. `things`: by what addresses call
    them."""

    name: str
    amount: str
    tokens: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    things: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> str:
        return f"{self.name}-lab"

    def headers(self, who: str = "managing") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[who]}"}


@dataclass
class Region(Sharing):
    """Both tenants' jobs run at centre far, nobody's at hub."""

    clock: Clock = field(default_factory=Stopped)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.app.router.routes += portal.routes(self.platform)
        self._numbers = itertools.count(1)
        self.client = TestClient(self.app, base_url="http://localhost", follow_redirects=False)
        operators = {
            "hub": Of(OfKind.CENTRE, "hub"),
            "far": Of(OfKind.CENTRE, "far"),
            "operator": Of(OfKind.PLATFORM),
        }
        self.sessions = {
            who: self.session(f"{who}-keeper", of, Level.OPERATOR) for who, of in operators.items()
        }
        self.clinic()
        listing = {
            "offer": "hub-gpu",
            "kind": "committed",
            "quantity": 8,
            "rate": "0.1",
            "end": "2031-01-01T00:00:00Z",
        }
        self.listing = self.ask("POST", "/v1/listings", self.headers("operator"), listing)["id"]

    def close(self) -> None:
        self.client.close()
        super().close()

    def session(self, name: str, of: Of, level: Level) -> str:
        """The secret of a new user's."""
        user = add_user(self.platform, name, (of, level))
        return self.store.write(lambda tx: begin(self.platform, tx, user.id))[1]

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: Any = None, status: int = 201
    ) -> Any:
        answer = self.client.request(method, path, json=body, headers=headers)
        assert answer.status_code == status, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    def settle(self, name: str, amount: str) -> Tenant:
        """One more tenant, with one of everything."""
        it = Tenant(name, amount)
        operator = self.headers("operator")
        self.ask(
            "POST", "/v1/organisations", operator, {"name": name, "kind": "company", "title": f"{name} Title"}
        )
        grant = {"name": it.project, "organisation": name, "currency": "CNY", "grant": f"{amount} CNY"}
        self.ask("POST", "/v1/projects", operator, grant)
        self.verify(
            name, {"jurisdiction": "hk", "on_art42_list": False, "is_foreign_judicial_or_enforcement": False}
        )
        it.things = {
            "project": it.project,
            "organisation": name,
            "out": f"{name}-out",
            "result": f"{name}-result.csv",
            "of": f"project:{it.project}",
        }
        self._people(it)
        self._money(it)
        self._jobs(it)
        self._data(it)
        return it

    def _people(self, it: Tenant) -> None:
        for who, (kind, level) in USERS.items():
            place = Of(kind, it.project if kind is OfKind.PROJECT else it.name)
            it.sessions[who] = self.session(f"{it.name}-{who}", place, level)
        for who, scopes in TOKENS.items():
            token, it.tokens[who] = self.store.write(
                lambda tx, scopes=scopes, who=who: issue(  # type: ignore[misc]
                    self.platform, tx, Role.TEAM, it.project, None, f"{it.name}-{who}", scopes=scopes
                )
            )
            it.things["token"] = token.id
        of = f"project:{it.project}"
        members = self.ask("GET", f"/v1/members?of={of}", it.headers(), status=200)["items"]
        it.things["user"] = members[0]["user"]
        asked = {"of": of, "level": "member", "email": f"{it.name}-guest@example.org"}
        it.things["invitation"] = self.ask("POST", "/v1/invitations", it.headers(), asked)["id"]

    def _money(self, it: Tenant) -> None:
        operator = self.headers("operator")
        budget = {"amount": f"{it.amount} CNY", "alerts": [50]}
        self.ask("PUT", f"/v1/projects/{it.project}/budget", operator, budget, 200)
        asked = {
            "amount": f"{it.amount} CNY",
            "to": "2090-01-01T00:00:00Z",
            "purpose": f"{it.name} wants more",
        }
        it.things["application"] = self.ask("POST", "/v1/applications", it.headers(), asked)["id"]
        pool = {
            "name": f"{it.name}-pool",
            "payer": f"{it.name}-payer",
            "rulebook": "example",
            "clause": "compute-share",
        }
        self.ask("POST", "/v1/pools", operator, {**pool, "amount": f"{it.amount} CNY"})
        facts = {"start_up": True, "compute_contract": 10, "compute_contract_name": pool["name"]}
        asked_for = {"organisation": it.name, "pool": pool["name"], "facts": facts}
        it.things |= {"pool": pool["name"]}
        it.things["voucher"] = self.ask("POST", "/v1/vouchers", operator, asked_for)["id"]
        trade = {"units": 1, "hours": 1, "project": it.project}
        self.ask("POST", f"/v1/listings/{self.listing}/trades", it.headers(), trade)
        it.things["number"] = self._papers(it)
        paid = {"amount": "1 CNY", "reference": f"{it.name}-wire"}
        self.ask("POST", f"/v1/invoices/{it.things['number']}/payments", operator, paid)
        self.ask(
            "POST", f"/v1/projects/{it.project}/payments", operator, paid | {"reference": f"{it.name}-cash"}
        )

    def _papers(self, it: Tenant) -> str:
        """An invoice and a credit note of it, of the same number."""
        number, month, now = f"2026-10-7{next(self._numbers):03d}", Month(2026, 10), self.clock()
        customer, zero = Customer(it.name, f"{it.name} Title", "company"), Money.zero("CNY")
        invoice = Invoice(
            number, it.project, customer, month, now, "CNY", (), (), Settled(), None, None
        ).to_json()
        note = CreditNote(number, invoice, month, now, f"{it.name} erred", Credited(zero, zero, zero, zero))
        first = sealed(PaperKind.INVOICE, it.project, invoice)
        second = sealed(PaperKind.CREDIT_NOTE, it.project, note.to_json(), regards=number)
        self.store.write(lambda tx: tx.papers.insert([(first, 100_00)]))
        self.store.write(lambda tx: tx.papers.insert([(second, 0)]))
        return number

    def _jobs(self, it: Tenant) -> None:
        """One has ended, one runs, an array and a job wait."""
        headers, blob = it.headers(), f"what {it.name} works on".encode()
        it.things["sha256"] = hashlib.sha256(blob).hexdigest()
        made = self.client.put(f"/v1/blobs/{it.things['sha256']}", content=blob, headers=headers)
        assert made.status_code == 201, made.text
        secret = f"/v1/projects/{it.project}/secrets/{it.name.upper()}_KEY"
        self.ask("PUT", secret, headers, {"value": "hidden"}, 200)
        hook = {"target": f"https://hooks.example.org/{it.name}"}
        it.things["notification"] = self.ask("POST", "/v1/notifications", headers, hook)["id"]
        self._run(it, "running")
        self._end(it, self._run(it, "job"))
        waits = job(f"{it.name}-waits", resources={"cpus": 32, "memory": 4}, nodes=4, infra="far")
        it.things["waiting"] = self.ask("POST", "/v1/jobs", headers, waits)["id"]
        many = job(f"{it.name}-many", array={"range": "1-3"}, infra="far")
        it.things["array"] = self.ask("POST", "/v1/jobs", headers, many)["id"]
        self.place()

    def _run(self, it: Tenant, thing: str) -> AttemptRecord:
        outputs, workdir = {f"{it.name}-out": "result"}, f"blob:{it.things['sha256']}"
        document = job(f"{it.name}-{thing}", outputs=outputs, infra="far", workdir=workdir)
        it.things[thing] = self.ask("POST", "/v1/jobs", it.headers(), document)["id"]
        self.place()
        (attempt,) = self.attempts(it.things[thing])
        self.report("far", attempt, AttemptState.RUNNING, started_at=self.clock())
        return attempt

    def _end(self, it: Tenant, attempt: AttemptRecord) -> None:
        """With a log and a result."""
        it.things |= {"attempt": attempt.id, "attempt_token": attempt.token}
        far, log, result = self.headers("far"), f"{it.name} says\n", tar({it.things["result"]: b"a,b\n1,2\n"})
        sha256, now = hashlib.sha256(result).hexdigest(), self.clock()
        for path, content in (
            (f"/v1/agent/logs/{attempt.id}?offset=0", log.encode()),
            (f"/v1/blobs/{sha256}", result),
        ):
            headers = far | {"Baygrid-Attempt-Token": attempt.token}
            self.client.put(path, content=content, headers=headers).raise_for_status()
        self.report(
            "far", attempt, AttemptState.SUCCEEDED, started_at=now, ended_at=now + 4000, exit_code=0,
            outputs={f"{it.name}-out": sha256}, log_size=len(log),
        )  # fmt: skip

    def _data(self, it: Tenant) -> None:
        headers, clinic = it.headers(), self.clinic()
        dataset = {"name": f"{it.name}-photos", "uri": f"s3://{it.name}/2026/", "jurisdiction": "CN-QH"}
        self.ask("POST", "/v1/datasets", headers, dataset)
        it.things["dataset"] = dataset["name"]
        consumer = Actor(f"tok-{it.name}", Role.TEAM, it.name, project=it.project)
        wanted = Wanted({"clinic/beds": Terms()}, purpose=f"a study of {it.name}", ground="other")
        row = contracts.request(self.platform, consumer, wanted, share=f"{it.name}-share").row
        contracts.offer(self.platform, clinic, row.id, Wanted())
        contracts.accept(self.platform, consumer, row.id)
        gates.agree(self.platform, clinic, row.id)
        contracts.verify(self.platform, consumer, row.id)
        it.things |= {"contract": row.id, "share": f"{it.name}-share"}
        link = recipients.add(self.platform, consumer, None, f"{it.name}-reader")
        it.things |= {"recipient": f"{it.name}-reader", "link": link.secret}
        second = recipients.add(self.platform, consumer, None, f"{it.name}-second")
        profile = recipients.profile(self.platform, second.secret, "http://localhost/delta-sharing")
        it.tokens["recipient"] = profile["bearerToken"]


def canaries(
    before: dict[str, list[tuple[Any, ...]]], after: dict[str, list[tuple[Any, ...]]]
) -> frozenset[str]:
    """Every text that came into the database in between, also inside of documents."""
    return frozenset(_texts(after)) - frozenset(_texts(before))


def _texts(dump: dict[str, list[tuple[Any, ...]]]) -> Iterator[str]:
    for rows in dump.values():
        for row in rows:
            for value in row:
                yield from _leaves(value)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value[:1] in ("{", "["):
        with suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, str):
        yield value
