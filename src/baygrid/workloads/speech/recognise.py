"""From windows of sound to rows: language, transcript, translation, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads import heap
from baygrid.workloads.speech import gate, writing
from baygrid.workloads.speech.chunks import Chunk
from baygrid.workloads.speech.pairing import Pair, pairs
from baygrid.workloads.speech.rows import Row
from baygrid.workloads.speech.sound import RATE
from baygrid.workloads.speech.voice import FRAME, SPEECH, Probabilities
from baygrid.workloads.speech.whisper import Encoded, Heard, Whisper
from baygrid.workloads.stages import Stages

TEMPERATURES: Final = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Tried in this order on what the search at 0 did not do well (Whisper's paper, section 4.5)."""

SURE, LEAST_SECONDS = 0.9, 8.0
"""A chunk at least so long, whose language is at least so sure, is heard in it, whatever its window's is."""

ENGLISH: Final = "en"


@dataclass(frozen=True, slots=True)
class Window:
    """Ten minutes or so of one file: `begin` and `end` are seconds from the file's start."""

    file: str
    begin: float
    end: float
    probabilities: Probabilities
    chunks: Sequence[Chunk]
    features: Sequence[NDArray[np.float32]]


class Translator(Protocol):
    """TranslationModel of one language to texts of another."""

    def can(self, source: str) -> bool: ...

    def __call__(self, texts: Sequence[str], source: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class _Settled:
    """What was decoded in the end, what is wrong with it still, and whether it was tried again."""

    heard: Heard
    fault: str | None
    again: bool


@dataclass
class Recogniser:
    """Whisper, and what translates into the language `to` (None: nothing does): `translator` what it can, the
    rest Whisper itself where that is English. `language` is set, or None to be detected."""

    whisper: Whisper
    language: str | None = None
    to: str | None = ENGLISH
    translator: Translator | None = None
    again: int = field(default=0, init=False)
    """Chunks that were decoded again since `begin`."""
    _seed: int | None = field(default=None, init=False)

    def begin(self, seed: int) -> None:
        """A shard begins: what is drawn at random in it depends on `seed` and on the shard alone."""
        self.again, self._seed = 0, seed

    def __call__(self, windows: Sequence[Window], stages: Stages) -> list[list[Row]]:
        """The rows of each window; segments are counted from 0 in each."""
        with stages("encode"):
            encoded = self.whisper.encode([each for window in windows for each in window.features])
        with stages("language"):
            spoken = self._spoken(windows, encoded)
        with stages("transcribe"):
            texts = self._settled(encoded, spoken, "transcribe", lambda _, found: _fault(found))
        with stages("translate"):
            english = self._english(encoded, spoken, texts)
        chunks = [(window, chunk) for window in windows for chunk in window.chunks]
        found = [
            list(self._rows(window, chunk, language, text, other))
            for (window, chunk), language, text, other in zip(chunks, spoken, texts, english, strict=True)
        ]
        rows = iter(found)
        together = [[row for _ in window.chunks for row in next(rows)] for window in windows]
        if self.to is not None:
            with stages("translate"):
                together = [self._translated(each, self.to) for each in together]
        return [_numbered(each) for each in together]

    def _spoken(self, windows: Sequence[Window], encoded: Sequence[Encoded]) -> list[str]:
        """A language for each chunk: that of most of its window, unless its own is beyond doubt."""
        if self.language is not None:
            return [self.language] * len(encoded)
        probabilities = iter(self.whisper.detect(encoded))
        return list(
            chain.from_iterable(
                self._voted(window, [next(probabilities) for _ in window.chunks]) for window in windows
            )
        )

    def _voted(self, window: Window, probabilities: Sequence[dict[str, float]]) -> Iterator[str]:
        votes: dict[str, float] = {}
        for chunk, each in zip(window.chunks, probabilities, strict=True):
            for language, chance in each.items():
                votes[language] = votes.get(language, 0.0) + chance * chunk.seconds
        most = max(votes, key=lambda language: (votes[language], language), default=ENGLISH)
        for chunk, each in zip(window.chunks, probabilities, strict=True):
            own = max(each, key=lambda language: (each[language], language))
            yield own if each[own] >= SURE and chunk.seconds >= LEAST_SECONDS else most

    def _english(
        self, encoded: Sequence[Encoded], spoken: Sequence[str], texts: Sequence[_Settled]
    ) -> list[_Settled | None]:
        """Whisper's own translations, of what has a text and is for nobody else to translate."""
        english: list[_Settled | None] = [None] * len(encoded)
        if self.to != ENGLISH or not self.whisper.translates:
            return english
        wanted = [
            at
            for at, language in enumerate(spoken)
            if language != ENGLISH and texts[at].heard.text and not self._by_text(language)
        ]

        def fault(at: int, found: Heard) -> str | None:
            at = wanted[at]
            if gate.untranslated(texts[at].heard.text, spoken[at], found.text, ENGLISH):
                return gate.UNTRANSLATED
            return _fault(found)

        settled = self._settled(
            [encoded[at] for at in wanted], [spoken[at] for at in wanted], "translate", fault
        )
        for at, each in zip(wanted, settled, strict=True):
            english[at] = each
        return english

    def _settled(
        self,
        encoded: Sequence[Encoded],
        spoken: Sequence[str],
        task: str,
        fault: Callable[[int, Heard], str | None],
    ) -> list[_Settled]:
        """Each chunk decoded; those with a fault again at rising temperatures, the best try last resort."""
        first = self.whisper.hear(encoded, spoken, task)
        return [
            _Settled(heard, None, False) if (why := fault(at, heard)) is None
            else self._retried(at, heard, why, encoded[at], spoken[at], task, fault)
            for at, heard in enumerate(first)
        ]  # fmt: skip

    def _retried(
        self, at: int, heard: Heard, why: str, encoded: Encoded, spoken: str, task: str,
        fault: Callable[[int, Heard], str | None],
    ) -> _Settled:  # fmt: skip
        if gate.silent(heard.avg_logprob, heard.no_speech_prob):
            return _Settled(heard, gate.NO_VOICE, False)
        self.again += 1
        if self._seed is not None:
            self.whisper.seed(self._seed)
            self._seed = None
        tries = [_Settled(heard, why, True)]
        for temperature in TEMPERATURES:
            heap.give_back()  # several draws at once take most memory of all
            found = self.whisper.hear([encoded], [spoken], task, temperature)[0]
            tries.append(_Settled(found, fault(at, found), True))
            if tries[-1].fault is None:
                return tries[-1]
        return max(tries, key=lambda each: (each.fault == gate.UNSURE, each.heard.avg_logprob))

    def _rows(
        self, window: Window, chunk: Chunk, language: str, text: _Settled, english: _Settled | None
    ) -> Iterator[Row]:
        said = self.whisper.said(text.heard, chunk.seconds)
        other = self.whisper.said(english.heard, chunk.seconds) if english is not None else None
        voice = chunk.probabilities(window.probabilities) >= SPEECH
        of_all = [text.fault] if text.fault else []
        if english is not None and english.fault:
            of_all.append(_of_translation(english.fault))
        for pair in pairs(said, other, " " if writing.spaced(language) else ""):
            start, end = chunk.place(pair.start, pair.end)
            reasons = [*of_all, *_reasons(pair, language, voice, text.heard.no_speech_prob)]
            yield Row(
                file=window.file,
                segment=0,
                start=round(window.begin + start, 3),
                end=round(min(window.begin + end, window.end), 3),
                language=language,
                text=pair.text,
                translation=pair.translation,
                avg_logprob=text.heard.avg_logprob,
                no_speech_prob=text.heard.no_speech_prob,
                compression_ratio=gate.compression_ratio(text.heard.text),
                flags=_joined(reasons),
            )

    def _by_text(self, language: str) -> bool:
        return self.translator is not None and self.translator.can(language)

    def _translated(self, rows: Sequence[Row], to: str) -> list[Row]:
        """The rows with translations by a model of texts; those that no model translates say so."""
        found: dict[int, str | None] = {}
        for language in sorted({row.language for row in rows} - {to}):
            these = [
                at for at, row in enumerate(rows) if row.language == language and row.translation is None
            ]
            if self.translator is not None and self.translator.can(language):
                found |= zip(these, self.translator([rows[at].text for at in these], language), strict=True)
            else:
                found |= dict.fromkeys(these)
        return [_with_translation(row, found[at], to) if at in found else row for at, row in enumerate(rows)]


def _fault(heard: Heard) -> str | None:
    if gate.silent(heard.avg_logprob, heard.no_speech_prob):
        return gate.NO_VOICE
    return gate.heard(heard.text, heard.avg_logprob)


def _reasons(pair: Pair, language: str, voice: NDArray[np.bool_], no_speech_prob: float) -> Iterator[str]:
    begin, end = (round(seconds * RATE / FRAME) for seconds in (pair.start, pair.end))
    share = float(voice[begin : max(end, begin + 1)].mean()) if begin < len(voice) else 0.0
    yield from gate.segment(pair.text, language, pair.end - pair.start, share, no_speech_prob)
    if pair.translation is not None:
        yield from _of_text(pair.text, language, pair.translation, ENGLISH)


def _of_text(text: str, language: str, translation: str, target: str) -> Iterator[str]:
    """What is wrong with a translation by itself."""
    if not translation.strip() or gate.untranslated(text, language, translation, target):
        yield gate.UNTRANSLATED
    if gate.repeats(translation):
        yield _of_translation(gate.REPEATS)


def _of_translation(fault: str) -> str:
    return fault if fault in gate.OF_TRANSLATION or fault == gate.NO_VOICE else f"translation {fault}"


def _joined(reasons: Sequence[str]) -> str | None:
    return ", ".join(dict.fromkeys(reasons)) or None


def _with_translation(row: Row, translation: str | None, to: str) -> Row:
    reasons = row.flags.split(", ") if row.flags else []
    if translation is None:
        reasons.append(gate.NO_MODEL)
    else:
        reasons.extend(_of_text(row.text, row.language, translation, to))
    return replace(row, translation=translation, flags=_joined(reasons))


def _numbered(rows: Sequence[Row]) -> list[Row]:
    return [replace(row, segment=number) for number, row in enumerate(rows)]
