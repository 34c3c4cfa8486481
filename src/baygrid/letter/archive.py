"""The page of all issues, in all languages, with what was corrected in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from baygrid.letter.page import Page
from baygrid.letter.voice import Voice
from baygrid.letter.web import OWN_NAMES, render


def archive(issues: Sequence[Mapping[str, Page]]) -> str:
    """`issues`: newest first, each by language."""
    voices = {language: Voice(language) for language in OWN_NAMES}
    return render("archive.html.j2", "en", issues=issues, own_names=OWN_NAMES, voices=voices)
