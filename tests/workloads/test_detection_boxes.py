"""Boxes from distances, and one box for one thing."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from baygrid.workloads.detection import boxes


def test_cells_have_their_middle():
    assert boxes.centres(16, 8).tolist() == [[4, 4], [12, 4], [4, 12], [12, 12]]
    assert len(boxes.centres(416, 32)) == 169


def test_an_edge_lies_at_the_mean_of_its_distribution():
    sure = np.full((1, 4, 11), -100, np.float32)
    for edge, distance in enumerate((0, 1, 2, 10)):
        sure[0, edge, distance] = 100
    found = boxes.edges(sure.reshape(1, 44), np.array([[100, 200]], np.float32), 8)
    assert found.round(3).tolist() == [[100, 192, 116, 280]]
    open_minded = boxes.edges(np.zeros((1, 44), np.float32), np.array([[100, 200]], np.float32), 8)
    assert open_minded.round(3).tolist() == [[60, 160, 140, 240]]


def test_of_two_boxes_of_one_thing_the_better_stays():
    places = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10], [50, 50, 60, 60]], np.float32)
    scores = np.array([0.5, 0.9, 0.8, 0.1], np.float32)
    classes = np.array([1, 1, 2, 1])
    assert boxes.non_maximum_suppression(places, scores, classes, 0.6).tolist() == [1, 2, 3]
    assert boxes.non_maximum_suppression(places, scores, classes, 0.9).tolist() == [1, 2, 0, 3]


def test_boxes_without_area_do_no_harm():
    places = np.array([[5, 5, 5, 5], [5, 5, 5, 5]], np.float32)
    assert boxes.non_maximum_suppression(
        places, np.array([0.5, 0.6], np.float32), np.array([0, 0]), 0.5
    ).tolist() == [1, 0]


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_what_stays_is_apart_and_what_goes_was_near_something_better(seed: int, count: int):
    chance = np.random.default_rng(seed)
    corner = chance.uniform(0, 30, (count, 2))
    places = np.concatenate([corner, corner + chance.uniform(1, 30, (count, 2))], 1).astype(np.float32)
    scores = chance.uniform(0, 1, count).astype(np.float32)
    classes = chance.integers(0, 3, count)
    kept = boxes.non_maximum_suppression(places, scores, classes, 0.4).tolist()

    def shared(one: int, other: int) -> float:
        low, high = (
            np.maximum(places[one, :2], places[other, :2]),
            np.minimum(places[one, 2:], places[other, 2:]),
        )
        inside = float(np.maximum(high - low, 0).prod())
        areas = [float((places[n, 2:] - places[n, :2]).prod()) for n in (one, other)]
        return inside / (sum(areas) - inside)

    for number in range(count):
        rivals = [other for other in kept if other != number and classes[other] == classes[number]]
        better = [other for other in rivals if scores[other] >= scores[number]]
        worst = max((shared(number, other) for other in better), default=0.0)
        assert worst <= 0.4 + 1e-4 if number in kept else worst > 0.4 - 1e-4
