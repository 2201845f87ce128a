"""The course of a movement between its beginning and its end.

Voluntary movements follow minimum-jerk curves (Flash & Hogan 1985), which start and stop smoothly.
Time is warped a little so that an onset is fastest early and an offset ends slowly, as in facial
movements. An expression that comes and goes does not stop before its apex: the onset ends, and the
offset begins, with the speed of the apex phase there.
"""

from __future__ import annotations

from dataclasses import dataclass

_ONSET_BEND = 0.15
_OFFSET_BEND = 0.3
_RISE = 0.15
"""The largest part of the height gained within the apex phase: it is a crest, no plateau."""
_FASTEST = 1.5
"""The end speed, relative to the mean, up to which a minimum-jerk curve slows down there."""


def minimum_jerk(way: float, arriving: float = 0.0) -> float:
    """From 0 at 0 to 1 at 1, with speed and acceleration 0 at both ends unless `arriving` is set.

    Args:
        way: share of the time, 0 to 1.
        arriving: the speed at the end, relative to the mean speed.
    """
    u = min(max(way, 0.0), 1.0)
    cube = u * u * u
    return cube * (10.0 + u * (6.0 * u - 15.0) + arriving * (u * (7.0 - 3.0 * u) - 4.0))


def onset(way: float, arriving: float = 0.0) -> float:
    """Height (0..1) of a movement that begins, at a share (0..1) of its time."""
    return minimum_jerk(_bent(way, _ONSET_BEND), arriving)


def offset(way: float, leaving: float = 0.0) -> float:
    """Height (1..0) of a movement that ends, at a share (0..1) of its time."""
    return minimum_jerk(1.0 - _bent(way, _OFFSET_BEND), leaving)


def _bent(way: float, bend: float) -> float:
    """Warped time: 1 + bend times as fast at the beginning, 1 - bend times at the end."""
    u = min(max(way, 0.0), 1.0)
    return u + bend * u * (1.0 - u)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crest:
    """How onset, apex and offset of one expression join."""

    rise: float = _RISE
    """Share of the height that the first half of the apex phase still rises."""
    fall: float = _RISE
    """Share that its second half falls already; none where no offset follows."""
    arriving: float = 0.0
    """The onset's speed at its end, as in `minimum_jerk`."""
    leaving: float = 0.0
    """The offset's speed at its beginning."""

    @classmethod
    def of(cls, onset: float, apex: float, offset: float | None) -> Crest:
        """The crest of phases that last so many seconds; the offset may be none."""
        rise, arriving = _joint(onset, apex, 1.0 - _ONSET_BEND)
        if offset is None:
            return cls(rise=rise, fall=0.0, arriving=arriving)
        fall, leaving = _joint(offset, apex, 1.0 + _OFFSET_BEND)
        return cls(rise=rise, fall=fall, arriving=arriving, leaving=leaving)

    def onset(self, way: float) -> float:
        """Height (0..1) at a share of the onset's time."""
        return (1.0 - self.rise) * onset(way, self.arriving)

    def apex(self, way: float) -> float:
        """Height at a share of the apex phase: 1 in its middle, less before and after."""
        aside = 2.0 * min(max(way, 0.0), 1.0) - 1.0
        return 1.0 - (self.rise if aside < 0 else self.fall) * aside * aside

    def offset(self, way: float) -> float:
        """Height (1..0) at a share of the offset's time."""
        return (1.0 - self.fall) * offset(way, self.leaving)


def _joint(change: float, apex: float, bent: float) -> tuple[float, float]:
    """The height gained within the apex phase, and the speed of the change beside it there.

    Args:
        change: seconds of the onset or the offset.
        apex: seconds of the apex phase.
        bent: the speed of the change's warped time where they meet.
    """
    fastest = _FASTEST * bent * apex
    rise = min(_RISE, fastest / (4.0 * change + fastest))
    return rise, 4.0 * rise * change / ((1.0 - rise) * apex * bent)
