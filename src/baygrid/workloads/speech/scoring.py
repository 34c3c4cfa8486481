"""How near a transcript and a translation come to what was said."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

ORDER: Final = 6
"""Longest run of characters that chrF counts."""

BETA: Final = 2
"""Recall weighs this much more than precision in chrF."""


def cer(texts: Sequence[str], references: Sequence[str]) -> float:
    """Character error rate: the characters to change, drop and put in, per character of the references.

    Letters, marks and digits count; case, width, punctuation and spaces do not. 0 is best; may exceed 1."""
    pairs = [(_plain(text), _plain(reference)) for text, reference in zip(texts, references, strict=True)]
    wrong = sum(distance(text, reference) for text, reference in pairs)
    return wrong / max(1, sum(len(reference) for _, reference in pairs))


def distance(one: str, other: str) -> int:
    """Characters to change, drop or put in to make `other` out of `one` (Levenshtein 1966)."""
    second = np.array([ord(character) for character in other], np.int64)
    steps = np.arange(len(other) + 1)
    row = steps.copy()
    for character in one:
        best = row + 1
        best[1:] = np.minimum(best[1:], row[:-1] + (second != ord(character)))
        row = np.minimum.accumulate(best - steps) + steps
    return int(row[-1])


def chrf(texts: Sequence[str], references: Sequence[str]) -> float:
    """chrF2 of a corpus, 0 to 100 (Popović 2015, https://aclanthology.org/W15-3049; averaged over the orders
    as sacrebleu does it). Runs of 1 to ORDER characters, without spaces."""
    counts = np.zeros((ORDER, 3))
    for text, reference in zip(texts, references, strict=True):
        counts += list(_matches("".join(text.split()), "".join(reference.split())))
    kept = counts[(counts[:, 1] > 0) & (counts[:, 2] > 0)]
    if not len(kept):
        return 0.0
    precision, recall = float((kept[:, 0] / kept[:, 1]).mean()), float((kept[:, 0] / kept[:, 2]).mean())
    if precision + recall == 0:
        return 0.0
    return 100 * (1 + BETA**2) * precision * recall / (BETA**2 * precision + recall)


def _matches(text: str, reference: str) -> Iterator[tuple[int, int, int]]:
    """For each order: the runs that both have, those of the text, those of the reference."""
    for order in range(1, ORDER + 1):
        ours, theirs = _runs(text, order), _runs(reference, order)
        yield (ours & theirs).total(), ours.total(), theirs.total()


def _runs(text: str, order: int) -> Counter[str]:
    return Counter(text[at : at + order] for at in range(len(text) - order + 1))


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if unicodedata.category(character)[0] in "LMN")
