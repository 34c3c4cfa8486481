"""The exchange in the store."""

import pytest

from baygrid.core.placement.links import Sample
from baygrid.ports.records import LinkRecord, MemberKind, MemberRecord
from baygrid.ports.store import Exists, Store

LINK = LinkRecord("exchange", "hub", (Sample(5, 10**8, 900, 950, 5, 1), Sample(6, None, None, None, 5, 5)))


def test_members_come_and_go(store: Store):
    rows = [MemberRecord("metro", MemberKind.NETWORK, 5), MemberRecord("aster", MemberKind.CLOUD, 6)]
    for row in rows:
        store.write(lambda tx: tx.exchange.add_member(row))  # noqa: B023 - it runs at once
    assert store.read(lambda tx: tx.exchange.members()) == rows[::-1]
    with pytest.raises(Exists):
        store.write(lambda tx: tx.exchange.add_member(rows[0]))
    assert store.write(lambda tx: tx.exchange.remove_member("metro"))
    assert not store.write(lambda tx: tx.exchange.remove_member("metro"))
    assert store.read(lambda tx: tx.exchange.members()) == rows[1:]


def test_a_link_is_renewed_as_a_whole(store: Store):
    other = LinkRecord("exchange", "far", LINK.samples[:1])
    newer = LinkRecord("exchange", "hub", LINK.samples[1:])
    for row in (LINK, other):
        store.write(lambda tx: tx.exchange.put_link(row))  # noqa: B023 - it runs at once
    assert store.read(lambda tx: tx.exchange.link("exchange", "hub")) == LINK
    store.write(lambda tx: tx.exchange.put_link(newer))
    assert store.read(lambda tx: tx.exchange.links()) == [other, newer]
    assert store.read(lambda tx: tx.exchange.link("hub", "exchange")) is None
