"""Models of texts after Whisper: which pair is possible is said before anything is heard."""

import argparse
import io
import json
from pathlib import Path

import pytest

from baygrid.workloads.application import ApplicationError
from baygrid.workloads.models import ModelMissing, ModelRefused
from baygrid.workloads.speech import ability, cli, model
from baygrid.workloads.speech.application import Speech
from baygrid.workloads.speech.translation import Cascade, TranslationModel
from tests.workloads.tiny_translation import SENTENCES, tiny_translation


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_translation(tmp_path_factory.mktemp("texts") / "opus")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_translation(tmp_path_factory.mktemp("texts") / "m2m", ("en", "ja", "zh"))


def test_a_model_of_one_pair_can_that_pair(pair: Path):
    texts = TranslationModel.parse(f"ja-zh={pair}")
    assert texts.can("ja", "zh")
    assert not texts.can("zh", "ja")
    assert texts.targets() == {"zh": ["ja"]}


def test_a_model_of_one_pair_must_be_told_it_unless_it_says_so(pair: Path):
    with pytest.raises(ModelRefused, match="ja-zh="):
        TranslationModel.parse(str(pair)).can("ja", "zh")
    said = pair / "tokenizer_config.json"
    said.write_text(json.dumps({"source_lang": "en", "target_lang": "zh"}))
    assert TranslationModel.parse(str(pair)).can("en", "zh")
    said.unlink()


def test_a_model_of_many_languages_knows_them(many: Path):
    texts = TranslationModel.parse(str(many))
    assert texts.words == {"en": "__en__", "ja": "__ja__", "zh": "__zh__"}
    assert texts.can("ja", "zh")
    assert not texts.can("ja", "ja")
    assert not texts.can("fr", "zh")


@pytest.mark.parametrize("kind", ["pair", "many"])
def test_texts_are_translated_one_by_one_and_always_alike(kind: str, request: pytest.FixtureRequest):
    folder = request.getfixturevalue(kind)
    texts = TranslationModel.parse(f"ja-zh={folder}" if kind == "pair" else str(folder))
    cascade = Cascade([texts], "zh", "cpu", "int8")
    assert cascade.can("ja")
    found = cascade([SENTENCES[0], "桜。"], "ja")
    assert len(found) == 2
    assert found == cascade([SENTENCES[0], "桜。"], "ja")
    assert not any("__" in text or "</s>" in text for text in found)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path):
    with pytest.raises(ModelMissing, match=r"model\.bin"):
        TranslationModel.parse(str(tmp_path))
    for name in ("model.bin", "config.json", "source.spm"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(ModelRefused, match="not loaded"):
        Cascade([TranslationModel.parse(f"ja-zh={tmp_path}")], "zh", "cpu", "int8")
    with pytest.raises(ModelRefused, match="pair"):
        TranslationModel.parse(f"1-2={tmp_path}")


def test_what_no_model_can_is_said_at_the_start(model_cache: Path, pair: Path):
    with pytest.raises(ApplicationError, match=r"English -> Chinese.*into English alone.*en-zh=DIR"):
        Speech(language="en", to="zh").loading()
    with pytest.raises(ApplicationError, match="anything into Chinese"):
        Speech(to="zh").loading()
    with pytest.raises(ApplicationError, match=r"English -> Chinese.*Japanese into Chinese"):
        Speech(language="en", to="zh", translate_with=(f"ja-zh={pair}",)).loading()
    with pytest.raises(ApplicationError, match="no language 'yue'"):
        Speech(language="yue").loading()
    assert Speech(language="ja", to="zh", translate_with=(f"ja-zh={pair}",)).loading().to == "zh"
    assert Speech(to=None).loading().to is None


def test_a_whisper_of_english_alone_translates_nothing(tmp_path: Path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "tokenizer.json").write_text('{"added_tokens": [{"id": 50257, "content": "<|endoftext|>"}]}')
    assert ability.spoken(tmp_path) == ["en"]
    with pytest.raises(ApplicationError, match="does not translate"):
        ability.check(tmp_path, [], None, "en")


def test_pairs_are_listed_without_a_run(model_cache: Path, pair: Path, many: Path):
    parser = argparse.ArgumentParser()
    cli.add_options(parser)
    out = io.StringIO()
    asked = ["--pairs", "--translate-with", f"ja-zh={pair}", "--translate-with", str(many)]
    assert cli.instead(parser.parse_args(asked), out) == 0
    assert "99 languages" in out.getvalue()
    assert "Japanese into Chinese" in out.getvalue()
    assert "each of these into each: en ja zh" in out.getvalue()
    assert cli.instead(parser.parse_args([]), out) is None


def test_another_model_of_whisper_must_be_whole(tmp_path: Path):
    with pytest.raises(ModelMissing, match=r"model\.bin"):
        model.directory(tmp_path)
