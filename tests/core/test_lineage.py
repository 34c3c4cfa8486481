"""What comes out of a job that took in several datasets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.data.labels import Important, Origin, Together
from baygrid.core.data.lineage import NOBODY_SAID, Content, joined

maybe = st.none() | st.booleans()
contents = st.builds(
    Content,
    st.builds(Together, maybe, maybe, st.sampled_from(Important), maybe, st.sampled_from(Origin), maybe),
    st.none() | st.integers(0, 10**9),
)


def content(**said: object) -> Content:
    return Content.of_json({"important": "no", "core": False, **said})


PATIENTS = content(personal=True, sensitive=True, origin="overseas", mixed=False, persons=2_000_000)
STREETS = content(personal=False)
TAXPAYERS = content(personal=True, sensitive=False, origin="domestic", mixed=False, persons=5)


def test_what_is_not_personal_changes_nothing_of_whose_data_it_is():
    assert joined([PATIENTS, STREETS]) == PATIENTS


def test_one_domestic_person_makes_it_mixed_and_domestic():
    law = joined([PATIENTS, TAXPAYERS]).law
    assert (law.mixed, law.origin, law.sensitive) == (True, Origin.DOMESTIC, True)
    assert joined([PATIENTS, TAXPAYERS]).persons == 2_000_005


def test_what_nobody_has_said_stays_open():
    law = joined([PATIENTS, NOBODY_SAID]).law
    assert (law.mixed, law.origin, law.core) == (None, Origin.UNKNOWN, None)
    assert joined([PATIENTS, NOBODY_SAID]).persons is None


def test_of_nothing_comes_nothing_personal():
    assert joined([]) == content(personal=False)


@given(st.lists(contents, max_size=5))
def test_no_input_makes_the_whole_freer(several: list[Content]):
    whole = joined(several).law
    for it in several:
        for name in ("personal", "sensitive", "core"):
            if getattr(it.law, name):
                assert getattr(whole, name)
            elif getattr(it.law, name) is None:
                assert getattr(whole, name) is not False
        if it.law.personal is not False and it.law.mixed is not False:
            assert whole.mixed is not False


@given(st.lists(contents, max_size=4), st.lists(contents, max_size=4))
def test_it_comes_to_the_same_in_any_order_and_step_by_step(a: list[Content], b: list[Content]):
    assert joined([*a, *b]) == joined([*b, *a])
    whole, stepwise = joined([*a, *b]), joined([joined(a), joined(b)])
    assert (whole.law.personal, whole.law.sensitive, whole.law.core, whole.law.important) == (
        stepwise.law.personal,
        stepwise.law.sensitive,
        stepwise.law.core,
        stepwise.law.important,
    )


@given(contents)
def test_it_is_written_and_read(it: Content):
    assert Content.of_json(it.to_json()) == it
