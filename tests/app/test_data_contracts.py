"""Contracts about data on a real store: who may do what, what the law wants first, and what stops a read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from baygrid.app import contract_view, contracts, gates, grants, persons, renewals
from baygrid.app.contract_steps import Refused
from baygrid.app.contract_terms import Wanted
from baygrid.app.crossing import ANONYMOUS
from baygrid.app.grants import ReadRefused
from baygrid.app.once import Once
from baygrid.app.persons import key_of, seal_keys_anew
from baygrid.app.problems import Invalid, NotFound, WrongState
from baygrid.core.data.contracts import Side, State
from baygrid.core.data.permission import Record
from baygrid.core.data.terms import Mode, Terms
from baygrid.core.days import beginning, day_of
from baygrid.store.vault import AesVault
from tests.app.data_stage import HOSPITAL, ID, LAB, OPEN, PLAIN, SENSITIVE, DataStage
from tests.app.stage import OPERATOR

DAY = 86_400_000


@pytest.fixture
def stage() -> DataStage:
    return DataStage()


def people(n: int, first: int = 0) -> list[str]:
    return [f"p{number}" for number in range(first, first + n)]


def why(stage: DataStage, table: str, share: str = "hospital", **more: object) -> str | None:
    """The code for which a read is refused; None: it is not."""
    bearer = grants.Bearer("lab", "tok-lab")
    try:
        grants.may_read(stage.platform, bearer, share, "hospital", table, **more)  # type: ignore[arg-type]
    except ReadRefused as refused:
        return refused.reason.code
    return None


def test_few_persons_are_exempt_and_still_want_notice_consent_and_an_assessment_of_the_impact(
    stage: DataStage,
):
    visits = stage.table("visits", people(3))
    id = stage.request(visits)
    stage.agree(id)
    with pytest.raises(Refused, match=r"PIPL 39") as refused:
        gates.finalize(stage.platform, stage.hospital, id)
    assert refused.value.extra["reason"]["code"] == "obligation-open"
    assert why(stage, "visits") == "contract-not-finalized"
    stage.record(id, "notice", "separate-consent", "pipia")
    final = gates.finalize(stage.platform, stage.hospital, id)
    assert final.row.state is State.FINALIZED
    assert final.row.decision is not None
    assert (final.row.decision["outcome"], final.row.decision["basis"]) == ("EXEMPT", ["Provisions 5(4)"])
    assert why(stage, "visits") is None
    assert [step.step.value for step in final.steps] == [
        "request", "offer", "accept", "agree", "verify", "record", "record", "record", "finalize",
    ]  # fmt: skip


def test_one_sensitive_person_wants_a_route_and_its_obligations(stage: DataStage):
    stage.table("illnesses", people(1), SENSITIVE)
    id = stage.request("hospital/illnesses")
    contracts.offer(stage.platform, stage.hospital, id, Wanted())
    contracts.accept(stage.platform, stage.lab, id)
    with pytest.raises(Refused, match="sc, cert, gba_sc"):
        gates.agree(stage.platform, stage.hospital, id)
    assert stage.state(id).state is State.ACCEPTED
    contracts.terminate(stage.platform, stage.hospital, id, "again with a route")
    id = stage.request("hospital/illnesses", choice="sc")
    stage.agree(id)
    stage.record(id, "notice", "separate-consent", "pipia")
    with pytest.raises(Refused, match="SC Measures"):
        gates.finalize(stage.platform, stage.hospital, id)
    stage.record(id, "sc-template", "sc-effective")
    gates.finalize(stage.platform, stage.hospital, id)
    assert why(stage, "illnesses") is None


def test_a_filing_that_nobody_records_stops_reading_after_ten_working_days(stage: DataStage):
    stage.table("illnesses", people(1), SENSITIVE)
    id = stage.shared("hospital/illnesses", choice="sc")
    filing = next(
        it
        for it in contract_view.whole(stage.platform, stage.lab, id).dues
        if it.obligation.id == "sc-filing"
    )
    last = date(2026, 12, 7)  # ten working days after Monday, 23 November
    assert filing.obligation.due == last
    stage.now = beginning(last + timedelta(1)) - 1
    assert why(stage, "illnesses") is None
    stage.now += 1
    assert why(stage, "illnesses") == "obligation-overdue"
    stage.record(id, "sc-filing", day=last)
    assert why(stage, "illnesses") is None


@pytest.mark.parametrize(
    ("facts", "labels", "asked"),
    [
        ({**HOSPITAL, "ciio": None}, PLAIN, "exporter.ciio"),
        (HOSPITAL, {**PLAIN, "city": replace(ID, core=None, subject=False)}, "data.core"),
        (HOSPITAL, {"id": ID}, "data.important"),  # nobody has labelled `city`
        (HOSPITAL, {"id": replace(ID, subject=False), "city": PLAIN["city"]}, "ytd_after"),
    ],
)
def test_a_fact_that_nobody_knows_is_asked_for_by_name(stage: DataStage, facts, labels, asked: str):
    stage.verify("hospital", facts)
    stage.table("visits", people(3), labels, columns=("id", "city"))
    id = stage.request("hospital/visits")
    contracts.offer(stage.platform, stage.hospital, id, Wanted())
    contracts.accept(stage.platform, stage.lab, id)
    with pytest.raises(Refused, match=asked) as refused:
        gates.agree(stage.platform, stage.hospital, id)
    assert refused.value.extra["reason"]["code"] == "law-needs-fact"
    links = stage.store.read(lambda tx: tx.audit.after(0, 100, contract=id))
    assert links[-1].kind == "contract-refused"
    assert links[-1].data["decision"]["outcome"] == "NEEDS_FACT"


def test_who_is_on_the_list_gets_nothing_of_persons(stage: DataStage):
    stage.verify("lab", {**LAB, "on_art42_list": True})
    id = stage.request(stage.table("visits", people(3)))
    with pytest.raises(Refused, match="PIPL 42"):
        stage.agree(id)


def test_open_tables_are_had_at_once_and_their_decision_is_kept(stage: DataStage):
    weather = stage.table("weather", labels=OPEN, open=True)
    id = stage.request(weather)
    row = stage.state(id)
    assert row.state is State.FINALIZED
    assert row.decision["outcome"] == "FREE"
    assert why(stage, "weather") is None
    steps = stage.store.read(lambda tx: tx.contracts.steps(id))
    assert [(step.step.value, step.side) for step in steps] == [
        ("request", Side.CONSUMER), ("agree", Side.PLATFORM), ("verify", Side.PLATFORM),
        ("finalize", Side.PLATFORM),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "labels", [PLAIN, {**OPEN, "rain": replace(OPEN["rain"], core=None)}, {"day": OPEN["day"]}]
)
def test_what_is_open_by_mistake_waits_for_its_provider(stage: DataStage, labels):
    stage.table(
        "weather", people(1), labels, open=True, columns=(*labels, "rain") if "rain" not in labels else None
    )
    assert stage.state(stage.request("hospital/weather")).state is State.REQUESTED


def test_a_table_that_becomes_personal_stops_the_next_read(stage: DataStage):
    weather = stage.table("weather", labels=OPEN, open=True)
    stage.request(weather)
    assert why(stage, "weather") is None
    stage.table("weather", people(3), {**OPEN, "day": ID}, open=True)
    assert why(stage, "weather") == "law-needs-fact"


def test_data_that_stay_on_their_side_cross_no_border(stage: DataStage):
    stage.verify("lab", {**LAB, "jurisdiction": "cn"})
    id = stage.shared(stage.table("visits", people(3)))
    assert stage.state(id).decision["basis"][0].startswith("no border is crossed")
    assert why(stage, "visits") is None


def test_what_hong_kong_collected_goes_back_by_article_four_and_counts_for_nothing(stage: DataStage):
    from baygrid.core.data.labels import Origin

    overseas = {
        name: replace(it, origin=Origin.OVERSEAS, sensitive=name == "city") for name, it in PLAIN.items()
    }
    id = stage.shared(stage.table("patients", people(50), overseas))
    assert stage.state(id).decision["basis"] == ["Provisions 4"]
    assert not stage.state(id).counts
    assert persons.counted(stage.platform, OPERATOR, "hospital").exposed.spi == 0
    mixed = {**overseas, "city": PLAIN["city"]}
    stage.table("patients", people(50), mixed)
    assert why(stage, "patients") == "law-needs-fact"  # they were not counted: that is asked for first


@pytest.mark.parametrize("side", ["hospital", "lab", "operator"])
def test_each_side_can_end_it_and_the_next_read_is_refused(stage: DataStage, side: str):
    actor = OPERATOR if side == "operator" else stage.member(side)
    visits = stage.table("visits", people(3))
    id = stage.shared(visits)
    held = grants.may_read(stage.platform, grants.Bearer("lab", "x"), "hospital", "hospital", "visits")
    assert held.contract.id == id
    contracts.terminate(stage.platform, actor, id, "no longer needed")
    assert why(stage, "visits") == "contract-not-finalized"
    with pytest.raises(WrongState, match="for good"):
        contracts.suspend(stage.platform, actor, id, "again")


def test_whoever_suspends_lifts_only_its_own(stage: DataStage):
    id = stage.shared(stage.table("visits", people(3)))
    contracts.suspend(stage.platform, stage.lab, id, "a leak")
    contracts.suspend(stage.platform, stage.hospital, id, "a leak there")
    with pytest.raises(WrongState, match="already"):
        contracts.suspend(stage.platform, stage.lab, id, "again")
    gates.resume(stage.platform, stage.lab, id)
    assert why(stage, "visits") == "contract-suspended"
    with pytest.raises(WrongState, match="the provider suspended it"):
        gates.resume(stage.platform, OPERATOR, id)
    gates.resume(stage.platform, stage.hospital, id)
    assert why(stage, "visits") is None


def test_a_stranger_sees_no_contract(stage: DataStage):
    id = stage.shared(stage.table("visits", people(3)))
    stranger = stage.join("museum", LAB)
    for act in (
        lambda: contracts.terminate(stage.platform, stranger, id, "mine now"),
        lambda: gates.finalize(stage.platform, stranger, id),
        lambda: contract_view.whole(stage.platform, stranger, id),
    ):
        with pytest.raises(NotFound, match="no contract"):
            act()
    assert contracts.contracts(stage.platform, stranger) == []
    with pytest.raises(NotFound):
        grants.may_read(stage.platform, grants.Bearer("museum", "x"), "hospital", "hospital", "visits")


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"ground": "because"}, "ground: must be one of"),
        ({"choice": "post"}, "choice: must be one of"),
        ({"purpose": " "}, "purpose: must be a text"),
        ({"facts": {"exporter.ciio": False}}, "none that the parties say"),
        ({"facts": {"direct_marketing": "no"}}, "facts.direct_marketing"),
        ({"until": 5}, "until: must be after now"),
        ({"share": "a.b"}, "share: cannot have a full stop"),
        ({"choice": "gba_sc", "onward": True}, "GBA SC Guidelines"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(stage: DataStage, wanted, says: str):
    visits = stage.table("visits", people(3))
    with pytest.raises(Invalid) as wrong:
        stage.request(visits, **wanted)
    assert says in wrong.value.detail
    assert contracts.contracts(stage.platform, stage.lab) == []


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        (Terms(("id", "salary")), "no column 'salary'"),
        (Terms(()), "shows no column"),
        (Terms(masks={"salary": "hash"}), "no column 'salary'"),
        (Terms(mode=Mode.AGGREGATE, k=1), "k must be 2"),
    ],
)
def test_terms_must_fit_the_table(stage: DataStage, terms: Terms, says: str):
    with pytest.raises(Invalid, match=says):
        stage.request(stage.table("visits", people(3)), terms=terms)


def test_a_request_with_the_same_key_makes_one_contract(stage: DataStage):
    stage.table("visits", people(3))
    wanted = Wanted(tables={"hospital/visits": Terms()}, purpose="a study")
    once = Once("key", "said")
    first, again = (contracts.request(stage.platform, stage.lab, wanted, once=once) for _ in range(2))
    assert first.row.id == again.row.id
    with pytest.raises(WrongState, match="share 'hospital' already"):
        contracts.request(stage.platform, stage.lab, wanted)


def test_figures_only_are_not_read_as_rows_and_free_once_somebody_answers_for_it(stage: DataStage):
    visits = stage.table("visits", people(300), SENSITIVE)
    id = stage.request(visits, terms=Terms(mode=Mode.AGGREGATE, k=10))
    stage.record(id, ANONYMOUS)
    stage.finalize(id)
    assert stage.state(id).decision["outcome"] == "FREE"
    assert why(stage, "visits") == "figures-only"
    assert why(stage, "visits", mode=Mode.AGGREGATE) is None
    rows = stage.request(stage.table("rows", people(1)), share="rows")
    with pytest.raises(Invalid, match="none of this contract"):
        stage.record(rows, ANONYMOUS)


def test_a_pilot_institution_serves_within_its_dates_and_scope(stage: DataStage):
    pilot = {"parent": "Lab Holdings", "registered": "Qianhai", "scope": ["clinical studies"]}
    days = {"from": "2026-11-23", "until": "2026-12-31"}
    stage.verify("hospital", HOSPITAL, {**pilot, **days})
    visits = stage.table("visits", people(3))
    id = stage.request(visits)
    stage.agree(id)
    stage.record_all(id)
    with pytest.raises(Refused, match="pilot is for clinical studies"):
        gates.finalize(stage.platform, stage.hospital, id)
    contracts.terminate(stage.platform, stage.lab, id, "again")
    stage.shared(visits, scope="clinical studies")
    assert why(stage, "visits") is None
    stage.now = beginning(date(2027, 1, 1)) - 1
    assert why(stage, "visits") is None
    stage.now += 1
    assert why(stage, "visits") == "pilot-ended"


def test_an_assessment_lets_go_on_what_a_threshold_has_stopped(stage: DataStage):
    """A3's vector of 2026-07-01: 6,000 under a standard contract, 4,000 more make an assessment of all."""
    stage.table("old", people(6_000), SENSITIVE)
    old = stage.shared("hospital/old", choice="sc", share="old")
    stage.table("new", people(4_000, 6_000), SENSITIVE)
    new = stage.request("hospital/new", choice="sc", share="new")
    stage.agree(new)
    stage.record(new, "notice", "separate-consent", "pipia")
    with pytest.raises(Refused, match=r"Provisions 7: Pass the security assessment"):
        gates.finalize(stage.platform, stage.hospital, new)
    assert why(stage, "old", "old") is None  # nothing more was shown, so nothing changes
    stage.record(new, "assessment-passed")
    gates.finalize(stage.platform, stage.hospital, new)
    assert why(stage, "new", "new") is None
    assert why(stage, "old", "old") == "contract-suspended"
    (held,) = stage.state(old).suspensions
    assert (held.side, held.code) == (Side.PLATFORM, "obligation-open")
    assert "Provisions 7" in held.reason
    assert "contract-suspend" in stage.kinds("lab")
    assert "persons-reached" in stage.kinds("hospital")
    kinds = [link.kind for link in stage.store.read(lambda tx: tx.audit.after(0, 1000, contract=old))]
    assert kinds[-2:] == ["contract-suspend", "read-refused"]
    with pytest.raises(Refused, match="assessment"):
        gates.resume(stage.platform, stage.hospital, old)
    stage.record(old, "assessment-passed")
    assert why(stage, "old", "old") is None
    assert stage.state(old).suspensions == ()


def test_one_person_more_in_a_shared_table_stops_it(stage: DataStage):
    visits = stage.table("visits", people(9_999), SENSITIVE)
    id = stage.shared(visits, choice="sc")
    assert why(stage, "visits") is None
    grant = stage.store.read(lambda tx: tx.contracts.grants([id]))[0]
    key = persons.key_of(stage.platform, "hospital")
    from tests.app.data_stage import person

    assert persons.expose(stage.platform, grant.id, [person(key, "p9998")], "v2") == 0
    assert why(stage, "visits") is None
    assert persons.expose(stage.platform, grant.id, [person(key, "p9999")], "v3") == 1
    assert why(stage, "visits") == "contract-suspended"
    assert persons.counted(stage.platform, stage.hospital, None).exposed.spi == 10_000


def test_the_gba_contract_above_the_threshold_wants_a_signature(stage: DataStage):
    id = stage.request(stage.table("visits", people(10_000), SENSITIVE), choice="gba_sc")
    stage.agree(id)
    dues = contract_view.whole(stage.platform, stage.hospital, id).dues
    first = {it.obligation.id for it in dues if it.obligation.first}
    assert "review-gba_sc" in first
    assert "assessment-passed" not in first
    stage.record(id, *(first - {"review-gba_sc"}))
    with pytest.raises(Refused, match="signs"):
        gates.finalize(stage.platform, stage.hospital, id)
    stage.record(id, "review-gba_sc")
    gates.finalize(stage.platform, stage.hospital, id)
    assert why(stage, "visits") is None


def test_the_new_year_counts_anew(stage: DataStage):
    stage.table("old", people(6_000), SENSITIVE)
    old = stage.shared("hospital/old", choice="sc", share="old", until=beginning(date(2026, 12, 31)))
    stage.table("new", people(4_000, 6_000), SENSITIVE)
    stage.now = beginning(date(2026, 12, 31)) + DAY // 2
    renewals.tend(stage.platform, lambda tx, now: None, stage.now)
    assert stage.state(old).state is State.TERMINATED
    new = stage.request("hospital/new", choice="sc", share="new")
    stage.agree(new)
    stage.record_all(new)
    outcome = {}
    for day in (date(2026, 12, 31), date(2027, 1, 1)):
        stage.now = beginning(day) + DAY // 2
        found = contract_view.whole(stage.platform, stage.lab, new)
        outcome[day.year] = found.answer.law.outcome
    assert outcome == {2026: "SECURITY_ASSESSMENT", 2027: "STANDARD_CONTRACT_OR_CERTIFICATION"}


def test_an_exporter_is_warned_at_nine_tenths(stage: DataStage):
    stage.shared(stage.table("visits", people(9_000), SENSITIVE), choice="sc")
    assert "persons-near" in stage.kinds("hospital")
    found = persons.counted(stage.platform, stage.hospital, None)
    (near,) = [it for it in found.ahead if it.near]
    assert (near.threshold.kind, near.threshold.least) == ("spi", 10_000)
    with pytest.raises(NotFound):
        persons.counted(stage.platform, stage.hospital, "lab")


def test_a_contract_is_warned_of_and_ends_in_its_time(stage: DataStage):
    end = stage.now + 40 * DAY
    id = stage.shared(stage.table("visits", people(3)), until=end)
    told = []
    for at in (end - 31 * DAY, end - 30 * DAY, end - 8 * DAY, end - 7 * DAY, end - 1, end):
        stage.now = at
        while renewals.tend(stage.platform, lambda tx, now: None, stage.now):
            pass
        told.append((stage.kinds("lab").count("contract-expiring"), why(stage, "visits")))
    assert told == [
        (0, None), (1, None), (1, None), (2, None), (2, None), (2, "contract-not-finalized"),
    ]  # fmt: skip
    assert stage.state(id).state is State.TERMINATED
    assert stage.state(id).due is None


def test_at_its_end_nothing_is_read_even_if_no_leader_is_there(stage: DataStage):
    end = stage.now + 40 * DAY
    stage.shared(stage.table("visits", people(3)), until=end)
    stage.now = end - 1
    assert why(stage, "visits") is None
    stage.now = end
    assert why(stage, "visits") == "contract-expired"


def test_a_renewal_goes_the_same_way_again_and_follows_under_the_same_share(stage: DataStage):
    end = stage.now + 40 * DAY
    old = stage.shared(stage.table("visits", people(3)), until=end)
    new = renewals.renew(stage.platform, stage.lab, old, end + 40 * DAY).row
    assert (new.share, new.nth, new.renews, new.start, new.records) == ("hospital", 1, old, end, {})
    with pytest.raises(WrongState, match="another contract already"):
        renewals.renew(stage.platform, stage.lab, old, end + 50 * DAY)
    with pytest.raises(WrongState, match="consumer"):
        renewals.renew(stage.platform, stage.hospital, old, end + 50 * DAY)
    stage.finalize(new.id)
    assert why(stage, "visits") is None
    stage.now = end
    bearer = grants.Bearer("lab", "x")
    assert grants.may_read(stage.platform, bearer, "HOSPITAL", "Hospital", "visits").contract.id == new.id
    assert [it.row.id for it in grants.shared(stage.platform, bearer)] == [new.id]


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (Record("Li Hua", date(2026, 11, 24), "ab" * 32, None), "has not come"),
        (Record("Li Hua", date(2026, 11, 23), "xyz", None), "64 characters"),
        (Record("Li Hua", date(2026, 11, 23), None, None), "or a reference"),
        (Record("Li Hua", date(2026, 11, 23), "ab" * 32, "both"), "or a reference"),
        (Record(" ", date(2026, 11, 23), "ab" * 32, None), "by: must be"),
    ],
)
def test_a_record_names_somebody_a_day_and_where_it_is_written(stage: DataStage, new: Record, says: str):
    id = stage.request(stage.table("visits", people(3)))
    with pytest.raises(Invalid, match=says):
        gates.record(stage.platform, stage.hospital, id, "notice", new)
    assert day_of(stage.now) == date(2026, 11, 23)
    assert stage.state(id).records == {}


def test_every_step_and_refusal_hangs_on_the_chain(stage: DataStage):
    from baygrid.core.data import chain

    id = stage.shared(stage.table("visits", people(3)))
    contracts.suspend(stage.platform, stage.lab, id, "a leak")
    assert why(stage, "visits") == "contract-suspended"
    links = stage.store.read(lambda tx: tx.audit.after(0, 1000))
    assert chain.check(links).flaw is None
    of = [link.kind for link in links if link.contract == id]
    assert of == [
        "contract-request", "contract-offer", "contract-accept", "contract-agree", "contract-verify",
        "contract-record", "contract-record", "contract-record", "contract-finalize", "contract-suspend",
        "read-refused",
    ]  # fmt: skip


def test_a_new_key_of_the_vault_seals_the_keys_of_persons_anew():
    stage = DataStage()
    stage.shared(stage.table("visits", ["P1", "P2"]))
    old, new = b"\1" * 32, b"\2" * 32
    before = replace(stage.platform, vault=AesVault([old]))
    stage.store.write(
        lambda tx: tx.persons.reseal("hospital", before.vault.seal("a key", "persons of hospital"))  # type: ignore[union-attr]
    )
    assert seal_keys_anew(replace(before, vault=AesVault([new, old]))) == 0
    assert key_of(replace(before, vault=AesVault([new])), "hospital") == b"a key"
    assert seal_keys_anew(before) == 1  # the old key alone reads it no more
