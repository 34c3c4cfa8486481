"""The application: its options, its shards, its workers and its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from baygrid.workloads.application import Outcome, Results, Shard
from baygrid.workloads.speech import ability, cutting, model, outputs
from baygrid.workloads.speech.clip import CLIPS
from baygrid.workloads.speech.rows import SCHEMA
from baygrid.workloads.speech.sources import sources
from baygrid.workloads.speech.translation import TranslationModel
from baygrid.workloads.speech.worker import Load


@dataclass(frozen=True)
class Speech:
    """`input`: a file, a folder or a URL, None for the clips that come with the package. `model`: a folder in
    CTranslate2's layout with a Whisper model, None for the default one. `language`: Whisper's code, None to
    detect it. `to`: the language to translate into, None for transcripts alone. `translate_with`: models
    that translate texts, each as DIR or FROM-TO=DIR."""

    input: str | None = None
    model: Path | None = None
    language: str | None = None
    to: str | None = "en"
    translate_with: tuple[str, ...] = ()

    name: str = "speech"
    unit: str = "audio_hours"
    schema: pa.Schema = SCHEMA

    def shards(self) -> Iterator[Shard]:
        """Reads the header of each file. Raises ApplicationError where there is nothing to listen to."""
        found = sources(self.input or str(CLIPS))
        return cutting.shards(piece for source in found for piece in cutting.pieces(source))

    def loading(self) -> Load:
        """Raises ApplicationError where the models cannot do what is asked for."""
        folder = model.directory(self.model)
        models = [TranslationModel.parse(each) for each in self.translate_with]
        ability.check(folder, models, self.language, self.to)
        return Load(str(folder), self.language, self.to, self.translate_with)

    def finish(self, results: Results, output: Path) -> Outcome:
        return outputs.finish(results, output, self.to)
