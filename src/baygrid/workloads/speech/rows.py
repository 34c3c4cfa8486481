"""What is said of one stretch of speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import pyarrow as pa

SCHEMA: Final = pa.schema(
    [
        ("file", pa.string()),
        ("segment", pa.int64()),
        ("start", pa.float64()),
        ("end", pa.float64()),
        ("language", pa.string()),
        ("text", pa.string()),
        ("translation", pa.string()),
        ("avg_logprob", pa.float32()),
        ("no_speech_prob", pa.float32()),
        ("compression_ratio", pa.float32()),
        ("flags", pa.string()),
    ]
)
"""`segment` counts from 0 in each file; `start` and `end` are seconds from the file's start; `language` is
Whisper's code. `translation` is null where none was asked for, or the source is the target language.
`avg_logprob` (natural logarithm, per token), `no_speech_prob` and `compression_ratio` are those of the half
minute that was heard at once. `flags` is null for a good segment, else it says why it is not to be relied on:
words of `gate.REASONS`, with ", " between them."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of SCHEMA."""

    file: str
    segment: int
    start: float
    end: float
    language: str
    text: str
    translation: str | None
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    flags: str | None


def table(rows: Sequence[Row]) -> pa.Table:
    return pa.Table.from_pylist([asdict(row) for row in rows], SCHEMA)
