"""Expressions over time: `neutral 0.5s > fear:0.2 120ms/80ms/200ms > neutral 1s`.

A step is an expression and a time. One time (`0.5s`) is the whole step: the face changes into the
expression and stays. Two (`120ms/80ms`) are onset and apex. Three are onset, apex and offset; the
offset leads into the next step if that one has a single time, and to neutral otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np

from retarget.errors import RetargetError
from retarget.flow import blendshapes
from retarget.flow.values import Instant
from retarget.language import profile
from retarget.language.blinks import Blink, plan
from retarget.language.say import NOTHING, Said
from retarget.language.settings import BlinkSettings, PaceSettings

Phase: TypeAlias = Literal["hold", "change", "onset", "apex", "offset"]

MAX_SECONDS = 3600
MAX_STEPS = 2000
SLOWEST, FASTEST = 1, 240
"""Frames per second that may be asked for."""

_LEFT = np.array([name.endswith("Left") for name in blendshapes.NAMES])
_RIGHT = np.array([name.endswith("Right") for name in blendshapes.NAMES])
_BLINK = [blendshapes.INDEX["eyeBlinkLeft"], blendshapes.INDEX["eyeBlinkRight"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One expression and its times in seconds, as they were written."""

    text: str
    said: Said
    times: tuple[Fraction, ...]
    """None, one (the whole step), two (onset, apex) or three (and offset)."""
    where: str
    """Where it stands, for messages: `step 2`, `stimuli.toml, line 12`."""


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

        The first frame that has begun to change, the frame nearest to the largest expression, and
        the last frame that has not yet arrived at what follows.
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
        # Beneath the crest, what came before gives way to what comes after.
        base = self.before.toward(self.after, profile.minimum_jerk(way))
        return base.toward(self.peak, self.crest.apex(way))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One frame of a timeline."""

    index: int
    at: Instant
    said: Said
    blink: float
    """How far a blink has lowered the lids, 0..1; it is part of `said.weights` already."""
    phase: Phase
    event: int | None
    """Which of the timeline's events this frame belongs to."""


class Timeline:
    """Steps laid out in time.

    Args:
        steps: what happens, in order.
        pace: times that the steps leave open; None for the usual ones.
        blinking: whether and how the eyes blink; None for eyes that do not.

    Raises:
        RetargetError: there are no steps, or more and longer ones than can be meant.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        pace: PaceSettings | None = None,
        blinking: BlinkSettings | None = None,
    ) -> None:
        if not steps or len(steps) > MAX_STEPS:
            raise RetargetError(
                f"A timeline has 1 to {MAX_STEPS} steps, and this one has {len(steps)}.",
                do="Write at least one expression, or split the timeline.",
            )
        pace = pace or PaceSettings()
        blinking = blinking or BlinkSettings()
        self._lag = pace.lag_ms / 1000
        self.segments = tuple(_laid_out(steps, pace))
        self.duration = self.segments[-1].end
        if self.duration > MAX_SECONDS:
            raise RetargetError(
                f"The timeline lasts {float(self.duration):g} s, and {MAX_SECONDS} are the most.",
                do="Split it into several clips.",
            )
        self.events = tuple(_events(self.segments, _seconds(pace.lag_ms)))
        busy = [] if blinking.during_events else [_span(e) for e in self.events]
        self.blinks: tuple[Blink, ...] = plan(float(self.duration), blinking, busy)

    def at(self, seconds: float) -> Said:
        """What the face does at a moment, without blinks."""
        now = self.segment(seconds).at(seconds)
        if not self._lag:
            return now
        late = self.segment(seconds - abs(self._lag)).at(max(seconds - abs(self._lag), 0.0))
        lagging = _LEFT if self._lag > 0 else _RIGHT
        return replace(now, weights=np.where(lagging, late.weights, now.weights))

    def segment(self, seconds: float | Fraction) -> Segment:
        """The segment a moment lies in; the last one also holds what comes after it.

        A moment between two belongs to the first of them; only a fraction says which one it is.
        """
        for segment in self.segments:
            if seconds <= segment.end:
                return segment
        return self.segments[-1]

    def frame_count(self, rate: Fraction) -> int:
        """How many frames the timeline fills."""
        return max(1, round(self.duration * rate))

    def moments(self, rate: Fraction) -> Iterator[Moment]:
        """Every frame, in order."""
        self.check(rate)
        spans = [_span(e) for e in self.events]
        for index in range(self.frame_count(rate)):
            exact = index / rate
            seconds = float(exact)
            said = self.at(seconds)
            blink = max((b.at(seconds) for b in self.blinks), default=0.0)
            inside = (i for i, (start, end) in enumerate(spans) if start < exact < end)
            yield Moment(
                index=index,
                at=Instant(index, 1 / rate),
                said=_blinking(said, blink),
                blink=blink,
                phase=self.segment(exact).phase,
                event=next(inside, None),
            )

    def check(self, rate: Fraction) -> None:
        """Refuse a rate that cannot show what was written.

        Raises:
            RetargetError: a phase is shorter than one frame.
        """
        check_rate(rate)
        for segment in self.segments:
            lasts = segment.end - segment.start
            if lasts < 1 / rate and segment.phase != "change":
                raise RetargetError(
                    f"The {segment.phase} of {segment.step.text!r} ({segment.step.where}) lasts "
                    f"{float(lasts * 1000):g} ms, less than one frame at {float(rate):g} "
                    "frames per second.",
                    do=_remedy(lasts, rate),
                )


def check_rate(rate: Fraction) -> None:
    """Refuse a rate at which no clip is made.

    Raises:
        RetargetError: it is too low or too high.
    """
    if not SLOWEST <= rate <= FASTEST:
        raise RetargetError(
            f"{float(rate):g} frames per second cannot be made.",
            do=f"Choose {SLOWEST} to {FASTEST}.",
        )


def _remedy(lasts: Fraction, rate: Fraction) -> str:
    longer = f"Give it at least {math.ceil(10_000 / rate) / 10:.1f} ms"
    needed = -int(-1 / lasts // 1) if lasts else FASTEST + 1
    return f"{longer}, or use {needed} frames per second." if needed <= FASTEST else f"{longer}."


def _blinking(said: Said, blink: float) -> Said:
    if not blink:
        return said
    weights = said.weights.copy()
    weights[_BLINK] = np.maximum(weights[_BLINK], np.float32(blink))
    units = {**said.units, "AU45": max(blink, said.units.get("AU45", 0.0))}
    return replace(said, weights=weights, units=units)


def _span(event: Event) -> tuple[float, float]:
    return float(event.onset), float(event.offset)


def _laid_out(steps: Sequence[Step], pace: PaceSettings) -> Iterator[Segment]:
    """Segments without gaps; each begins with what the one before it ended with."""
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
    lasts = step.times[0] if step.times else _seconds(pace.hold_ms)
    change = Fraction(0) if arrived else min(_seconds(pace.travel_ms), lasts / 2)
    return [("change", change), ("hold", lasts - change)]


def _seconds(milliseconds: float) -> Fraction:
    return Fraction(milliseconds).limit_denominator(1000) / 1000


def _events(segments: Sequence[Segment], lag: Fraction) -> Iterator[Event]:
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
    """How late the first and the last part of the face are that take part in a movement.

    Where nothing moves, as at intensity 0, as late as if both sides did: what is compared with most
    expressions is marked as they are.
    """
    lagging = _LEFT if lag > 0 else _RIGHT
    ends = (segment.before, segment.after)
    moves = np.any([segment.peak.weights != end.weights for end in ends], axis=0)
    turns = any(segment.peak.head != end.head for end in ends)
    calm, late = not (moves.any() or turns), abs(lag)
    first = Fraction(0) if moves[~lagging].any() or turns or calm else late
    return first, late if moves[lagging].any() or calm else Fraction(0)
