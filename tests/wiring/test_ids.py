from baygrid.wiring.ids import RandomIds


def test_no_id_of_a_moment_or_later_is_before_its_earliest_and_none_from_before_is_after():
    ids = RandomIds()
    before, at, later = (ids.new("job", now) for now in (999, 1000, 1001))
    assert before < ids.earliest("job", 1000) <= at < ids.earliest("job", 1001) <= later


def test_the_clock_going_back_makes_no_id_smaller_than_its_earliest():
    ids = RandomIds()
    ids.new("job", 5000)
    assert ids.new("job", 1000) >= ids.earliest("job", 1000)
