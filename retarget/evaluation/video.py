"""Read what an evaluation needs of a file: frames, single pictures, sound packets, a sound wave.

A path may end with a mark that chooses the face to measure: two.mp4#right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from retarget.errors import UnreadableInput
from retarget.face.settings import NamedFace, named_face
from retarget.flow.arrays import Floats, Picture
from retarget.flow.paths import check_no_stream, is_there
from retarget.flow.values import VideoFrame
from retarget.source.open import open_source
from retarget.source.source import Source


def present(path: str | Path) -> Path:
    """The path of a file or folder that is there.

    Raises:
        UnreadableInput: it is not.
        RetargetError: what stands behind its name says no face.
    """
    path = Path(path)
    check_no_stream(path)
    if not is_there(named(path).file):
        raise UnreadableInput(f"There is no file {path}.", do="Check the path.")
    return path


def named(path: Path) -> NamedFace:
    """The file, and the mark that chooses one of its faces, if there is one."""
    return named_face(str(path))


def opened(path: Path) -> AbstractContextManager[Source]:
    """The opened file, without its mark."""
    return open_source(named(path).file)


def frames(path: Path) -> Iterator[VideoFrame]:
    """Every frame, upright, in the order of showing."""
    with opened(path) as source:
        yield from source.frames()


def frame_count(path: Path) -> int | None:
    """About how many frames the file has; None where that is not known."""
    with opened(path) as source:
        return source.info.count


def picked(path: Path, indices: set[int]) -> dict[int, Picture]:
    """The pictures (height, width, 3) at a few frame indices."""
    out: dict[int, Picture] = {}
    if indices:
        last = max(indices)
        for frame in frames(path):
            if frame.index in indices:
                out[frame.index] = frame.rgb
            if frame.index >= last:
                break
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundPackets:
    """The sound as it is stored."""

    digests: tuple[bytes, ...]
    """16 bytes for each packet."""
    starts: tuple[float, ...]
    """Seconds of each packet after the first picture."""

    def between(self, start: float, end: float | None) -> SoundPackets:
        """Those that begin from second `start` to `end`; with 0 also those before the picture."""
        last = float("inf") if end is None else end
        kept = [i for i, at in enumerate(self.starts) if (at >= start or not start) and at < last]
        return SoundPackets(
            digests=tuple(self.digests[i] for i in kept), starts=tuple(self.starts[i] for i in kept)
        )


def sound_packets(path: Path) -> SoundPackets | None:
    """The packets of the sound; None where there is none."""
    with opened(path) as source:
        sound = source.sound()
        if sound is None:
            return None
        first = next(source.frames()).at.exact
        digests: list[bytes] = []
        starts: list[Fraction] = []
        with sound.open() as stored:
            for at, packet in stored.packets():
                digests.append(hashlib.blake2b(bytes(packet), digest_size=16).digest())
                starts.append(at - first)
    return SoundPackets(digests=tuple(digests), starts=tuple(float(s) for s in starts))


def sound_wave(path: Path, rate: int, seconds: float, start: float = 0.0) -> Floats:
    """(samples,) a piece of the sound as a mono wave, silent where it is broken.

    Args:
        path: a file with pictures; without sound the wave is silent.
        rate: samples per second.
        seconds: how much to read; this bounds the memory.
        start: seconds from the first picture to the wave's first sample.
    """
    room = int(rate * seconds)
    out = np.zeros(room, np.float32)
    with opened(path) as source:
        sound = source.sound()
        if sound is None:
            return out
        first = next(source.frames()).at.exact
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        place: int | None = None
        with sound.open() as stored:
            for at, packet in stored.packets():
                if place is None:
                    place = round((float(at - first) - start) * rate)
                try:
                    heard = packet.decode()
                except av.FFmpegError:  # the sound of a broken packet is silence
                    place += round(float((packet.duration or 0) * packet.time_base) * rate)
                    continue
                for decoded in heard:
                    for part in resampler.resample(decoded):
                        place = _lay(part.to_ndarray()[0], place, out)
                if place >= room:
                    break
    return out


def _lay(wave: Floats, place: int, out: Floats) -> int:
    """Copy what fits of `wave` to `place`; return where the next one goes."""
    low, high = max(place, 0), min(place + len(wave), len(out))
    if high > low:
        out[low:high] = wave[low - place : high - place]
    return place + len(wave)
