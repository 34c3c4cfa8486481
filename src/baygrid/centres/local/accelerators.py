"""The accelerators of this machine, as their makers' tools tell: `nvidia-smi`, and `npu-smi` for Ascend."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from typing import Final

from baygrid.core.reading import is_name

PATIENCE_S: Final = 20.0
NVIDIA: Final = ("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
ASCEND: Final = ("npu-smi", "info")

# How a card is built says nothing about what a job asks for: its maker, form, memory and cooling.
_FORM: Final = re.compile(
    r"nvidia|tesla|geforce|quadro|graphics|laptop|gpu|pcie|sxm[0-9]*|nvl|hgx|dgx|hbm[0-9a-z]*|[0-9]+gb|generation",
    re.IGNORECASE,
)
_NPU: Final = re.compile(r"\| *[0-9]+ +(?:Ascend)?([0-9]{3}[A-Za-z]*)[0-9A-Za-z-]* *\| *[A-Z][A-Za-z]* *\|")


def of_this_machine() -> dict[str, int]:
    """By model. A tool that is not there, or does not answer, has found none."""
    return {**nvidia(_said(NVIDIA)), **ascend(_said(ASCEND))}


def nvidia(text: str) -> dict[str, int]:
    """Of one name a line."""
    return dict(Counter(model for line in text.splitlines() if (model := model_of(line)) is not None))


def ascend(text: str) -> dict[str, int]:
    """Of the table of `npu-smi info`: the first line of each chip has its name and health. What follows the
    letter (910B1 to 910B4-1) is clock and memory only."""
    return dict(Counter(f"Ascend{found[1]}" for found in _NPU.finditer(text)))


def model_of(name: str) -> str | None:
    """ "NVIDIA A100-SXM4-80GB" is an A100, "NVIDIA GeForce RTX 4090" a RTX4090; None for what has no name
    that a job file can say."""
    words = [word for word in re.split(r"[\s-]+", name.strip()) if word and not _FORM.fullmatch(word)]
    model = "".join(words)
    return model if model and is_name(model) else None


def _said(command: Sequence[str]) -> str:
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, timeout=PATIENCE_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
