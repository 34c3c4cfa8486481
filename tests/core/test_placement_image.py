"""The image that the leader keeps: events in any order, repeated or not, leave it as if it were made anew."""

from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.placement.image import CentreView, Image, Placement
from tests.core.region import GIB, IMAGES, bay, centre, nodes


def room(image: Image, where: tuple[str, str], node: str) -> tuple[int, int, dict[str, int]]:
    return rooms(image)[*where, node]


def rooms(image: Image) -> dict[tuple[str, str, str], tuple[int, int, dict[str, int]]]:
    """What is free by node, and that what will be given back is exactly what is taken."""
    table = image.nodes()
    found = {}
    back = table.releases.columns()
    for pool, where in enumerate(table.where):
        for row in range(table.starts[pool], table.starts[pool + 1]):
            free = {model: int(table.accelerators[n, row]) for model, n in table.models.items()}
            mine = back[:, back[0] == row]
            assert table.cpus[row] + mine[2].sum() == table.total_cpus[row]
            assert table.memory[row] + mine[3].sum() == table.total_memory[row]
            for n in table.models.values():
                given = mine[5][mine[4] == n].sum()
                assert table.accelerators[n, row] + given == table.total_accelerators[n, row]
            has = {model: count for model, count in free.items() if count}
            found[*where, table.names[row]] = (int(table.cpus[row]), int(table.memory[row]), has)
    return found


GANG = Placement("att-1", "qianhai", "gpu", ("n0", "n1"), 8, 64 * GIB, "H100", 4)
WHERE = ("qianhai", "gpu")


def test_occupy_and_release():
    image = bay()
    image.occupy(GANG)
    image.occupy(GANG)
    assert room(image, WHERE, "n1") == (24, 192 * GIB, {})
    assert image.usage == (GANG,)
    image.release("att-1")
    image.release("att-1")
    assert rooms(image) == rooms(bay())


def test_a_second_placement_of_an_attempt_replaces_the_first():
    image = bay()
    image.occupy(GANG)
    image.occupy(Placement("att-1", "qianhai", "cpu", ("n0",), 1, GIB))
    assert room(image, WHERE, "n0") == (32, 256 * GIB, {"H100": 4})
    assert room(image, ("qianhai", "cpu"), "n0") == (31, 255 * GIB, {})


def test_what_runs_on_nodes_that_are_not_reported_yet_counts_once_they_are():
    image = Image(usage=[GANG])
    image.set_centre(centre("qianhai", gpu=nodes(1, H100=4)))
    assert room(image, WHERE, "n0") == (24, 192 * GIB, {})
    image.set_centre(centre("qianhai", gpu=nodes(3, cpus=4, H100=2)))
    assert room(image, WHERE, "n1") == (-4, 192 * GIB, {"H100": -2})
    image.release("att-1")
    assert room(image, WHERE, "n1") == (4, 256 * GIB, {"H100": 2})


def test_a_centre_that_only_falls_silent_keeps_its_rooms():
    image = bay()
    image.occupy(GANG)
    before = image.pools[WHERE]
    view = image.centres["qianhai"]
    image.set_centre(centre("qianhai", is_open=False, silent_s=40, gpu=nodes(2, H100=4), cpu=nodes(2)))
    assert image.centres["qianhai"] != view
    assert image.pools[WHERE] is before


def test_partitions_can_go():
    image = bay()
    image.set_centre(centre("qianhai", cpu=nodes(2)))
    assert WHERE not in image.pools
    assert ("qianhai", "cpu") in image.pools


@given(IMAGES, st.data())
def test_any_order_of_events_gives_the_same_image(image: Image, data: st.DataObject):
    events: list[CentreView | Placement] = [*image.centres.values(), *image.usage]
    events += data.draw(st.lists(st.sampled_from(events), max_size=3)) if events else []
    fed = Image(offers=image.offers)
    for event in data.draw(st.permutations(events)):
        if isinstance(event, CentreView):
            fed.set_centre(event)
        else:
            fed.occupy(event)
        if data.draw(st.booleans()):
            fed.nodes()  # from here on its arrays are kept up to date
    assert rooms(fed) == rooms(image)
    for used in image.usage:
        fed.release(used.attempt)
    assert rooms(fed) == rooms(Image(image.centres.values()))
