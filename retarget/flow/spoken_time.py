"""Times as people write them."""

from __future__ import annotations

import re

_SECONDS = re.compile(r"(?:(\d+):)?(?:(\d+):)?(\d+(?:\.\d+)?)(s)?")


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
