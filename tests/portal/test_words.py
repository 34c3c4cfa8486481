"""Every text of the portal is there in every language, whole, with the same values in it."""

from __future__ import annotations

import re

import pytest

from baygrid.portal.language import messages
from scripts.messages import LANGUAGES, PORTAL, texts

VALUE = re.compile(r"%\((\w+)\)s|%%")
SIMPLIFIED = set("们个这发时间开关数据业务页处当单为会过")
"""Some letters that no traditional text has."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_missing_empty_unsure_or_doubled(language: str):
    wanted, seen = texts(), dict[str, str]()
    for file in sorted((PORTAL / "locale" / language).glob("*.po")):
        for it in messages(file.read_bytes()):
            assert not it.fuzzy, f"{file.name}: {it.one!r} is fuzzy"
            assert it.text.strip(), f"{file.name}: {it.one!r} is empty"
            assert it.one in wanted, f"{file.name}: nobody says {it.one!r} any more"
            assert seen.setdefault(it.one, it.text) == it.text, f"{it.one!r} is said in two ways"
            assert set(VALUE.findall(it.text)) == set(VALUE.findall(it.one)), (
                f"{file.name}: values of {it.one!r}"
            )
            assert VALUE.sub("", it.text).count("%") == 0, f"{file.name}: a stray % in {it.text!r}"
    lacking = [one for one in wanted if one not in seen]
    assert not lacking, f"not in {language}: {lacking}: run scripts/messages.py"


def test_traditional_is_written_as_such():
    for file in (PORTAL / "locale" / "zh_Hant").glob("*.po"):
        for it in messages(file.read_bytes()):
            assert not SIMPLIFIED & set(it.text), f"{it.text!r} has {SIMPLIFIED & set(it.text)}"


def test_english_texts_have_no_stray_percent():
    for text in texts().values():
        assert VALUE.sub("", text.one + text.many).count("%") == 0, text.one
