"""Contracts about data in the store: rows, versions, steps, recipients' tokens."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from baygrid.core.data.contracts import Side, State, Step, Suspension
from baygrid.core.data.permission import Record
from baygrid.core.data.terms import Mode, Terms
from baygrid.ports.contracts import ContractStep, GrantRow, RecipientRow, RecipientToken
from baygrid.ports.store import Conflict, Exists, Store, Tx
from tests.store.records import data_contract, organise

TERMS = Terms(("city", "age"), "city = 'SZ'", {"age": "null"}, Mode.AGGREGATE, 10)
GRANTS = [
    GrantRow("grant-1", "contract-1", "demo", "beds", Terms()),
    GrantRow("grant-2", "contract-1", "demo", "visits", TERMS, "abc", 7, 9),
]
WHOLE = data_contract(
    state=State.FINALIZED,
    suspensions=(Suspension(Side.PROVIDER, "asked", "a leak", 8), Suspension(Side.PLATFORM, "law", "x", 9)),
    decision={"outcome": "FREE"},
    records={"consent": Record("Li Hua", date(2027, 1, 2), "ab" * 32, None, "by post")},
    counts=True,
    onward=True,
    warned=30,
    due=300,
    renews="contract-0",
    choice="sc",
)


@pytest.fixture
def tables(store: Store) -> Store:
    store.write(organise)
    return store


def insert(store: Store, row=None, grants=()) -> None:
    store.write(lambda tx: tx.contracts.insert(row or data_contract(), grants))


def test_a_contract_comes_back_as_it_went_in(tables: Store):
    insert(tables, WHOLE, GRANTS)
    assert tables.read(lambda tx: tx.contracts.get("contract-1")) == WHOLE
    assert tables.read(lambda tx: tx.contracts.get("contract-2")) is None
    assert tables.read(lambda tx: tx.contracts.grants(["contract-1", "contract-9"])) == GRANTS
    assert tables.read(lambda tx: tx.contracts.grant("grant-2")) == GRANTS[1]


def test_a_change_counts_and_the_second_of_two_is_a_conflict(tables: Store):
    insert(tables)
    changed = replace(WHOLE, version=0, renews=None)
    tables.write(lambda tx: tx.contracts.change(changed))
    assert tables.read(lambda tx: tx.contracts.get("contract-1")) == replace(changed, version=1)
    with pytest.raises(Conflict):
        tables.write(lambda tx: tx.contracts.change(changed))


def test_a_consumer_has_a_share_once_and_its_renewals_beside(tables: Store):
    insert(tables)
    with pytest.raises(Exists):
        insert(tables, data_contract(id="contract-2"))
    renewal = data_contract(id="contract-3", nth=1)
    insert(tables, renewal)
    insert(tables, data_contract(id="contract-4", consumer="demo", provider="other"))
    assert tables.read(lambda tx: tx.contracts.of_share("other", "clinic")) == [renewal, data_contract()]
    assert tables.read(lambda tx: tx.contracts.get("contract-2")) is None


def test_each_side_finds_its_own_newest_first(tables: Store):
    rows = [
        data_contract(id=f"contract-{n}", share=f"s{n}", due=due, state=state)
        for n, due, state in ((1, 50, State.FINALIZED), (2, None, State.AGREED), (3, 20, State.FINALIZED))
    ]
    for row in rows:
        insert(tables, row)

    def look(tx: Tx) -> list[list[str]]:
        of = tx.contracts
        found = [
            of.page(None, "~", 9), of.page("other", "contract-3", 9), of.page("demo", "~", 2),
            of.page("nobody", "~", 9), of.of_consumer("other"), of.of_exporter("lab"), of.due(49, 9),
            of.due(50, 9),
        ]  # fmt: skip
        return [[row.id[-1] for row in rows] for rows in found]

    assert tables.read(look) == [
        ["3", "2", "1"], ["2", "1"], ["3", "2"], [], ["1", "3"], ["1", "3"], ["3"], ["3", "1"],
    ]  # fmt: skip


def test_grants_are_replaced_and_noted(tables: Store):
    insert(tables, None, GRANTS)
    tables.write(lambda tx: tx.contracts.set_grants("contract-1", GRANTS[:1]))
    noted = replace(GRANTS[0], shown="v3", opened=5, closed=6)
    tables.write(lambda tx: tx.contracts.change_grant(noted))
    assert tables.read(lambda tx: tx.contracts.grants(["contract-1"])) == [noted]


def test_steps_follow_one_another(tables: Store):
    insert(tables)
    steps = [
        ContractStep("contract-1", n, 5 + n, step, side, "tok-1", {"why": "因"})
        for n, (step, side) in enumerate([(Step.REQUEST, Side.CONSUMER), (Step.TERMINATE, Side.PLATFORM)])
    ]
    for step in steps:
        tables.write(lambda tx, step=step: tx.contracts.append_step(step))  # type: ignore[misc]
    with pytest.raises(Conflict):
        tables.write(lambda tx: tx.contracts.append_step(steps[1]))
    assert tables.read(lambda tx: tx.contracts.steps("contract-1")) == steps


ANNA = RecipientRow("recipient-1", "other", "anna", 5, "tok-1")


def token(n: int = 1, **fields: object) -> RecipientToken:
    row = RecipientToken(f"token-{n}", ANNA.id, f"link-{n}", 100, 1_000, 5, "tok-1")
    return replace(row, **fields)  # type: ignore[arg-type]


@pytest.fixture
def held(tables: Store) -> Store:
    tables.write(lambda tx: tx.recipients.insert(ANNA))
    tables.write(lambda tx: tx.recipients.insert_token(token()))
    return tables


def activate(store: Store, link: str, digest: str, now: int):
    return store.write(lambda tx: tx.recipients.activate(link, digest, now))


def test_a_link_makes_its_token_once(held: Store):
    active = token(digest="d1", activated_at=50, expires_at=1_050)
    assert activate(held, "link-1", "d1", 50) == (ANNA, active)
    assert activate(held, "link-1", "d2", 51) is None
    assert held.read(lambda tx: tx.recipients.bearer("d1")) == (ANNA, active)
    assert held.read(lambda tx: tx.recipients.holder("token-1")) == (ANNA, active)
    assert held.read(lambda tx: tx.recipients.bearer("d2")) is None


@pytest.mark.parametrize(("now", "made"), [(99, True), (100, False)])
def test_a_link_is_good_to_before_its_end(held: Store, now: int, made: bool):
    assert (activate(held, "link-1", "d1", now) is not None) is made


def test_ending_shortens_what_is_used_and_takes_back_what_is_not(held: Store):
    activate(held, "link-1", "d1", 50)
    held.write(lambda tx: tx.recipients.insert_token(token(2)))
    assert held.write(lambda tx: tx.recipients.end(ANNA.id, 60, 500)) == 2
    assert held.write(lambda tx: tx.recipients.end(ANNA.id, 61, 600)) == 0  # nothing becomes longer
    assert held.read(lambda tx: tx.recipients.tokens(ANNA.id)) == [
        token(digest="d1", activated_at=50, expires_at=500),
        token(2, revoked_at=60),
    ]
    assert activate(held, "link-2", "d2", 62) is None


def test_revoking_is_for_all_and_once(held: Store):
    activate(held, "link-1", "d1", 50)
    held.write(lambda tx: tx.recipients.insert_token(token(2)))
    assert held.write(lambda tx: tx.recipients.revoke(ANNA.id, 60)) == 2
    assert held.write(lambda tx: tx.recipients.revoke(ANNA.id, 61)) == 0
    assert {it.revoked_at for it in held.read(lambda tx: tx.recipients.tokens(ANNA.id))} == {60}
    assert activate(held, "link-2", "d2", 62) is None


def test_recipients_have_names_in_their_project(held: Store):
    with pytest.raises(Exists):
        held.write(lambda tx: tx.recipients.insert(replace(ANNA, id="recipient-2")))
    same = RecipientRow("recipient-3", "demo", "anna", 5, "tok-1")
    held.write(lambda tx: tx.recipients.insert(same))
    assert held.read(lambda tx: tx.recipients.page(None)) == [same, ANNA]
    assert held.read(lambda tx: tx.recipients.page("demo")) == [same]
    assert held.read(lambda tx: tx.recipients.get("other", "anna")) == ANNA
    assert held.read(lambda tx: tx.recipients.get("other", "a\0")) is None
