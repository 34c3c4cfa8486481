"""FLOP/s that large matrix products reach here: what the arithmetic of a network can at most be measured
against."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper

from baygrid.workloads.models import ModelRefused
from baygrid.workloads.models.onnx import CPU, PROVIDERS, session

SIDES: Final = {CPU: 512}
OTHER_SIDE: Final = 8192
"""Of the square matrices: moving them is little beside multiplying them, and on a CPU one product is done
before a neighbour has its turn."""
LEAST_RUNS: Final = 3


@dataclass(frozen=True, slots=True)
class Gemm:
    """`provider`: CPU, CUDA, CANN. `threads`: of a CPU, each with products of its own, as workers have models
    of their own. None: not supported there."""

    provider: str
    threads: int
    side: int
    fp32: float | None
    fp16: float | None


def measured(threads: int, seconds: float = 1.5, providers: tuple[str, ...] = PROVIDERS) -> Gemm:
    """Each thread's best product in about `seconds` for each precision, on the best device of `providers`,
    which one thread keeps busy."""
    probe = _session(16, np.float32, providers)
    provider = probe.get_providers()[0].removesuffix("ExecutionProvider")
    side, threads = SIDES.get(provider, OTHER_SIDE), threads if provider == CPU else 1
    rates = [_rate(side, kind, threads, providers, seconds) for kind in (np.float32, np.float16)]
    return Gemm(provider, threads, side, *rates)


def _rate(
    side: int, kind: type[Any], threads: int, providers: tuple[str, ...], seconds: float
) -> float | None:
    try:
        sessions = [_session(side, kind, providers) for _ in range(threads)]
    except ModelRefused:
        return None
    with ThreadPoolExecutor(threads) as pool:
        best = list(pool.map(lambda one: _best(one, side, kind, seconds), sessions))
    return sum(2 * side**3 / each for each in best)


def _best(one: ort.InferenceSession, side: int, kind: type[Any], seconds: float) -> float:
    """Seconds of the fastest product."""
    values = np.random.default_rng(0).standard_normal((side, side)).astype(kind)
    where = "cuda" if one.get_providers()[0].startswith("CUDA") else "cpu"
    binding = one.io_binding()
    for name in ("a", "b"):  # moved once: it is the product that is timed
        binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(values, where, 0))
    binding.bind_output("c", where)
    best, runs, until = float("inf"), 0, time.perf_counter() + seconds
    while runs < LEAST_RUNS or time.perf_counter() < until:
        began = time.perf_counter()
        one.run_with_iobinding(binding)
        binding.synchronize_outputs()
        best, runs = min(best, time.perf_counter() - began), runs + 1
    return best


def _session(side: int, kind: type[Any], providers: tuple[str, ...]) -> ort.InferenceSession:
    element = TensorProto.FLOAT if kind is np.float32 else TensorProto.FLOAT16
    ports = [helper.make_tensor_value_info(name, element, [side, side]) for name in "abc"]
    graph = helper.make_graph([helper.make_node("MatMul", ["a", "b"], ["c"])], "gemm", ports[:2], ports[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return session(model.SerializeToString(), providers)
