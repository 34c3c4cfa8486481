"""A rating as an agent would have measured it, to be changed."""

from __future__ import annotations

from typing import Any

from baygrid.core.rating.value import Gate, Rating

AT = 1_800_000_000_000


def rating(centre: str = "hub", **fields: Any) -> Rating:
    """Two H100 do 7,200,000 images an hour, unless it says otherwise."""
    given: dict[str, Any] = {
        "partition": "gpu",
        "accelerator": "H100",
        "profile": "images@1",
        "model": "efficientnet-lite0",
        "input": "JPEG of 500 px to 224 x 224",
        "unit": "images",
        "flop_per_unit": 0.8e9,
        "precision": "fp32",
        "units": 20_000.0,
        "seconds": 10.0,
        "nodes": 1,
        "cpus": 16,
        "accelerators": 2,
        "memory_mib": 32 * 1024,
        "gate": Gate(passed=True, figures={"top1_agreement": 1.0}),
        "measured_at": AT,
        "declared_flops": 2e15,
        "gemm_fp32": 1e14,
        "gemm_fp16": 1e15,
        "stages": {"decode": 30.0, "infer": 70.0},
        "software": {"onnxruntime": "1.23.0"},
    } | fields
    return Rating(centre=centre, **given)


def cpu_rating(centre: str = "far", **fields: Any) -> Rating:
    """Two cpus of a plain partition do 900,000 images an hour, unless it says otherwise."""
    plain = {"partition": "cpu", "accelerator": None, "accelerators": 0, "cpus": 2, "memory_mib": 2048}
    slow = {"units": 2500.0, "gemm_fp32": 1e11, "gemm_fp16": None, "declared_flops": None}
    return rating(centre, **(plain | slow | fields))
