"""What an operator sets up, in the store."""

from dataclasses import replace
from fractions import Fraction

import pytest

from baygrid.core.terms import Energy, Terms
from baygrid.ports.messages import DriverReport, NodeReport, PartitionReport
from baygrid.ports.records import CentreRecord, CentreState, Kind, Organisation, Project, Role, Token
from baygrid.ports.store import Exists, Store, Tx
from tests.store.records import offer, organise, tariff

INVENTORY = (
    PartitionReport("gpu", (NodeReport("n1", 64, 512_000, {"H100": 8}), NodeReport("n2", 64, 512_000)), 3600),
    PartitionReport("cpu", ()),
)


def test_names_are_taken_once(store: Store):
    store.write(organise)
    store.write(lambda tx: tx.region.insert_offer(offer()))
    token = Token("tok-1", "aa", Role.TEAM, "laptop", "demo", None, 5)
    store.write(lambda tx: tx.region.insert_token(token))
    for again in (
        lambda tx: tx.region.insert_organisation(Organisation("lab", Kind.COMPANY, "")),
        lambda tx: tx.region.insert_project(Project("demo", "lab", "HKD")),
        lambda tx: tx.region.insert_centre(CentreRecord("north", "HK", "ray")),
        lambda tx: tx.region.insert_offer(offer(currency="HKD")),
        lambda tx: tx.region.insert_token(replace(token, sha256="bb")),
        lambda tx: tx.region.insert_token(replace(token, id="tok-2")),
    ):
        with pytest.raises(Exists):
            store.write(again)


def test_exists_can_be_caught_inside_and_the_transaction_goes_on(store: Store):
    store.write(organise)

    def work(tx: Tx) -> None:
        with pytest.raises(Exists):
            tx.region.insert_organisation(Organisation("lab", Kind.COMPANY, ""))
        tx.region.insert_organisation(Organisation("firm", Kind.COMPANY, "A firm"))

    store.write(work)
    assert store.read(lambda tx: tx.region.organisations()) == [
        Organisation("firm", Kind.COMPANY, "A firm"),
        Organisation("lab", Kind.UNIVERSITY, "The lab"),
    ]


def test_what_something_belongs_to_must_be_there(store: Store):
    store.write(organise)
    for orphan in (
        lambda tx: tx.region.insert_project(Project("p", "nobody", "CNY")),
        lambda tx: tx.region.insert_offer(offer(centre="nowhere")),
        lambda tx: tx.region.add_tariff("no offer", tariff()),
        lambda tx: tx.region.set_inventory("nowhere", (), "", ""),
        lambda tx: tx.region.next_gen("nowhere"),
    ):
        with pytest.raises(KeyError):
            store.write(orphan)


def test_projects_by_name(store: Store):
    store.write(lambda tx: organise(tx, granted=7))
    demo, other = Project("demo", "lab", "CNY", 7), Project("other", "lab", "HKD", 7)
    assert store.read(lambda tx: tx.region.projects()) == {"demo": demo, "other": other}
    assert store.read(lambda tx: tx.region.projects(["demo", "none"])) == {"demo": demo}
    assert store.read(lambda tx: tx.region.projects([])) == {}


def test_a_token_is_found_by_its_digest_and_revoked_once(store: Store):
    given = Token("tok-1", "aa", Role.CENTRE, "agent", None, "north", 5)
    store.write(lambda tx: tx.region.insert_token(given))
    assert store.read(lambda tx: tx.region.token("aa")) == given
    assert store.read(lambda tx: tx.region.token("bb")) is None
    assert store.write(lambda tx: tx.region.revoke_token("tok-1", 9))
    assert not store.write(lambda tx: tx.region.revoke_token("tok-1", 10))
    assert not store.write(lambda tx: tx.region.revoke_token("tok-2", 10))
    assert store.read(lambda tx: tx.region.tokens()) == [replace(given, revoked_at=9)]


def test_a_centre_comes_back_as_it_was(store: Store):
    given = CentreRecord("c", "HK", "ray", CentreState.DRAINED, "key", 3, 4, 5, 6, INVENTORY, "digest")
    bare = CentreRecord("a", "CN", "local")
    store.write(lambda tx: tx.region.insert_centre(given))
    store.write(lambda tx: tx.region.insert_centre(bare))
    assert store.read(lambda tx: tx.region.centre("c")) == given
    assert store.read(lambda tx: tx.region.centre("b")) is None
    assert list(store.read(lambda tx: tx.region.centres()).items()) == [("a", bare), ("c", given)]
    assert store.read(lambda tx: tx.region.seen()) == {"a": None, "c": 6}


def test_a_centre_reports_its_inventory_and_is_drained(store: Store):
    store.write(organise)
    store.write(lambda tx: tx.region.set_inventory("north", INVENTORY, "d1", "key"))
    assert store.write(lambda tx: tx.region.set_centre_state("north", CentreState.DRAINED))
    assert not store.write(lambda tx: tx.region.set_centre_state("nowhere", CentreState.DRAINED))
    assert store.read(lambda tx: tx.region.centre("north")) == CentreRecord(
        "north", "CN", "slurm", CentreState.DRAINED, "key", inventory=INVENTORY, inventory_digest="d1"
    )


def test_a_centre_says_what_it_can_do(store: Store):
    store.write(organise)
    driver = DriverReport("ray", "2.9", ("gang", "image"))
    store.write(lambda tx: tx.region.set_inventory("north", INVENTORY, "d1", "key", driver))
    store.write(lambda tx: tx.region.set_inventory("north", (), "d2", "key"))
    north = store.read(lambda tx: tx.region.centre("north"))
    assert north is not None
    assert (north.driver, north.version, north.capabilities) == ("ray", "2.9", frozenset({"gang", "image"}))
    south = store.read(lambda tx: tx.region.centre("south"))
    assert south is not None
    assert south.capabilities is None


def test_only_a_newer_report_is_taken(store: Store):
    store.write(organise)

    def take(incarnation, seq, now=1):
        return store.write(lambda tx: tx.region.take_report("north", incarnation, seq, now))

    assert take(1, 0)
    assert not take(1, 0)
    assert take(1, 2, now=77)
    assert not take(1, 1)
    assert take(2, 0, now=78)
    assert not take(1, 99, now=79)
    assert not store.write(lambda tx: tx.region.take_report("nowhere", 1, 1, 1))
    assert store.read(lambda tx: tx.region.seen()) == {"north": 78, "south": None}


def test_gens_count_by_centre(store: Store):
    store.write(organise)
    assert [store.write(lambda tx: tx.region.next_gen("north")) for _ in range(3)] == [1, 2, 3]
    assert store.write(lambda tx: tx.region.next_gen("south")) == 1


def test_offers_have_their_tariffs_oldest_first(store: Store):
    store.write(organise)
    plain = offer("b", accelerator=None, tariffs=())
    store.write(lambda tx: tx.region.insert_offer(plain))
    store.write(lambda tx: tx.region.insert_offer(offer("a", tariffs=(tariff(100),))))
    store.write(lambda tx: tx.region.add_tariff("a", tariff(50, "1/7")))
    with pytest.raises(Exists):
        store.write(lambda tx: tx.region.add_tariff("a", tariff(50)))
    assert store.read(lambda tx: tx.region.offers()) == [
        offer("a", tariffs=(tariff(50, "1/7"), tariff(100))),
        plain,
    ]


def test_what_a_tariff_has_besides_rates_is_exact(store: Store):
    store.write(organise)
    day = tuple(Fraction(hour, 7) for hour in range(24))
    terms = Terms(90, 60, Fraction("0.000000001"), Energy(day, 5, 700, -210))
    before = offer("a", tariffs=(replace(tariff(100), terms=terms), tariff(200)))
    store.write(lambda tx: tx.region.insert_offer(before))
    assert store.read(lambda tx: tx.region.offers()) == [before]


def test_the_version_grows_with_what_is_set_up_and_not_with_heartbeats(store: Store):
    store.write(organise)

    def grows(work) -> bool:
        before = store.read(lambda tx: tx.region.version())
        store.write(work)
        return store.read(lambda tx: tx.region.version()) > before

    for change in (
        lambda tx: tx.region.insert_project(Project("third", "lab", "CNY")),
        lambda tx: tx.region.insert_centre(CentreRecord("west", "MO", "local")),
        lambda tx: tx.region.set_centre_state("west", CentreState.DRAINED),
        lambda tx: tx.region.set_inventory("west", INVENTORY, "d", "k"),
        lambda tx: tx.region.insert_offer(offer()),
        lambda tx: tx.region.add_tariff("north/gpu/H100", tariff(5)),
    ):
        assert grows(change)
    for quiet in (
        lambda tx: tx.region.take_report("west", 1, 1, 1),
        lambda tx: tx.region.next_gen("west"),
        lambda tx: tx.money.move("demo", held=1),
    ):
        assert not grows(quiet)
