"""Whisper by CTranslate2: features, one encoding for all that is asked of a chunk, decoding in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ctranslate2
import numpy as np
import tokenizers
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

from baygrid.workloads import heap
from baygrid.workloads.models import ModelRefused
from baygrid.workloads.speech.sound import Samples

FRAMES: Final = 3000
"""Frames of features in half a minute, 10 ms each."""

BEAM: Final = 5
BEST_OF: Final = 5
"""Width of the search at temperature 0, and draws at others: Whisper's own."""

MOST_TOKENS: Final = 224
"""Of half a minute: half of what Whisper can hold, as OpenAI's own decoder has it."""

LATEST_START: Final = 50
"""In steps of STEP: the first time in a text may be no later than a second."""

STEP: Final = 0.02
"""Seconds between two of Whisper's marks of time."""

CPU_BATCH, CUDA_BATCH = 8, 32
"""Chunks decoded together. On a CPU encoding and detecting gain nothing from company, decoding does."""

COMPUTE: Final = {"cpu": ("int8", "float32"), "cuda": ("float16", "bfloat16", "float32")}
"""Kinds of arithmetic, best first; the first that the device has is used."""

Encoded = NDArray[Any]
"""What the encoder made of a chunk: (1500, width)."""


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of text with its time in the chunk, in seconds."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What was decoded from one chunk. `avg_logprob`: mean natural logarithm of the tokens' probabilities."""

    tokens: tuple[int, ...]
    text: str
    avg_logprob: float
    no_speech_prob: float


class Whisper:
    """A model in CTranslate2's layout. One thread on a CPU."""

    def __init__(self, directory: Path, device: str | None = None, compute_type: str | None = None) -> None:
        self.device = device or ("cuda" if ctranslate2.get_cuda_device_count() else "cpu")
        self.compute_type = compute_type or _best(self.device)
        self.batch = CUDA_BATCH if self.device == "cuda" else CPU_BATCH
        self._at_once = self.batch if self.device == "cuda" else 1
        self._directory = str(directory)
        self._load()
        self._tokenizer = tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json"))
        self._features = FeatureExtractor(feature_size=self._model.n_mels)
        self._ids = _Ids(self._tokenizer)
        self.translates: bool = self._model.is_multilingual

    def seed(self, seed: int) -> None:
        """From here on what is drawn at random depends on `seed` alone.

        CTranslate2 seeds its generator when it makes a model's thread and never again, so the model is
        loaded anew. This is for the rare chunk on which the ordinary search fails."""
        ctranslate2.set_random_seed(seed % (2**31 - 1) + 1)
        del self._model
        heap.give_back()  # else the new one would lie beside the holes of the old one
        self._load()

    def _load(self) -> None:
        try:
            self._model: Any = ctranslate2.models.Whisper(
                self._directory,
                device=self.device,
                compute_type=self.compute_type,
                intra_threads=1,
                inter_threads=1,
            )
        except (RuntimeError, ValueError) as error:
            raise ModelRefused(f"{self._directory} is not loaded: {error}") from error
        heap.give_back()  # the file as it was read

    def features(self, sound: Samples) -> NDArray[np.float32]:
        """(mels, FRAMES); what is shorter is filled up as Whisper does it."""
        found = self._features(sound)[:, :FRAMES]
        filled: NDArray[np.float32] = np.pad(found, ((0, 0), (0, FRAMES - found.shape[1])))
        return np.ascontiguousarray(filled, np.float32)

    def encode(self, features: Sequence[NDArray[np.float32]]) -> list[Encoded]:
        """Each chunk's encoding, to be used for its language, its text and its translation."""
        encoded: list[Encoded] = []
        for first in range(0, len(features), self._at_once):
            some = _view(features[first : first + self._at_once])
            encoded.extend(np.array(self._model.encode(some, to_cpu=True)))
        return encoded

    def detect(self, encoded: Sequence[Encoded]) -> list[dict[str, float]]:
        """The probability of each language, for each chunk."""
        if not self._model.is_multilingual:
            return [{"en": 1.0} for _ in encoded]
        return [
            {token.strip("<|>"): float(probabilities) for token, probabilities in found}
            for first in range(0, len(encoded), self._at_once)
            for found in self._model.detect_language(_view(encoded[first : first + self._at_once]))
        ]

    def hear(
        self, encoded: Sequence[Encoded], spoken: Sequence[str], task: str, temperature: float = 0.0
    ) -> list[Heard]:
        """Each chunk's text in its language (task "transcribe") or in English ("translate")."""
        found: list[Heard] = []
        for first in range(0, len(encoded), self.batch):
            some = slice(first, first + self.batch)
            prompts = [self._prompt(language, task) for language in spoken[some]]
            found.extend(self._generate(_view(encoded[some]), prompts, temperature))
        return found

    def _prompt(self, language: str, task: str) -> list[int]:
        if not self._model.is_multilingual:
            return [self._ids.start]
        return [self._ids.start, self._ids.of(f"<|{language}|>"), self._ids.of(f"<|{task}|>")]

    def _generate(self, view: Any, prompts: list[list[int]], temperature: float) -> list[Heard]:
        how: dict[str, Any] = {"beam_size": BEAM}
        if temperature > 0:
            how = {
                "beam_size": 1, "num_hypotheses": BEST_OF,
                "sampling_topk": 0, "sampling_temperature": temperature,
            }  # fmt: skip
        results = self._model.generate(
            view, prompts, max_length=MOST_TOKENS, return_scores=True, return_no_speech_prob=True,
            max_initial_timestamp_index=LATEST_START, **how,
        )  # fmt: skip
        return [self._heard(result) for result in results]

    def _heard(self, result: Any) -> Heard:
        tokens = tuple(result.sequences_ids[0])
        text = self._tokenizer.decode([token for token in tokens if token < self._ids.end]).strip()
        # The score is the mean over the tokens without the one that ends the text.
        mean = result.scores[0] * len(tokens) / (len(tokens) + 1)
        return Heard(tokens, text, float(mean), float(result.no_speech_prob))

    def said(self, heard: Heard, seconds: float) -> list[Said]:
        """The text cut at its marks of time, within a chunk of so many seconds."""
        said: list[Said] = []
        start, words = 0.0, []
        for token in heard.tokens:
            if token < self._ids.first_time:
                words.append(token)
                continue
            at = min((token - self._ids.first_time) * STEP, seconds)
            if text := self._words(words):
                said.append(Said(min(start, at), at, text))
            start, words = at, []
        if text := self._words(words):
            said.append(Said(start, max(start, seconds), text))
        return said

    def _words(self, tokens: list[int]) -> str:
        text: str = self._tokenizer.decode([token for token in tokens if token < self._ids.end])
        return text.strip()


class _Ids:
    """The numbers of Whisper's own words, which differ between its versions."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.start = self.of("<|startoftranscript|>")
        self.end = self.of("<|endoftext|>")
        self.first_time = self.of("<|notimestamps|>") + 1

    def of(self, token: str) -> int:
        number: int | None = self._tokenizer.token_to_id(token)
        if number is None:
            raise ModelRefused(f"the model's tokenizer does not know {token}: it is none of Whisper's")
        return number


def _best(device: str) -> str:
    there = ctranslate2.get_supported_compute_types(device)
    return next(kind for kind in COMPUTE[device] if kind in there)


def _view(encoded: Sequence[Encoded]) -> Any:
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(np.stack(encoded)))
