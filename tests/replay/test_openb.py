"""The replay of the openb traces, on a small cluster and against published figures."""

import csv
import os
import re
from pathlib import Path

import numpy as np
import pytest

from baygrid.replay import openb
from baygrid.replay.outcome import BadTrace

TRACES = Path(os.environ.get("BAYGRID_TRACES", "../shared/traces")) / "openb"
PUBLISHED = "fgd_published_analysis_allo_discrete.csv"
NAMES = {
    "dotprod": "02-DotProd",
    "gpuclustering": "03-GpuClustering",
    "gpupacking": "04-GpuPacking",
    "bestfit": "05-BestFit",
    "fgd": "06-FGD",
}
NODES = "sn,cpu_milli,memory_mib,gpu,model\nb,8000,8192,2,T4\na,8000,8192,2,G2\nc,32000,8192,0,\n"
PODS = (
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\n"
    "p0,1000,1024,1,500,\np1,1000,1024,1,1000,T4\np2,20000,1024,0,0,\np3,1000,1024,2,1000,\n"
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "nodes.csv").write_text(NODES)
    (tmp_path / "openb_pod_list_small.csv").write_text(PODS)
    return tmp_path / "nodes.csv", tmp_path / "openb_pod_list_small.csv"


def order(path: Path, arrivals: list[int], ranks: list[int]) -> Path:
    np.savez(path, small_7=np.array(arrivals), perm_small_7=np.array(ranks))
    return path


def test_pods_arrive_in_the_order_given_and_ties_go_to_the_first_rank(files: tuple[Path, Path]) -> None:
    # p3 takes both T4 (a tie: b has the first rank), so p1 has no T4 left, p0 goes to the G2, p2 to c.
    nodes, pods = files
    done = openb.replay(nodes, pods, "bestfit", 7, order(nodes.with_name("o.npz"), [3, 1, 0, 2], [1, 0, 2]))
    assert list(done.figures) == [
        "allocation_at_100",
        "allocation_at_130",
        "placed",
        "failed",
        "decisions_per_cpu_s",
        "decision_p50_us",
        "decision_p99_us",
    ]
    assert (done.figures["placed"], done.figures["failed"]) == (3, 1)
    assert done.figures["allocation_at_130"] is None  # 3.5 of 4 accelerators are asked for
    (line,) = done.plot.lines
    assert list(line.xs) == [50.0, 75.0, 87.5, 87.5]
    assert list(line.ys) == [50.0, 50.0, 62.5, 62.5]


@pytest.mark.parametrize("placement", openb.PLACEMENTS)
def test_the_seed_decides_the_inflated_order(files: tuple[Path, Path], placement: str) -> None:
    nodes, pods = files
    once, again = (openb.replay(nodes, pods, placement, 3) for _ in range(2))
    assert once.plot == again.plot
    assert once.plot != openb.replay(nodes, pods, placement, 4).plot
    assert 87.5 < once.plot.lines[0].xs[-1] <= 130


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("nodes.csv", NODES.replace("2,T4", "two,T4"), "nodes.csv, line 2: gpu is 'two'"),
        ("nodes.csv", NODES.replace("2,T4", "2,"), "line 2: b has accelerators and no model"),
        ("nodes.csv", NODES.replace("\na", "\nb"), "line 3: b: every node needs a name of its own"),
        ("nodes.csv", "sn,cpu_milli\n", "line 1: no column memory_mib, gpu, model"),
        ("nodes.csv", NODES.replace(",2,", ",0,"), "no node has an accelerator"),
        ("openb_pod_list_small.csv", PODS.replace("1,500", "1,0"), "line 2: 1 accelerators of gpu_milli 0"),
        ("openb_pod_list_small.csv", PODS.replace("p0,1000", "p0,-1"), "line 2: cpu_milli is '-1'"),
        ("openb_pod_list_small.csv", PODS[: PODS.index("p0")], "no rows"),
        ("openb_pod_list_small.csv", "\xff", "no column"),
    ],
)
def test_a_bad_file_is_named_with_its_line(files: tuple[Path, Path], name: str, text: str, says: str) -> None:
    nodes, pods = files
    nodes.with_name(name).write_text(text)
    with pytest.raises(BadTrace, match=f"(?s).*{name}.*") as caught:
        openb.replay(nodes, pods, "fgd", 1)
    assert says in str(caught.value)


def test_a_bad_order_is_named(files: tuple[Path, Path]) -> None:
    nodes, pods = files
    with pytest.raises(BadTrace, match=r"is not an \.npz file"):
        openb.replay(nodes, pods, "fgd", 7, nodes)
    with pytest.raises(BadTrace, match="cannot be read: No such file"):
        openb.replay(nodes, pods, "fgd", 7, nodes.with_name("absent.npz"))
    with pytest.raises(BadTrace, match="no arrays small_8"):
        openb.replay(nodes, pods, "fgd", 8, order(nodes.with_name("o.npz"), [0], [0, 1, 2]))
    with pytest.raises(BadTrace, match="names pod 4"):
        openb.replay(nodes, pods, "fgd", 7, order(nodes.with_name("o.npz"), [4], [0, 1, 2]))
    with pytest.raises(BadTrace, match="ranks 2 nodes"):
        openb.replay(nodes, pods, "fgd", 7, order(nodes.with_name("o.npz"), [0], [0, 1]))


def published(trace: str, placement: str, seed: int) -> tuple[float, float]:
    """Percent allocated at 100 % and at 130 % of arrived load."""
    wanted = f"openb_pod_list_{trace}", NAMES[placement], str(seed)
    with (TRACES / PUBLISHED).open() as file:
        for row in csv.DictReader(file):
            if (row["workload"], row["sc_policy"], row["seed"]) == wanted:
                return float(row["100"]), float(row["130"])
    raise LookupError(trace, placement, seed)


def replayed(trace: str, placement: str, seed: int) -> tuple[float, float]:
    nodes, pods = TRACES / "openb_node_list_gpu_node.csv", TRACES / f"openb_pod_list_{trace}.csv"
    done = openb.replay(nodes, pods, placement, seed, TRACES / "fgd_arrival_order_tune1.3_seeds42-51.npz")
    at_100, at_130 = done.figures["allocation_at_100"], done.figures["allocation_at_130"]
    assert isinstance(at_100, float)
    assert isinstance(at_130, float)
    return at_100, at_130


@pytest.mark.skipif(not TRACES.is_dir(), reason="needs ../shared")
@pytest.mark.parametrize(
    ("trace", "placement", "seed"),
    [
        ("default", "fgd", 42),
        ("cpu250", "fgd", 45),
        ("multigpu50", "bestfit", 51),
        ("default", "dotprod", 43),
        ("gpushare80", "gpupacking", 44),
        ("cpu050", "gpuclustering", 46),
        ("gpuspec33", "fgd", 47),
    ],
)
def test_published_figures(trace: str, placement: str, seed: int) -> None:
    assert replayed(trace, placement, seed) == pytest.approx(published(trace, placement, seed), abs=0.011)


@pytest.mark.skipif(not TRACES.is_dir(), reason="needs ../shared")
@pytest.mark.parametrize(
    ("trace", "seed", "better"),
    [("default", 42, 0.8), ("gpushare100", 43, 1.3), ("multigpu50", 44, 0.5), ("gpuspec33", 45, 6.5)],
)
def test_baygrid_places_more_than_fgd(trace: str, seed: int, better: float) -> None:
    ours, fgd = replayed(trace, "baygrid", seed), published(trace, "fgd", seed)
    assert ours[0] - fgd[0] >= better
    assert ours[1] - fgd[1] >= 0.5


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("pods", "p1,1000", "p1,99999999999999999999999", "line 3: cpu_milli is '99999999999999999999999': "),
        ("pods", "1000,1024,2", "1000,9007199254740994,2", "line 5: memory_mib is '9007199254740994': "),
        ("pods", "1024,2,1000", "1024,1025,1000", "from 0 to 1,024"),
        ("nodes", "a,8000", "a,1e16", "line 3: cpu_milli is '1e16': write a whole number from 0 to 9,007,"),
        ("nodes", "2,T4", "1e9,T4", "line 2: gpu is '1e9': write a whole number from 0 to 1,024"),
    ],
)
def test_numbers_out_of_bounds_are_refused(
    files: tuple[Path, Path], file: str, old: str, new: str, told: str
) -> None:
    path = files[file == "pods"]
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(BadTrace, match=re.escape(told)):
        openb.replay(*files, "fgd", 7)


@pytest.mark.parametrize("placement", openb.PLACEMENTS)
def test_numbers_at_their_bound_are_placed(files: tuple[Path, Path], placement: str) -> None:
    nodes, pods = files
    nodes.write_text(f"sn,cpu_milli,memory_mib,gpu,model\na,{2**53},{2**53},2,T4\n")
    pods.write_text(f"name,cpu_milli,memory_mib,num_gpu,gpu_milli\np0,{2**53},{2**53},2,1000\n")
    assert openb.replay(nodes, pods, placement, 7).figures["placed"] == 1


def test_pods_that_all_insist_on_models_that_no_node_has(files: tuple[Path, Path]) -> None:
    nodes, pods = files
    head, *rest = PODS.splitlines()
    pods.write_text(f"{head}\np0,1000,1024,1,500,A100|H100\np2,20000,1024,0,0,")
    with pytest.raises(BadTrace, match=r"has any of these models: A100, H100: there are G2, T4"):
        openb.replay(nodes, pods, "fgd", 7)
    pods.write_text("\n".join([head, "p0,1000,1024,1,500,A100", *rest[1:]]))
    openb.replay(nodes, pods, "fgd", 7)


@pytest.mark.parametrize("text", ["", "small_7,perm_small_7\n0,1\n"])
def test_an_order_that_is_no_npz_file(files: tuple[Path, Path], text: str) -> None:
    path = files[0].with_name("order.csv")
    path.write_text(text)
    with pytest.raises(BadTrace, match=r"is not an \.npz file with arrays small_7 and perm_small_7$"):
        openb.replay(*files, "fgd", 7, path)
