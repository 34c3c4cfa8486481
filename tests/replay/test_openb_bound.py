"""The bound on every placement, against every placement tried out on small clusters."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baygrid.core.placement.packing.cluster import Host, Request
from baygrid.replay.openb_trace import Trace, ordered, read
from benchmarks import openb_bound
from benchmarks.openb_bound import bound, patterns
from tests.replay.test_openb import TRACES

HOSTS = st.lists(
    st.builds(
        Host,
        st.integers(1, 8),
        st.integers(1, 8),
        st.lists(st.sampled_from("AB"), max_size=2).map(tuple),
    ),
    min_size=1,
    max_size=3,
)
SHARED = st.sampled_from([200, 300, 400, 500, 600, 810])
PODS = st.lists(
    st.builds(
        lambda cpu, memory, size, models: Request(cpu, memory, size[0], size[1], models),
        st.integers(0, 5),
        st.integers(0, 5),
        st.one_of(
            st.tuples(st.just(1), SHARED), st.sampled_from([(1, 1000), (2, 1000), (0, 0), (1, 600), (1, 400)])
        ),
        st.sampled_from([(), ("A",), ("B",), ("A", "B"), ("C",)]),
    ),
    min_size=1,
    max_size=5,
)


def best(hosts: list[Host], pods: list[Request]) -> int:
    """The most that can be allocated: every pod refused, or on every node and devices that hold it."""

    def most(left: int, room: tuple[tuple[int, int, tuple[int, ...]], ...]) -> int:
        if left == len(pods):
            return 0
        pod, top = pods[left], most(left + 1, room)
        for node, (cpu, memory, free) in enumerate(room):
            if pod.cpu > cpu or pod.memory > memory:
                continue
            good = [
                device
                for device, idle in enumerate(free)
                if idle >= pod.share and (not pod.models or hosts[node].models[device] in pod.models)
            ]
            for devices in itertools.combinations(good, pod.count):
                after = tuple(idle - pod.share * (device in devices) for device, idle in enumerate(free))
                taken = (cpu - pod.cpu, memory - pod.memory, after)
                rest = most(left + 1, (*room[:node], taken, *room[node + 1 :]))
                top = max(top, pod.count * pod.share + rest)
        return top

    return most(0, tuple((host.cpu, host.memory, (1000,) * len(host.models)) for host in hosts))


@settings(max_examples=60, deadline=None)
@given(HOSTS, PODS)
def test_no_placement_allocates_more_than_the_bound(hosts: list[Host], pods: list[Request]) -> None:
    most = bound(hosts, pods)
    assert best(hosts, pods) <= most + 1e-6
    assert most <= sum(pod.count * pod.share for pod in pods) + 1e-6
    assert most <= 1000 * sum(len(host.models) for host in hosts) + 1e-6


@pytest.mark.parametrize(
    ("hosts", "pods", "most"),
    [
        ([Host(9, 9, ("A",))], [Request(1, 1, 1, 600)] * 2, 600),  # two of 0.6 do not share one
        ([Host(9, 9, ("A",))], [Request(1, 1, 1, 600), Request(1, 1, 1, 400)], 1000),
        ([Host(4, 9, ("A", "A"))], [Request(3, 1, 1, 1000)] * 2, 4000 / 3),  # cpu for one and a third
        ([Host(9, 4, ("A", "A"))], [Request(1, 3, 1, 1000)] * 2, 4000 / 3),  # memory for one and a third
        ([Host(9, 9, ("A",)), Host(9, 9, ("B",))], [Request(1, 1, 1, 500, ("B",))] * 3, 1000),
        ([Host(9, 9, ("A",))] * 2, [Request(1, 1, 2, 1000)], 0),  # no node has two
        ([Host(9, 9, ("A",))], [Request(9, 9)], 0),  # takes no accelerator
    ],
)
def test_each_kind_of_room_binds(hosts: list[Host], pods: list[Request], most: float) -> None:
    assert bound(hosts, pods) == pytest.approx(most)


def test_patterns_are_the_full_ones() -> None:
    assert patterns([600, 300]).tolist() == [[1, 1], [0, 3]]
    assert patterns([1000]).tolist() == [[1]]


def test_all_counts_that_has_arrived_while_the_load_rounds_to_the_figure() -> None:
    hosts, arrivals = (Host(9, 9, ("A", "A")),), np.array([0, 1, 2])
    trace = Trace(hosts, tuple(Request(1, 1, 1, share) for share in (800, 209, 201)), ("a", "b", "c"))
    assert openb_bound.at_load(trace, arrivals, 50) == pytest.approx(50.45)  # 50.45 % rounds to 50
    assert openb_bound.at_load(trace, arrivals, 49) == pytest.approx(40.0)
    assert openb_bound.at_load(trace, arrivals, 60) == pytest.approx(60.5)  # 60.5 % rounds to 60, even


@pytest.mark.skipif(not TRACES.is_dir(), reason="needs ../shared")
def test_the_bounds_of_the_default_trace() -> None:
    trace = read(TRACES / openb_bound.NODES, TRACES / "openb_pod_list_default.csv")
    arrivals, _ = ordered(
        trace, TRACES / openb_bound.ORDER, TRACES / "openb_pod_list_default.csv", openb_bound.SEED
    )
    assert openb_bound.at_load(trace, arrivals, 100) == pytest.approx(96.99, abs=0.01)
    assert openb_bound.at_load(trace, arrivals, 130) == pytest.approx(99.89, abs=0.02)
