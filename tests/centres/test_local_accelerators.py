"""Accelerators as nvidia-smi and npu-smi show them."""

import os
from pathlib import Path

import pytest

from baygrid.centres.local import this_machine
from baygrid.centres.local.accelerators import ascend, model_of, nvidia

RULE = "+" + "=" * 27 + "+" + "=" * 15 + "+" + "=" * 52 + "+\n"
HEAD = """\
+------------------------------------------------------------------------------------------------+
| npu-smi 25.2.0                   Version: 25.2.0                                               |
+---------------------------+---------------+----------------------------------------------------+
| NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|
| Chip  Phy-ID              | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |
"""


def npu(number: int, name: str, chip: int = 0, health: str = "OK") -> str:
    """One chip of the table, with the columns of npu-smi 23 to 26."""
    first = f"| {number:<6}{name:<20}| {health:<14}| 91.3        33                0    / 0             |"
    second = f"| {chip:<26}| 0000:C1:00.0  | 0           0    / 0          3197 / 65536         |"
    return f"{RULE}{first}\n{second}\n"


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA H100 PCIe", "H100"),
        ("NVIDIA H200 NVL", "H200"),
        ("NVIDIA H20", "H20"),
        ("NVIDIA A100-SXM4-80GB", "A100"),
        ("A100-PCIE-40GB", "A100"),
        ("NVIDIA A800-SXM4-80GB", "A800"),
        ("Tesla V100-SXM2-32GB", "V100"),
        ("Tesla T4", "T4"),
        ("NVIDIA L40S", "L40S"),
        ("NVIDIA GeForce RTX 4090", "RTX4090"),
        ("NVIDIA RTX 6000 Ada Generation", "RTX6000Ada"),
        ("NVIDIA GH200 480GB", "GH200"),
        ("", None),
        ("NVIDIA Graphics", None),
        ("\x1b[31m", None),
        ("x" * 100, None),
    ],
)
def test_a_model_is_what_a_job_asks_for(name, model):
    assert model_of(name) == model


def test_cards_are_counted():
    text = "NVIDIA H100 80GB HBM3\n" * 8 + "Tesla T4\n\n"
    assert nvidia(text) == {"H100": 8, "T4": 1}
    assert nvidia("") == nvidia("No devices were found\x00") == {}


def test_the_table_of_ascend_devices_is_read():
    assert ascend(HEAD + "".join(npu(n, "910B3") for n in range(8))) == {"Ascend910B": 8}
    assert ascend(HEAD + npu(0, "910B4-1") + npu(1, "910B4-1", health="Warning")) == {"Ascend910B": 2}
    assert ascend(HEAD + npu(0, "910B2C")) == {"Ascend910B": 1}
    assert ascend(HEAD + npu(0, "310P3") + npu(0, "310P3", chip=1)) == {"Ascend310P": 2}
    assert ascend(HEAD + npu(0, "Ascend910") + npu(0, "Ascend910", chip=1)) == {"Ascend910": 2}
    assert ascend(HEAD) == ascend("") == {}


def tool(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_this_machine_has_what_the_tools_tell(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    tool(tmp_path, "nvidia-smi", "echo NVIDIA H100 80GB HBM3; echo NVIDIA H100 80GB HBM3")
    tool(tmp_path, "npu-smi", "echo broken; exit 1")
    ((node,),) = (partition.nodes for partition in this_machine())
    assert node.accelerators == {"H100": 2}
