"""Messages survive the wire whole; what is not a message says where it is wrong."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.app.signatures import verify
from baygrid.centres.keys import Key
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.messages import (
    AttemptReport,
    Desired,
    NodeReport,
    Order,
    PartitionReport,
    Report,
    ReportAnswer,
    SignedUsage,
    Stop,
    Usage,
)
from baygrid.ports.wire import decode, encode, from_json, inventory_digest, to_json, usage_bytes
from tests.centres import site

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
WHOLE = st.integers(-(2**53), 2**53)
SMALL = st.integers(0, 9)
SECONDS = st.floats(0, 1e6, allow_nan=False).map(lambda x: round(x, 3))
TEXTS = st.dictionaries(TEXT, TEXT, max_size=2)
USAGE = st.builds(
    Usage, TEXT, SMALL, WHOLE, WHOLE, SMALL, SMALL, SMALL, st.none() | TEXT, SMALL, SECONDS, SMALL
)
REPORTS = st.builds(
    AttemptReport,
    TEXT,
    TEXT,
    st.sampled_from(AttemptState),
    exit_code=st.none() | SMALL,
    started_at=st.none() | WHOLE,
    usage=st.lists(st.builds(SignedUsage, USAGE, TEXT), max_size=2).map(tuple),
    outputs=TEXTS,
)
NODES = st.builds(NodeReport, TEXT, SMALL, SMALL, st.dictionaries(TEXT, SMALL, max_size=2))
PARTITIONS = st.builds(PartitionReport, TEXT, st.lists(NODES, max_size=2).map(tuple), st.none() | SMALL)
REPORT = st.builds(
    Report,
    SMALL,
    WHOLE,
    SMALL,
    SMALL,
    WHOLE,
    TEXT,
    st.none() | st.lists(PARTITIONS, max_size=2).map(tuple),
    TEXT,
    st.lists(REPORTS, max_size=3).map(tuple),
)
ORDERS = st.builds(
    Order,
    *(TEXT,) * 4,
    st.sampled_from(AttemptState),
    TEXT,
    st.lists(TEXT, max_size=2).map(tuple),
    SMALL,
    SMALL,
    st.none() | TEXT,
    SMALL,
    SMALL,
    SMALL,
    TEXT,
    TEXT,
    TEXTS,
    st.none() | TEXT,
    TEXTS,
    st.lists(TEXT, max_size=2).map(tuple),
)
STOPS = st.builds(Stop, TEXT, TEXT, TEXT, SMALL)
DESIRED = st.builds(
    Desired, WHOLE, st.lists(ORDERS, max_size=2).map(tuple), st.lists(STOPS, max_size=2).map(tuple)
)
ANSWER = st.builds(
    ReportAnswer,
    WHOLE,
    st.lists(TEXT, max_size=2).map(tuple),
    st.lists(st.tuples(TEXT, SMALL), max_size=2).map(tuple),
    TEXT,
)
SAMPLE = Usage("att-1", 0, 1_000, 2_500, 1, 8, 1024, "H100", 8, 1.5, 77)


@given(st.one_of(REPORT, DESIRED, ANSWER))
def test_a_message_survives_the_wire(message):
    assert decode(type(message), encode(message)) == message
    assert from_json(type(message), to_json(message)) == message


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**308, 10**320)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([state.value for state in AttemptState]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
MESSAGES = [Report, Desired, ReportAnswer, AttemptReport, SignedUsage, Usage, Order, Stop, PartitionReport]


def understood(cls, data):
    """A message, or a complaint that fits into a line."""
    try:
        assert type(from_json(cls, data)) is cls
    except ValueError as error:
        assert len(str(error)) < 500  # noqa: PT017 - either way is right


@given(st.sampled_from(MESSAGES), ANYTHING)
def test_anything_is_a_message_or_a_value_error(cls, data):
    understood(cls, data)


@given(REPORT, ANYTHING, st.data())
def test_a_report_with_anything_in_any_place(report, anything, data):
    """Where a fuzz of whole values hardly ever comes: deep inside what is a report but for one field."""
    message = whole = to_json(report)
    for _ in range(6):
        places = sorted(message) if isinstance(message, dict) else range(len(message))
        place = data.draw(st.sampled_from(list(places)))
        if not (isinstance(message[place], dict | list) and message[place]) or data.draw(st.booleans()):
            message[place] = anything
            break
        message = message[place]
    understood(Report, whole)


@pytest.mark.parametrize("cls", MESSAGES)
def test_what_is_huge_or_deep_costs_one_line(cls):
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    for data in (deep, [0] * 10**6, {"state": deep}, {"state": "x" * 10**6}, {"attempts": deep}, 10**5000):
        understood(cls, data)
        names = [field.name for field in dataclasses.fields(cls)]
        understood(cls, dict.fromkeys(names, data))


@given(st.sampled_from(MESSAGES), st.binary(max_size=60))
def test_any_bytes_are_a_message_or_a_value_error(cls, body):
    with pytest.raises(ValueError, match=r"."):
        decode(cls, body)


@given(REPORT)
def test_a_newer_side_may_say_more(message):
    data = to_json(message)
    data["tomorrow"] = {"x": 1}
    for attempt in data["attempts"]:
        attempt["tomorrow"] = 2
    assert from_json(Report, data) == message


def test_an_older_side_may_say_less():
    short = {"attempt": "a", "token": "t", "state": "RUNNING"}
    assert from_json(AttemptReport, short) == AttemptReport("a", "t", AttemptState.RUNNING)
    old = to_json(site.order(nodes=("n1", "n2")))
    del old["count"]
    assert from_json(Order, old).count == 2


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"gen": "1"}, "gen: expected a whole number, not str"),
        ({"gen": True}, "gen: expected a whole number, not bool"),
        ({"closed": "att-1"}, "closed: expected a list, not str"),
        ({"closed": ["a", 5]}, "closed[1]: expected a text, not int"),
        ({"usage_stored": [["a", 1], ["b"]]}, "usage_stored[1]: expected a pair, not list"),
        ({"inventory_digest": None}, "inventory_digest: expected a text, not null"),
    ],
)
def test_a_wrong_type_names_its_path(change, complaint):
    data = {"gen": 1, "closed": [], "usage_stored": [], "inventory_digest": ""}
    with pytest.raises(ValueError, match=r".") as caught:
        from_json(ReportAnswer, data | change)
    assert str(caught.value) == complaint


def test_what_is_missing_or_unknown_is_named_with_its_path():
    data = {"gen": 1, "orders": [], "stops": [{"attempt": "a", "token": "t", "reason": ""}]}
    with pytest.raises(ValueError, match=r"^stops\[0\]\.grace_s: is missing$"):
        from_json(Desired, data)
    with pytest.raises(ValueError, match=r"^state: expected a AttemptState, not 'DREAMING'$"):
        from_json(AttemptReport, {"attempt": "a", "token": "t", "state": "DREAMING"})
    with pytest.raises(ValueError, match="not JSON"):
        decode(Desired, b"{")


def test_the_signed_bytes_are_written_down():
    """Changing them makes every stored signature worthless."""
    assert usage_bytes(SAMPLE) == (
        b'{"accelerator":"H100","accelerators":8,"attempt":"att-1","cpu_seconds":"1.500","cpus":8,"end":2500,'
        b'"memory_mib":1024,"n":0,"nodes":1,"peak_memory_mib":77,"start":1000,"type":"baygrid-usage-1"}'
    )


def test_a_part_of_an_accelerator_is_signed_a_whole_one_is_not_named():
    half = dataclasses.replace(SAMPLE, accelerators=1, accelerator_share=500)
    assert b'"accelerator_share":500,' in usage_bytes(half)
    assert usage_bytes(half) != usage_bytes(dataclasses.replace(half, accelerator_share=600))
    older = to_json(SAMPLE)
    del older["accelerator_share"]
    assert from_json(Usage, older) == SAMPLE


def test_bytes_that_came_are_signed_none_are_not_named():
    some = dataclasses.replace(SAMPLE, egress_bytes=1 << 40)
    assert b'"egress_bytes":1099511627776,' in usage_bytes(some)
    assert b"egress" not in usage_bytes(SAMPLE)
    older = to_json(SAMPLE)
    del older["egress_bytes"]
    assert from_json(Usage, older) == SAMPLE


def test_a_signature_holds_for_its_record_and_key_only(tmp_path):
    key = Key.load(tmp_path / "key")
    assert Key.load(tmp_path / "key").public_key == key.public_key
    signed = SignedUsage(SAMPLE, key.sign(usage_bytes(SAMPLE)))
    assert verify(key.public_key, from_json(SignedUsage, to_json(signed)))
    assert not verify(Key.new().public_key, signed)
    assert not verify("", signed)
    assert not verify(key.public_key, SignedUsage(SAMPLE, "zz"))
    assert not verify(
        key.public_key, dataclasses.replace(signed, usage=dataclasses.replace(SAMPLE, end=2_501))
    )


def test_the_digest_of_an_inventory_depends_on_its_content_only():
    one = (PartitionReport("main", (NodeReport("n", 1, 2, {"A": 1, "B": 2}),)),)
    same = (PartitionReport("main", (NodeReport("n", 1, 2, {"B": 2, "A": 1}),)),)
    assert inventory_digest(one) == inventory_digest(same)
    assert inventory_digest(one) != inventory_digest(())


def test_an_order_of_an_older_server_has_no_checkpoint():
    """Agent and server may differ by one version."""
    order = site.order()
    data = to_json(order)
    for name in ("signal", "checkpoint", "restore", "accelerator_share", "accelerator_slots"):
        del data[name]
    assert from_json(Order, data) == order
    stop = Stop("att-1", "secret", "cancelled", 5)
    assert (
        from_json(Stop, {"attempt": "att-1", "token": "secret", "reason": "cancelled", "grace_s": 5}) == stop
    )
