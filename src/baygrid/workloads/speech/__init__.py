"""Reference application: long recordings of speech to text with times, and its translation.

Needs `baygrid[speech]`. A recording is cut at pauses into windows of about ten minutes; in each window voice
is found, its language detected, and its text written down and translated by Whisper (or by Whisper and then
a translation model). What looks like a loop, an invention or an untranslated text is flagged."""
