"""How a movement runs between its beginning and its end.

Voluntary movements follow minimum-jerk curves (Flash & Hogan 1985): they start and stop without a
jolt. Time is bent a little so that an onset is fastest early and an offset dies away slowly, as
facial movements do; durations are the timeline's.
"""

from __future__ import annotations

import math

_ONSET_BEND = 0.9
_OFFSET_BEND = 0.8
APEX_RISE = 0.15
"""Share of the height that is reached within the apex phase: an apex is a crest, not a plateau."""


def minimum_jerk(way: float) -> float:
    """0 at 0, 1 at 1; speed and acceleration are 0 at both ends."""
    u = min(max(way, 0.0), 1.0)
    return u * u * u * (10.0 + u * (6.0 * u - 15.0))


def onset(way: float) -> float:
    """Height (0..1) of a movement that begins, at a share (0..1) of its time."""
    return minimum_jerk(min(max(way, 0.0), 1.0) ** _ONSET_BEND)


def offset(way: float) -> float:
    """Height (1..0) of a movement that ends, at a share (0..1) of its time."""
    return 1.0 - minimum_jerk(min(max(way, 0.0), 1.0) ** _OFFSET_BEND)


def apex(way: float) -> float:
    """Height within the apex phase: 1 in its middle, `APEX_RISE` less at its ends."""
    return 1.0 - APEX_RISE * math.cos(math.pi * min(max(way, 0.0), 1.0)) ** 2
