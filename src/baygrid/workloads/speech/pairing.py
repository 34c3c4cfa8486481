"""A transcript and a translation of the same half minute, side by side.

Whisper writes both from the sound, each with times of its own, and they need not have as many pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from baygrid.workloads.speech.whisper import Said


@dataclass(frozen=True, slots=True)
class Pair:
    """A stretch of a chunk, in seconds, with what was said; `translation` is None where none was wanted."""

    start: float
    end: float
    text: str
    translation: str | None


@dataclass
class _Group:
    said: list[Said]
    translated: list[Said] = field(default_factory=list)


def pairs(said: Sequence[Said], translated: Sequence[Said] | None, between: str) -> list[Pair]:
    """The pieces of the transcript, each with those of the translation that overlap it most; pieces without
    any are joined to the one before (the first ones to the one after). `between` joins texts."""
    groups = [_Group([piece]) for piece in said]
    if translated is not None and groups:
        at = 0
        for piece in translated:
            at = max(
                range(at, len(groups)), key=lambda index: (_overlap(groups[index].said[0], piece), -index)
            )
            groups[at].translated.append(piece)
        groups = _joined(groups)
    return [_pair(group, between, translated is not None) for group in groups]


def _joined(groups: list[_Group]) -> list[_Group]:
    joined: list[_Group] = []
    for group in groups:
        if joined and not (group.translated and joined[-1].translated):
            joined[-1].said.extend(group.said)
            joined[-1].translated.extend(group.translated)
        else:
            joined.append(group)
    return joined


def _overlap(one: Said, other: Said) -> float:
    """Seconds; below 0 the gap between them."""
    return min(one.end, other.end) - max(one.start, other.start)


def _pair(group: _Group, between: str, translated: bool) -> Pair:
    translation = " ".join(piece.text for piece in group.translated) if translated else None
    text = between.join(piece.text for piece in group.said)
    return Pair(group.said[0].start, max(piece.end for piece in group.said), text, translation)
