"""The sound of any file as 16 kHz mono, as a stream: only what is asked for is decoded; little is held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import av
import av.error
import numpy as np
from numpy.typing import NDArray

RATE: Final = 16_000
"""Samples a second, for all models here."""

Samples = NDArray[np.float32]
"""Mono at RATE, from -1 to 1."""

FORMATS: Final = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,eac3,flac,flv,matroska,mov,mp3,mpeg,mpegts,ogg,tta,w64,wav,wv"
)
"""Containers that hold their sound themselves. Playlists name other files and addresses: none is read."""

INDEXED: Final = frozenset({"aiff", "au", "caf", "flac", "matroska", "mov", "ogg", "w64", "wav"})
"""Their length is counted, not guessed, and each second can be gone to exactly."""

SEEKABLE: Final = INDEXED | {"mp3"}
"""Each second can be gone to exactly; an mp3's length may be a guess from its first frames."""

LEAST_RATE, MOST_RATE, MOST_CHANNELS = 4_000, 768_000, 32
"""What is outside holds no speech, or is made to fill memory: a FLAC frame at 1 Hz may last 18 hours."""

PREROLL: Final = 1.0
"""Seconds decoded before a start and dropped: codecs need what was before to be right."""

GAP: Final = 0.05
"""Seconds by which a frame may be late before its place is believed and the gap filled with silence."""

MOST_SECONDS: Final = 1000 * 3600.0
"""A place in time, or a length, beyond this is not believed."""

BROKEN: Final = (av.error.FFmpegError, OSError, ValueError, OverflowError, MemoryError, EOFError)
"""What a damaged file ends in."""


class Unreadable(Exception):
    """There is no sound to be had from this file; the words are for people."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself: `said` is its length in seconds, None where it says none to be believed."""

    format: str
    said: float | None

    @property
    def seekable(self) -> bool:
        return self.format in SEEKABLE

    @property
    def indexed(self) -> bool:
        return self.format in INDEXED


class Sound:
    """A file's first stream of sound, open for reading. Raises Unreadable for what is no sound."""

    def __init__(self, file: BinaryIO) -> None:
        try:
            self._container: Any = av.open(
                file,
                mode="r",
                metadata_errors="ignore",
                options={"format_whitelist": FORMATS, "protocol_whitelist": "none"},
            )
        except BROKEN as error:
            raise Unreadable(_said_by(error, "no sound of a known format")) from error
        try:
            self._stream = self._chosen()
            self._origin = max(0, self._container.start_time or 0) / av.time_base
            self.header = self._header()
        except BaseException:
            self._container.close()
            raise
        self.ended = False
        """The last read met the end of the file before the end that was asked for."""
        self.damaged = 0
        """Packets that could not be decoded."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._container.close()

    def _chosen(self) -> Any:
        if not self._container.streams.audio:
            raise Unreadable("no sound in it")
        stream = self._container.streams.audio[0]
        rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
        if not LEAST_RATE <= rate <= MOST_RATE:
            raise Unreadable(f"{rate:,} samples a second, outside {LEAST_RATE:,} to {MOST_RATE:,}")
        if not 1 <= channels <= MOST_CHANNELS:
            raise Unreadable(f"{channels} channels, more than {MOST_CHANNELS}")
        return stream

    def _header(self) -> Header:
        said = None
        if self._stream.duration is not None:
            said = float(self._stream.duration * self._stream.time_base)
        elif self._container.duration is not None:
            said = self._container.duration / av.time_base
        name = self._container.format.name.split(",")[0]
        return Header(name, said if said is not None and 0 < said <= MOST_SECONDS else None)

    def read(self, start: int = 0, end: int | None = None) -> Iterator[Samples]:
        """The samples from number `start` up to `end` (or the end of the file), in parts, without a gap: what
        is missing in the file is silence. Sets `ended`, counts in `damaged`."""
        self.ended = False
        place = start
        for position, samples in self._placed(start):
            if position > place:
                for missing in _silence(min(position, end or position) - place):
                    place += len(missing)
                    yield missing
            samples = samples[max(0, place - position) :]
            if end is not None:
                samples = samples[: max(0, end - place)]
            if len(samples):
                place += len(samples)
                yield samples
            if end is not None and place >= end:
                return
        self.ended = True

    def _placed(self, start: int) -> Iterator[tuple[int, Samples]]:
        """Parts of the sound from before `start`, each with the number of its first sample."""
        self._go(max(0.0, start / RATE - PREROLL))
        resampler, position, expected = _resampler(), None, 0.0
        for frame in self._frames():
            at = self._time(frame)
            if position is None:
                expected = at if at is not None else 0.0
                position = round(expected * RATE)
            elif at is not None and at > expected + GAP:
                for samples in _out(resampler, None):
                    yield position, samples
                resampler, expected = _resampler(), at
                position = max(round(at * RATE), position)
            expected += frame.samples / frame.sample_rate
            frame.pts = None
            for samples in _out(resampler, frame):
                yield position, samples
                position += len(samples)
        if position is not None:
            for samples in _out(resampler, None):
                yield position, samples
                position += len(samples)

    def _go(self, seconds: float) -> None:
        offset = int((seconds + self._origin) / self._stream.time_base)
        try:
            self._container.seek(offset if seconds > 0 else 0, stream=self._stream, backward=True)
        except BROKEN as error:
            if seconds > 0:
                raise Unreadable(_said_by(error, f"second {seconds:.0f} cannot be gone to")) from error

    def _time(self, frame: Any) -> float | None:
        """Seconds from the file's start, None where the frame does not say or cannot be right."""
        if frame.pts is None or frame.time_base is None:
            return None
        at = float(frame.pts * Fraction(frame.time_base)) - self._origin
        most = MOST_SECONDS if self.header.said is None else self.header.said + 60
        return at if at <= most else None

    def _frames(self) -> Iterator[Any]:
        """Decoded frames; a packet that cannot be decoded is counted and passed over."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except BROKEN:
                self.damaged += 1
                return
            try:
                frames = packet.decode()
            except BROKEN:
                self.damaged += 1
                continue
            for frame in frames:
                if frame.samples and frame.sample_rate and LEAST_RATE <= frame.sample_rate <= MOST_RATE:
                    yield frame


def _resampler() -> Any:
    return av.AudioResampler(format="flt", layout="mono", rate=RATE)


def _out(resampler: Any, frame: Any) -> Iterator[Samples]:
    try:
        found = resampler.resample(frame)
    except BROKEN as error:
        raise Unreadable(_said_by(error, "its channels cannot be mixed to one")) from error
    for part in found:
        yield part.to_ndarray().reshape(-1)


def _silence(count: int) -> Iterator[Samples]:
    while count > 0:
        some = min(count, 60 * RATE)
        yield np.zeros(some, np.float32)
        count -= some


def _said_by(error: BaseException, otherwise: str) -> str:
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{otherwise} ({words})"
