"""What an agent is given for its driver."""

import pytest

from baygrid.wiring.drivers import DRIVERS, Given, parse_options


def test_options_are_names_with_texts():
    assert parse_options(["root=/shared/a=b", "as-me="]) == {"root": "/shared/a=b", "as-me": ""}


@pytest.mark.parametrize("texts", [["root"], ["=x"], ["a=1", "a=2"]])
def test_what_is_no_option_is_refused(texts):
    with pytest.raises(ValueError, match="write each once, as name=text"):
        parse_options(texts)


def test_an_option_of_another_driver_is_refused_with_what_there_is(tmp_path):
    with pytest.raises(ValueError, match="no option 'roof': use root, rooms"):
        Given(tmp_path, "here", options={"roof": "x"}).only("root", "rooms")
    with pytest.raises(ValueError, match="it has none"):
        DRIVERS["local"](Given(tmp_path, "here", options={"root": "x"}))


def test_nodes_are_declared_only_where_the_driver_does_not_ask_for_them(tmp_path):
    given = Given(tmp_path, "here", nodes=("n1:cpus=1",))
    assert given.only(nodes=True) == {}
    with pytest.raises(ValueError, match="leave out --node"):
        given.only()
