"""What columns come to together: whatever else is there, what is known of one is never lost, and what nobody
knows is never taken for harmless."""

from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.data.labels import Important, Labels, Origin, together

KNOWN = st.sampled_from([None, True, False])
LABELS = st.builds(
    Labels,
    personal=KNOWN,
    sensitive=KNOWN,
    important=st.sampled_from(Important),
    core=KNOWN,
    origin=st.sampled_from(Origin),
    subject=st.booleans(),
)
HARMLESS = Labels(personal=False, sensitive=False, important=Important.NO, core=False)


@given(LABELS)
def test_labels_come_back_as_they_went_out(labels: Labels):
    assert Labels.of_json(labels.to_json()) == labels


@given(st.lists(LABELS), st.randoms())
def test_the_order_of_columns_says_nothing(columns: list[Labels], chance):
    shuffled = list(columns)
    chance.shuffle(shuffled)
    assert together(shuffled) == together(columns)


@given(st.lists(LABELS), LABELS)
def test_one_more_column_never_makes_it_more_harmless(columns: list[Labels], more: Labels):
    before, after = together(columns), together([*columns, more])
    for name in ("personal", "sensitive", "core"):
        order = [False, None, True]
        assert order.index(getattr(after, name)) >= order.index(getattr(before, name))
    ranks = [Important.NO, Important.UNKNOWN, Important.NOTIFIED, Important.PUBLISHED]
    assert ranks.index(after.important) >= ranks.index(before.important)


@given(st.lists(LABELS))
def test_harmless_columns_change_nothing(columns: list[Labels]):
    assert together([*columns, HARMLESS]) == together(columns)


@given(st.lists(LABELS, min_size=1))
def test_what_nobody_said_is_never_no(columns: list[Labels]):
    for name in ("personal", "sensitive", "core"):
        said = {getattr(column, name) for column in columns}
        if said != {False}:
            assert getattr(together(columns), name) is not False


def test_nothing_at_all_is_harmless():
    found = together([])
    assert (found.personal, found.sensitive, found.important, found.core) == (False, False, "no", False)
    assert found.mixed is False


def person(origin: Origin) -> Labels:
    return Labels(True, False, Important.NO, False, origin)


def test_origins_of_persons_that_are_joined():
    overseas, domestic, unknown = map(person, (Origin.OVERSEAS, Origin.DOMESTIC, Origin.UNKNOWN))
    assert (together([overseas]).origin, together([overseas]).mixed) == (Origin.OVERSEAS, False)
    both = together([overseas, domestic])
    assert (both.origin, both.mixed) == (Origin.DOMESTIC, True)
    open_ = together([overseas, unknown])
    assert (open_.origin, open_.mixed) == (Origin.UNKNOWN, None)
    assert together([domestic, unknown]).origin is Origin.DOMESTIC


def test_the_origin_of_what_is_not_personal_says_nothing():
    rows = [person(Origin.OVERSEAS), Labels(False, False, Important.NO, False, Origin.DOMESTIC)]
    assert (together(rows).origin, together(rows).mixed) == (Origin.OVERSEAS, False)
