"""Is the sound the driving clip's own, and in time?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from retarget.evaluation import video
from retarget.evaluation.catalog import Sheet
from retarget.evaluation.video import SoundPackets

_RATE = 1000
"""Samples per second of the compared waves, and so the resolution of the offset."""
_SECONDS = 60.0
_MOSTLY = 0.9
"""Share of equal packets above which their times give the offset; fewer may be silence."""
_FARTHEST = 1.0
"""Seconds of offset that are searched."""


def measure(
    driving: Path, result: Path, sheet: Sheet, start: float = 0.0, end: float | None = None
) -> None:
    """Note the figures of sound; the result is of the driving clip's seconds `start` to `end`."""
    keys = ("sound.packets", "sound.offset")
    wanted, made = video.sound_packets(driving), video.sound_packets(result)
    if wanted is None:
        sheet.miss("the driving clip has no sound", *keys)
        return
    if made is None:
        sheet.put(keys[0], 0.0, "the result has no sound")
        sheet.miss("the result has no sound", keys[1])
        return
    wanted = wanted.between(start, end)
    equal, offset = same_packets(wanted, made, start)
    sheet.put(keys[0], equal * 100, f"{len(made.digests)} packets, driving {len(wanted.digests)}")
    if offset is not None and equal > _MOSTLY:
        sheet.put(keys[1], offset * 1000, "from packet times")
        return
    heard = wave_offset(driving, result, start)
    if heard is None:
        sheet.miss("the two sounds do not resemble each other", keys[1])
    else:
        sheet.put(keys[1], heard * 1000, "by cross-correlation of loudness")


def same_packets(
    driving: SoundPackets, result: SoundPackets, start: float = 0.0
) -> tuple[float, float | None]:
    """(share of the driving packets found in the result in order 0..1, their median offset in s).

    The result begins at second `start` of the driving clip.

    A packet that occurs several times (silence) is matched in order.
    """
    places: dict[bytes, list[int]] = {}
    for i, digest in enumerate(result.digests):
        places.setdefault(digest, []).append(i)
    offsets = []
    for digest, at in zip(driving.digests, driving.starts, strict=True):
        if places.get(digest):
            offsets.append(result.starts[places[digest].pop(0)] - (at - start))
    if not offsets:
        return 0.0, None
    return len(offsets) / len(driving.digests), float(np.median(offsets))


def wave_offset(driving: Path, result: Path, start: float = 0.0) -> float | None:
    """Seconds by which the result's sound is late, from the loudness of the result's first minute.

    The peak of the cross-correlation; None where it is below 0.5.
    """
    waves = ((driving, start), (result, 0.0))
    a, b = (np.abs(video.sound_wave(p, _RATE, _SECONDS, begin)) for p, begin in waves)
    a, b = a - a.mean(), b - b.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    if size == 0:
        return None
    reach = int(_FARTHEST * _RATE)
    length = 2 * len(a)
    product = np.fft.irfft(np.conj(np.fft.rfft(a, length)) * np.fft.rfft(b, length), length)
    lags = np.concatenate([np.arange(reach + 1), np.arange(-reach, 0)])
    peaks = product[lags] / size
    best = int(np.argmax(peaks))
    return float(lags[best]) / _RATE if peaks[best] > 0.5 else None
