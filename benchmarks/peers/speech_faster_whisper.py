"""faster-whisper as its README writes it, for texts in the language spoken and in English.

FOLDER OUTPUT MODEL plain|batched. What is spoken in English needs no second text; a person would see that."""

import json
import sys
from pathlib import Path
from typing import Any

from faster_whisper import BatchedInferencePipeline, WhisperModel

folder, output, directory, how = sys.argv[1:]
model = WhisperModel(directory, device="cpu", compute_type="int8", cpu_threads=1)
if how == "batched":
    batched = BatchedInferencePipeline(model=model)

    def hear(path: str, task: str) -> Any:
        return batched.transcribe(path, batch_size=8, task=task)
else:

    def hear(path: str, task: str) -> Any:
        return model.transcribe(path, beam_size=5, vad_filter=True, task=task)


texts = {}
for path in sorted(Path(folder).iterdir()):
    segments, info = hear(str(path), "transcribe")
    texts[path.name] = [[each.start, each.end, each.text] for each in segments]
    if info.language != "en":
        segments, _ = hear(str(path), "translate")
        texts[f"{path.name} in English"] = [[each.start, each.end, each.text] for each in segments]
Path(output).mkdir(parents=True)
(Path(output) / "texts.json").write_text(json.dumps(texts))
