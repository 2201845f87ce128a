"""Times and rates as people write them."""

from __future__ import annotations

import re
from fractions import Fraction

from retarget.errors import RetargetError

_SECONDS = re.compile(r"(?:(\d+):)?(?:(\d+):)?(\d+(?:\.\d+)?)(s)?")
_RATE = re.compile(r"\d{1,6}(/[1-9]\d{0,4}|\.\d{1,20})?")
_FINEST = 1_000_000
"""The largest denominator of a rate, against rounding errors of computed ones."""
_NTSC = Fraction(1000, 1001)


def seconds_of(word: str) -> float | None:
    """Seconds of a time such as `3.5s`, `0:03.5` or `1:00:03`; None where it is not a time."""
    time = _SECONDS.fullmatch(word)
    if time is None or not (time[4] or time[1]):
        return None
    seconds = 0.0
    for part in (time[1], time[2], time[3]):
        if part is not None:
            seconds = seconds * 60 + float(part)
    return seconds


def read_rate(text: str) -> Fraction:
    """Frames per second as an exact fraction: `60`, `30000/1001`, or `29.97` for the latter.

    Raises:
        RetargetError: it is no such number.
    """
    text = text.strip()
    rate = Fraction(text if _RATE.fullmatch(text) else 0).limit_denominator(_FINEST)
    if not rate:
        raise RetargetError(
            f"{text!r} is not a rate of frames per second.", do="Write 60, 59.94 or 60000/1001."
        )
    broadcast = round(rate / _NTSC) * _NTSC
    if "." in text and rate != round(rate) and abs(float(rate - broadcast)) < 0.006:
        return broadcast
    return rate
