"""A translation model of a few thousand random numbers, in the layout of real ones: it talks nonsense."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
from ctranslate2.specs import TransformerSpec

SENTENCES = [
    "今日は天気がいいので、友達と公園へ行きました。",
    "And so, my fellow Americans, ask not what your country can do for you.",
    "今天天气很好，所以我和朋友去了公园。",
]
WIDTH = 16


def tiny_translation(folder: Path, languages: tuple[str, ...] = ()) -> Path:
    """Of one pair, or with a word for each of these languages, as M2M-100 has them."""
    folder.mkdir(parents=True)
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 20), model_writer=trained, vocab_size=120, hard_vocab_limit=False
    )
    pieces = sentencepiece.SentencePieceProcessor(model_proto=trained.getvalue())
    names = ("sentencepiece.model",) if languages else ("source.spm", "target.spm")
    for name in names:
        (folder / name).write_bytes(trained.getvalue())
    words = ["<blank>", *(pieces.id_to_piece(at) for at in range(pieces.vocab_size()))]
    words += [f"__{language}__" for language in languages]

    spec = TransformerSpec.from_config(1, 2)
    _fill(spec, len(words))
    spec.register_source_vocabulary(words)
    spec.register_target_vocabulary(words)
    spec.validate()
    spec.save(str(folder))
    return folder


def _fill(spec: Any, words: int) -> None:
    draw = np.random.default_rng(7)

    def numbers(*shape: int) -> np.ndarray:
        return draw.normal(0, 0.3, shape).astype(np.float32)

    def linear(layer: Any, out: int, into: int) -> None:
        layer.weight, layer.bias = numbers(out, into), numbers(out)

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)

    def feed(ffn: Any) -> None:
        norm(ffn.layer_norm)
        linear(ffn.linear_0, 2 * WIDTH, WIDTH)
        linear(ffn.linear_1, WIDTH, 2 * WIDTH)

    def itself(attention: Any) -> None:
        norm(attention.layer_norm)
        linear(attention.linear[0], 3 * WIDTH, WIDTH)
        linear(attention.linear[1], WIDTH, WIDTH)

    spec.encoder.embeddings[0].weight = numbers(words, WIDTH)
    spec.decoder.embeddings.weight = numbers(words, WIDTH)
    norm(spec.encoder.layer_norm)
    norm(spec.decoder.layer_norm)
    linear(spec.decoder.projection, words, WIDTH)
    for layer in spec.encoder.layer:
        itself(layer.self_attention)
        feed(layer.ffn)
    for layer in spec.decoder.layer:
        itself(layer.self_attention)
        norm(layer.attention.layer_norm)
        linear(layer.attention.linear[0], WIDTH, WIDTH)
        linear(layer.attention.linear[1], 2 * WIDTH, WIDTH)
        linear(layer.attention.linear[2], WIDTH, WIDTH)
        feed(layer.ffn)
