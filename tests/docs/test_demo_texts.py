"""What the demo says is there in all its languages, and is used."""

import ast
import string
from pathlib import Path

import pytest

from scripts.demo import placing, texts

TABLE = texts.load()
DEMO = Path(texts.__file__).parent


def _figures(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def _asked_for() -> set[str]:
    """Every key that the code gives to `say`."""
    keys = {f"replay_{policy}" for policy in placing.COMPARED}
    for path in DEMO.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                key = node.args[0]
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    keys.add(key.value)
    return keys


@pytest.mark.parametrize("key", TABLE)
def test_a_text_is_there_in_every_language_with_the_same_figures(key):
    languages = TABLE[key]
    assert set(languages) == set(texts.LANGUAGES)
    assert all(text.strip() for text in languages.values())
    assert len({frozenset(_figures(text)) for text in languages.values()}) == 1


def test_every_text_that_is_asked_for_is_there_and_no_other():
    kinds = {"company", "university", "institute"}  # asked for by the kind of an organisation
    assert _asked_for() | kinds == set(TABLE)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("en", "en"), ("zh", "zh-Hans"), ("zh-hant", "zh-Hant"), ("zh_HK.UTF-8", "zh-Hant"), ("ja_JP", "ja")],
)
def test_a_language_is_known_by_its_usual_names(name, meant):
    assert texts.language(name) == meant


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="xx"):
        texts.language("xx")
