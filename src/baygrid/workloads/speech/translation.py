"""Models that translate texts: folders in CTranslate2's layout that the user has, of one pair or of many.

A folder holds `model.bin`, its vocabulary, and SentencePiece files: `source.spm` and `target.spm` (OPUS-MT),
or one for all (NLLB-200, M2M-100). Models of many languages are told the two by words of their vocabulary; of
those of one pair the user says it (`ja-zh=DIR`), unless the folder does (`tokenizer_config.json`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import ctranslate2
import sentencepiece

from baygrid.workloads.models import ModelMissing, ModelRefused
from baygrid.workloads.speech import gate
from baygrid.workloads.speech.languages import FLORES

BEAM: Final = 4
MOST_TOKENS: Final = 256
"""Of one translation: a segment is no longer than half a minute."""

TOGETHER: Final = 1024
"""Tokens in one batch."""

STRICTER: Final = {"repetition_penalty": 1.3, "no_repeat_ngram_size": 4}
"""How a translation that loops is tried again."""

WHOLE: Final = ("source.spm", "sentencepiece.bpe.model", "sentencepiece.model", "spiece.model", "spm.model")
"""Names of SentencePiece files for the source, the first that is there is used."""

END: Final = "</s>"


@dataclass(frozen=True)
class TranslationModel:
    """One model. `told` is its pair where the user says it, such as ("ja", "zh")."""

    folder: Path
    told: tuple[str, str] | None = None

    @classmethod
    def parse(cls, given: str) -> TranslationModel:
        """Out of DIR or FROM-TO=DIR. Raises ModelMissing, ModelRefused."""
        pair, equals, folder = given.rpartition("=")
        source, _, target = pair.partition("-")
        if equals and not (source.isalpha() and target.isalpha()):
            raise ModelRefused(f"{pair!r} is no pair of languages, such as ja-zh")
        model = cls(Path(folder).resolve(), (source, target) if equals else None)
        if missing := [name for name in ("model.bin", "config.json") if not (model.folder / name).is_file()]:
            raise ModelMissing(f"{folder} is no CTranslate2 model: {', '.join(missing)} is not in it")
        if not (model.folder / model.pieces).is_file():
            raise ModelMissing(f"{folder} has no SentencePiece file ({', '.join(WHOLE)})")
        return model

    @cached_property
    def pieces(self) -> str:
        return next((name for name in WHOLE if (self.folder / name).is_file()), WHOLE[0])

    @cached_property
    def words(self) -> dict[str, str]:
        """The word for each language (by Whisper's code) in a model of many; empty for one of a pair."""
        known = self._vocabulary()
        nllb = {code: word for code, word in FLORES.items() if word in known}
        return nllb or {code: f"__{code}__" for code in FLORES if f"__{code}__" in known}

    @cached_property
    def pair(self) -> tuple[str, str]:
        """Of a model of one pair. Raises ModelRefused where nobody says it."""
        if self.told:
            return self.told
        file = self.folder / "tokenizer_config.json"
        said = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        if not (said.get("source_lang") and said.get("target_lang")):
            raise ModelRefused(
                f"{self.folder} does not say what it translates: give it as ja-zh={self.folder}"
            )
        return said["source_lang"], said["target_lang"]

    def can(self, source: str, target: str) -> bool:
        if self.words:
            return source != target and source in self.words and target in self.words
        return self.pair == (source, target)

    def targets(self) -> dict[str, list[str]]:
        """The languages it translates into, each with those it translates from."""
        if not self.words:
            return {self.pair[1]: [self.pair[0]]}
        return {target: [source for source in self.words if source != target] for target in self.words}

    def _vocabulary(self) -> frozenset[str]:
        for name in ("shared_vocabulary.json", "source_vocabulary.json"):
            if (self.folder / name).is_file():
                return frozenset(json.loads((self.folder / name).read_text(encoding="utf-8")))
        for name in ("shared_vocabulary.txt", "source_vocabulary.txt"):
            if (self.folder / name).is_file():
                return frozenset((self.folder / name).read_text(encoding="utf-8").split("\n"))
        return frozenset()


class Cascade:
    """What was heard, translated into `target` by the first model that can. One thread on a CPU."""

    def __init__(
        self, models: Sequence[TranslationModel], target: str, device: str, compute_type: str
    ) -> None:
        self.target = target
        self._models = [_Loaded(model, device, compute_type) for model in models]

    def can(self, source: str) -> bool:
        return any(model.of.can(source, self.target) for model in self._models)

    def __call__(self, texts: Sequence[str], source: str) -> list[str]:
        """One translation for each text; those that loop or stay in the source language are tried again."""
        model = next(model for model in self._models if model.of.can(source, self.target))
        found = model(texts, source, self.target)
        bad = [at for at, text in enumerate(texts) if self._bad(text, source, found[at])]
        if bad:
            again = model([texts[at] for at in bad], source, self.target, **STRICTER)
            for at, text in zip(bad, again, strict=True):
                found[at] = text if not self._bad(texts[at], source, text) else found[at]
        return found

    def _bad(self, text: str, source: str, translation: str) -> bool:
        return gate.repeats(translation) or gate.untranslated(text, source, translation, self.target)


class _Loaded:
    def __init__(self, model: TranslationModel, device: str, compute_type: str) -> None:
        self.of = model
        try:
            self._translator: Any = ctranslate2.Translator(
                str(model.folder), device=device, compute_type=compute_type, intra_threads=1, inter_threads=1
            )
            self._into: Any = sentencepiece.SentencePieceProcessor(str(model.folder / model.pieces))
            target = model.folder / "target.spm"
            self._out: Any = (
                sentencepiece.SentencePieceProcessor(str(target)) if target.is_file() else self._into
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelRefused(f"{model.folder} is not loaded: {error}") from error
        config = json.loads((model.folder / "config.json").read_text(encoding="utf-8"))
        self._ends = [] if config.get("add_source_eos") else [END]

    def __call__(self, texts: Sequence[str], source: str, target: str, **how: Any) -> list[str]:
        words = self.of.words
        begins = [words[source]] if words else []
        batch = [[*begins, *self._into.encode(text, out_type=str), *self._ends] for text in texts]
        results = self._translator.translate_batch(
            batch, target_prefix=[[words[target]]] * len(batch) if words else None, beam_size=BEAM,
            max_batch_size=TOGETHER, batch_type="tokens", max_decoding_length=MOST_TOKENS, **how,
        )  # fmt: skip
        return [self._text(result.hypotheses[0]) for result in results]

    def _text(self, tokens: Sequence[str]) -> str:
        marks = {END, *self.of.words.values()}
        text: str = self._out.decode([token for token in tokens if token not in marks])
        return text.strip()
