"""What holds for every cluster, every policy and every order of requests."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baygrid.core.placement.packing.cluster import Cluster, Host, Request
from baygrid.core.placement.packing.kernel import POLICIES, WHOLE
from baygrid.core.placement.packing.packer import Packer, Placed

MODELS = ("A", "B", "C")
HOSTS = st.builds(
    Host,
    st.integers(0, 64_000),
    st.integers(0, 9_000),
    st.lists(st.sampled_from(MODELS), max_size=8).map(lambda models: tuple(sorted(models))),
)
NAMED = st.lists(st.sampled_from((*MODELS, "none has it")), max_size=2).map(tuple)
CPU, MEMORY = st.integers(0, 20_000), st.integers(0, 3_000)
REQUESTS = st.one_of(
    st.builds(Request, CPU, MEMORY),
    st.builds(Request, CPU, MEMORY, st.just(1), st.integers(1, WHOLE), NAMED),
    st.builds(Request, CPU, MEMORY, st.integers(1, 8), st.sampled_from((250, 500, WHOLE)), NAMED),
)


@dataclass
class Story:
    hosts: list[Host]
    kinds: list[Request]
    steps: list[tuple[int, float, bool]]
    """kind, chance of policy random, whether an earlier placement ends then"""


STORIES = st.builds(
    Story,
    st.lists(HOSTS, min_size=1, max_size=6),
    st.lists(REQUESTS, min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from((0.1, 0.3, 0.5)), st.booleans()), max_size=60),
)


class Books:
    """A second opinion: what is free, counted from what was placed."""

    def __init__(self, hosts: list[Host]) -> None:
        self.hosts = hosts
        self.held: list[tuple[Request, Placed]] = []

    def free(self, node: int) -> tuple[int, int, list[int]]:
        host = self.hosts[node]
        here = [(request, placed) for request, placed in self.held if placed.node == node]
        devices = [
            WHOLE - sum(request.share for request, placed in here if placed.devices >> device & 1)
            for device in range(len(host.models))
        ]
        cpu = host.cpu - sum(request.cpu for request, _ in here)
        return cpu, host.memory - sum(request.memory for request, _ in here), devices

    def room(self, request: Request) -> int:
        """Nodes with room for the request."""
        count = 0
        for node, host in enumerate(self.hosts):
            cpu, memory, devices = self.free(node)
            usable = [
                free >= request.share and (not request.models or model in request.models)
                for free, model in zip(devices, host.models, strict=True)
            ]
            count += cpu >= request.cpu and memory >= request.memory and sum(usable) >= request.count
        return count


def packer(story: Story, policy: str) -> Packer:
    return Packer(Cluster(story.hosts), policy, Counter(story.kinds))


def played(story: Story, policy: str) -> tuple[Packer, Books, list[Placed | None]]:
    it, books, said = packer(story, policy), Books(story.hosts), []
    for kind, draw, ends in story.steps:
        request = story.kinds[kind % len(story.kinds)]
        room = books.room(request)
        placed = it.place(it.shape(request), draw)
        assert (placed is not None) == (room > 0)
        if placed is not None:
            assert bin(placed.devices).count("1") == request.count
            books.held.append((request, placed))
        said.append(placed)
        if ends and books.held:
            it.release(books.held.pop(kind % len(books.held))[1])
    return it, books, said


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=30, deadline=None)
@given(story=STORIES)
def test_what_fits_is_placed_and_nothing_beyond_capacity(policy: str, story: Story) -> None:
    it, books, _ = played(story, policy)
    for node, host in enumerate(story.hosts):
        cpu, memory, devices = books.free(node)
        assert min(cpu, memory, *devices) >= 0
        assert it.cluster.nodes[node, :2].tolist() == [cpu, memory]
        assert it.cluster.devices[node, : len(host.models)].tolist() == devices


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=20, deadline=None)
@given(story=STORIES)
def test_equal_stories_have_equal_plans(policy: str, story: Story) -> None:
    assert played(story, policy)[2] == played(story, policy)[2]


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=20, deadline=None)
@given(story=STORIES)
def test_all_given_back_is_all_free(policy: str, story: Story) -> None:
    it, books, _ = played(story, policy)
    for _, placed in books.held:
        it.release(placed)
    assert np.array_equal(it.cluster.nodes, Cluster(story.hosts).nodes)


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=20, deadline=None)
@given(story=STORIES)
def test_kept_scores_choose_what_fresh_scores_choose(policy: str, story: Story) -> None:
    it, _, _ = played(story, policy)
    for request in story.kinds:
        fresh = packer(story, policy)
        fresh.cluster.nodes[:] = it.cluster.nodes
        fresh.measure()
        kept = it.place(it.shape(request), draw=0.5)
        anew = fresh.place(fresh.shape(request), draw=0.5)
        assert (kept and kept[1:]) == (anew and anew[1:])
        if kept:
            it.release(kept)
