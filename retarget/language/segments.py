"""Lay the steps of a timeline out as segments of time without gaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np

from retarget.flow import blendshapes
from retarget.language import profile
from retarget.language.say import NOTHING, Said
from retarget.language.settings import PaceSettings

Phase: TypeAlias = Literal["hold", "change", "onset", "apex", "offset"]
LEFT = np.array([name.endswith("Left") for name in blendshapes.NAMES])
RIGHT = np.array([name.endswith("Right") for name in blendshapes.NAMES])


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One expression and its times in seconds, as they were written."""

    text: str
    said: Said
    times: tuple[Fraction, ...]
    """No time, one (the whole step), two (onset, apex) or three (onset, apex, offset)."""
    where: str
    """Its place, for messages: `step 2`, `stimuli.toml, line 12`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An expression that comes and goes; seconds from the beginning."""

    text: str
    onset: Fraction
    """When the face begins to change."""
    apex: Fraction
    """When the expression is largest: the middle of the apex phase."""
    offset: Fraction
    """When the face has left the expression."""

    def frames(self, rate: Fraction) -> tuple[int, int, int]:
        """(onset, apex, offset) frame numbers from 0.

        The first frame after the onset, the frame nearest to the apex, and the last frame before
        the end of the offset.
        """
        first = int(self.onset * rate) + 1
        last = -int(-self.offset * rate // 1) - 1
        return first, min(max(round(self.apex * rate), first), last), last


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of the timeline with one kind of movement."""

    phase: Phase
    start: Fraction
    end: Fraction
    before: Said
    peak: Said
    after: Said
    step: Step
    crest: profile.Crest
    """How a step's onset, apex and offset join."""

    def at(self, seconds: float) -> Said:
        """What the face does at a moment within the segment."""
        way = (seconds - float(self.start)) / float(self.end - self.start)
        if self.phase == "hold":
            return self.peak
        if self.phase == "change":
            return self.before.toward(self.peak, profile.onset(way))
        if self.phase == "onset":
            return self.before.toward(self.peak, self.crest.onset(way))
        if self.phase == "offset":
            return self.after.toward(self.peak, self.crest.offset(way))
        # Under the crest the base changes from what came before to what comes after.
        base = self.before.toward(self.after, profile.minimum_jerk(way))
        return base.toward(self.peak, self.crest.apex(way))


def laid_out(steps: Sequence[Step], pace: PaceSettings) -> Iterator[Segment]:
    """Segments without gaps; each begins with the expression at the end of the one before."""
    now, clock = steps[0].said, Fraction(0)
    arrived = True  # whether the face already shows the first step's expression
    for i, step in enumerate(steps):
        following = steps[i + 1] if i + 1 < len(steps) else None
        after = step.said
        if len(step.times) == 3:
            leads_on = following is not None and len(following.times) < 2
            after = following.said if following is not None and leads_on else NOTHING
        if i == 0 and len(step.times) > 1:
            now = NOTHING
        crest = _crest(step)
        for phase, lasts in _phases(step, pace, arrived):
            if not lasts:
                continue
            yield Segment(
                phase=phase,
                start=clock,
                end=clock + lasts,
                before=now,
                peak=step.said,
                after=after,
                step=step,
                crest=crest,
            )
            clock += lasts
        arrived = len(step.times) == 3 and following is not None and len(following.times) < 2
        now = after


def _crest(step: Step) -> profile.Crest:
    onset, apex, offset = (*map(float, step.times), None, None, None)[:3]
    return profile.Crest() if onset is None or not apex else profile.Crest.of(onset, apex, offset)


def _phases(step: Step, pace: PaceSettings, arrived: bool) -> list[tuple[Phase, Fraction]]:
    if len(step.times) > 1:
        names: tuple[Phase, ...] = ("onset", "apex", "offset")
        return list(zip(names, step.times, strict=False))
    lasts = step.times[0] if step.times else exact_seconds(pace.hold_ms)
    change = Fraction(0) if arrived else min(exact_seconds(pace.travel_ms), lasts / 2)
    return [("change", change), ("hold", lasts - change)]


def exact_seconds(milliseconds: float) -> Fraction:
    """Milliseconds, rounded to thousandths, as a fraction of a second."""
    return Fraction(milliseconds).limit_denominator(1000) / 1000


def events(segments: Sequence[Segment], lag: Fraction) -> Iterator[Event]:
    """The events in segments, where one side of the face moves `lag` seconds late."""
    whole = segments[-1].end
    for onset, apex, offset in zip(segments, segments[1:], segments[2:], strict=False):
        if (onset.phase, apex.phase, offset.phase) == ("onset", "apex", "offset"):
            first, last = _delays(onset, lag)
            yield Event(
                text=onset.step.text,
                onset=onset.start + first,
                apex=(apex.start + apex.end + first + last) / 2,
                offset=min(offset.end + last, whole),
            )


def _delays(segment: Segment, lag: Fraction) -> tuple[Fraction, Fraction]:
    """Seconds of delay of the first and of the last part of the face that moves.

    Where nothing moves, as at intensity 0, the delays are those of a movement on both sides, so
    that clips that are compared have the same marks.
    """
    lagging = LEFT if lag > 0 else RIGHT
    ends = (segment.before, segment.after)
    moves = np.any([segment.peak.weights != end.weights for end in ends], axis=0)
    turns = any(segment.peak.head != end.head for end in ends)
    calm, late = not (moves.any() or turns), abs(lag)
    first = Fraction(0) if moves[~lagging].any() or turns or calm else late
    return first, late if moves[lagging].any() or calm else Fraction(0)
