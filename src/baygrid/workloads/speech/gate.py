"""What a model of speech writes when it fails, told from what it heard.

Such failures are known: phrases that repeat without end; text invented over silence or noise (Koenecke et
al., "Careless Whisper", FAccT 2024, https://doi.org/10.1145/3630106.3658996), often one of a few sentences
out of subtitles; a translation that is still in the source language."""

from __future__ import annotations

import re
import zlib
from difflib import SequenceMatcher
from typing import Final

from baygrid.workloads.speech import writing

REPEATS, UNSURE, NO_VOICE, INVENTED, UNTRANSLATED, RUSHED, NO_MODEL = (
    "repeats", "unsure", "no voice", "invented", "untranslated", "rushed", "no model",
)  # fmt: skip

REASONS: Final = {
    REPEATS: "a phrase comes again and again",
    UNSURE: "the model itself gave its words little chance",
    NO_VOICE: "nobody seems to speak there",
    INVENTED: "a sentence that such models write over noise",
    UNTRANSLATED: "the translation is still in the source language",
    RUSHED: "more words than can be spoken in that time",
    NO_MODEL: "no loaded model translates from this language",
}

OF_TRANSLATION: Final = frozenset({UNTRANSLATED, NO_MODEL})
"""Those that leave the transcript as good as it is, beside the ones that begin with "translation"."""

MOST_COMPRESSION: Final = 2.4
LEAST_LOGPROB: Final = -1.0
NO_SPEECH: Final = 0.6
"""Whisper's own thresholds (Radford et al. 2022, https://arxiv.org/abs/2212.04356, section 4.5)."""

MOST_REPEATS: Final = 4
"""Times a phrase may come in direct succession; more is a loop."""

LOOP: Final = 12
"""Characters that such repetitions must fill: "no no no no no" may be said."""

MOST_SOURCE: Final = 0.3
"""Share of letters in the source's script from which a translation is none."""

LIKE: Final = 0.85
"""A translation so like its source, of two languages in one script, is none."""

LEAST_LETTERS: Final = 16
"""Names and short words may be the same in two languages."""

LEAST_VOICE: Final = 0.1
"""Share of a segment in which there must be voice."""

MOST_SPEED: Final = {"CJK": 20.0, "HANGUL": 20.0}
MOST_SPEED_ELSE: Final = 40.0
"""Letters a second: twice what the fastest speakers reach."""

INVENTIONS: Final = re.compile(
    r"ご(視聴|清聴)ありがとうござい|チャンネル登録|字幕由|字幕志愿者|请不吝点赞|請不吝點贊|谢谢(观看|大家观看)|謝謝(觀看|大家觀看)"
    r"|amara\.org|thank(s| you)( so much| very much)? for watching|(please |like and )subscribe|subtitles by"
    r"|sous-titr(es|age)|untertitel (von|der|im)|시청해 ?주셔서",
    re.IGNORECASE,
)
"""Sentences out of the subtitles that such models learnt from."""

_RUN: Final = re.compile(rf"(.{{1,60}}?)\1{{{MOST_REPEATS},}}", re.DOTALL)


def compression_ratio(text: str) -> float:
    """How much shorter zlib makes it, as Whisper's own fallback counts."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def repeats(text: str) -> bool:
    """A phrase comes more than MOST_REPEATS times on end ("the car of the car of the car of ...")."""
    plain = re.sub(r"[\s、。,.!?！？・-]+", " ", text.casefold()) + " "
    return any(len(found.group()) >= LOOP for found in _RUN.finditer(plain))


def heard(text: str, avg_logprob: float) -> str | None:
    """Why half a minute's text should be tried again, or None."""
    if compression_ratio(text) > MOST_COMPRESSION or repeats(text):
        return REPEATS
    return UNSURE if avg_logprob < LEAST_LOGPROB else None


def silent(avg_logprob: float, no_speech_prob: float) -> bool:
    """Whisper says that nobody spoke, and its text has little chance: there is none (as in its paper)."""
    return no_speech_prob > NO_SPEECH and avg_logprob < LEAST_LOGPROB


def untranslated(text: str, source: str, translation: str, target: str) -> bool:
    """The translation is in the source's language still."""
    theirs, ours = writing.script(source), writing.script(target)
    if theirs != ours:
        return writing.share(translation, theirs) > MOST_SOURCE
    if min(len(text), len(translation)) < LEAST_LETTERS:
        return False
    return SequenceMatcher(None, text.casefold(), translation.casefold(), autojunk=False).ratio() > LIKE


def segment(text: str, language: str, seconds: float, voice: float, no_speech_prob: float) -> list[str]:
    """What is wrong with a segment by itself. `voice`: the share of it in which somebody speaks, by VAD."""
    reasons = []
    if repeats(text):
        reasons.append(REPEATS)
    if voice < LEAST_VOICE:
        reasons.append(NO_VOICE)
    if INVENTIONS.search(text) and (voice < 0.5 or no_speech_prob > 0.3):
        reasons.append(INVENTED)
    speed = MOST_SPEED.get(writing.script(language), MOST_SPEED_ELSE)
    if writing.letters(text).total() > speed * max(seconds, 0.5) + 10:
        reasons.append(RUSHED)
    return reasons
