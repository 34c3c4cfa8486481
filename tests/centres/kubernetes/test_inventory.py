"""What a cluster has for jobs."""

import json
from copy import deepcopy
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.centres.kubernetes.inventory import read_inventory
from baygrid.centres.kubernetes.quantities import parse_quantity
from baygrid.centres.kubernetes.site import Accelerator, Site
from baygrid.ports.messages import NodeReport, PartitionReport

[NODE] = json.loads((Path(__file__).with_name("recorded") / "v1.20-nodes.json").read_text())["items"]
SITE = Site("qianhai", Path("/srv"), "image", accelerators=(Accelerator("H100"),))


def other(name, labels=None, **change):
    node = deepcopy(NODE)
    node["metadata"].update(name=name, labels=labels or {})
    node["spec"].update(change)
    return node


def test_a_real_node():
    assert read_inventory([NODE], [], SITE) == (
        PartitionReport("main", (NodeReport("node1", 16, 24_005, {"H100": 8}),)),
    )


def test_what_takes_no_jobs_is_not_there():
    silent = other("silent")
    for condition in silent["status"]["conditions"]:
        if condition["type"] == "Ready":
            condition["status"] = "Unknown"
    nodes = [
        other("cordoned", unschedulable=True),
        other("control", taints=[{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]),
        other("lesser", taints=[{"key": "old", "effect": "PreferNoSchedule"}]),
        silent,
    ]
    [partition] = read_inventory(nodes, [], SITE)
    assert [node.name for node in partition.nodes] == ["lesser"]


def test_a_nodes_partition_is_the_first_whose_labels_it_has():
    site = Site(
        "c",
        Path("/srv"),
        "image",
        partitions={"gpu": {"pool": "gpu"}, "cpu": {"pool": "cpu"}, "no": {"x": "y"}},
    )
    nodes = [other("a", {"pool": "cpu"}), other("b", {"pool": "gpu"}), other("c", {"pool": "spare"})]
    assert [(p.name, [n.name for n in p.nodes]) for p in read_inventory(nodes, [], site)] == [
        ("gpu", ["b"]),
        ("cpu", ["a"]),
    ]


def test_models_that_count_the_same_resource_are_known_by_labels():
    models = (Accelerator("H100", labels={"model": "h"}), Accelerator("A800", labels={"model": "a"}))
    site = Site("c", Path("/srv"), "image", accelerators=models)
    [partition] = read_inventory([other("x", {"model": "a"}), other("y", {"model": "h"})], [], site)
    assert [dict(node.accelerators) for node in partition.nodes] == [{"A800": 8}, {"H100": 8}]


def test_what_the_clusters_own_services_need_is_taken_off():
    def daemon(cpu, memory, **selector):
        requests = {"cpu": cpu, "memory": memory}
        pod = {"containers": [{"resources": {"requests": requests}}, {}], "nodeSelector": selector}
        return {"spec": {"template": {"spec": pod}}}

    daemons = [daemon("250m", "100Mi"), daemon("1", "1Gi", pool="gpu")]
    [partition] = read_inventory([other("a"), other("b", {"pool": "gpu"})], daemons, SITE)
    assert [(node.cpus, node.memory_mib) for node in partition.nodes] == [(15, 23_905), (14, 22_881)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("16", 16),
        (4, 4),
        ("1500m", Decimal("1.5")),
        ("100n", Decimal("1E-7")),
        ("24684084Ki", 24_684_084 * 1024),
        ("1.5Gi", 3 << 29),
        ("128974848", 128_974_848),
        ("129e6", 129_000_000),
        ("129M", 129_000_000),
        ("1E", 10**18),
        ("1E3", 1000),
        (".5", Decimal("0.5")),
    ],
)
def test_an_amount(text, value):
    assert parse_quantity(text) == value


@pytest.mark.parametrize("text", ["", "x", "1K", "1 Gi", "1mi", "--1", "1e", "NaN", "1Ki2"])
def test_what_is_no_amount(text):
    with pytest.raises(ValueError, match="is not an amount"):
        parse_quantity(text)


@given(st.integers(0, 10**12), st.sampled_from(["", "m", "k", "Ki", "Mi", "Gi", "Ti"]))
def test_a_larger_number_is_a_larger_amount(number, suffix):
    assert parse_quantity(f"{number + 1}{suffix}") > parse_quantity(f"{number}{suffix}")
