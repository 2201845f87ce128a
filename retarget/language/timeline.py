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

import numpy as np

from retarget.errors import RetargetError
from retarget.flow import blendshapes
from retarget.flow.values import Instant
from retarget.language import segments
from retarget.language.blinks import Blink, plan
from retarget.language.say import Said
from retarget.language.settings import BlinkSettings, PaceSettings

MAX_SECONDS = 3600
MAX_STEPS = 2000
SLOWEST, FASTEST = 1, 240
"""Frames per second that may be asked for."""

_BLINK = [blendshapes.INDEX["eyeBlinkLeft"], blendshapes.INDEX["eyeBlinkRight"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One frame of a timeline."""

    index: int
    at: Instant
    said: Said
    blink: float
    """How far a blink has lowered the lids, 0..1; it is part of `said.weights` already."""
    phase: segments.Phase
    event: int | None
    """Which of the timeline's events this frame belongs to."""


class Timeline:
    """Steps in time, frame by frame.

    Args:
        steps: the expressions, in order.
        pace: times that the steps leave open; None for the defaults.
        blinking: whether and how the eyes blink; None for no blinks.

    Raises:
        RetargetError: there are no steps, or too many or too long ones.
    """

    def __init__(
        self,
        steps: Sequence[segments.Step],
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
        self.segments = tuple(segments.laid_out(steps, pace))
        self.duration = self.segments[-1].end
        if self.duration > MAX_SECONDS:
            raise RetargetError(
                f"The timeline lasts {float(self.duration):g} s, and {MAX_SECONDS} are the most.",
                do="Split it into several clips.",
            )
        self.events = tuple(segments.events(self.segments, segments.exact_seconds(pace.lag_ms)))
        busy = [] if blinking.during_events else [_span(e) for e in self.events]
        self.blinks: tuple[Blink, ...] = plan(float(self.duration), blinking, busy)

    def at(self, seconds: float) -> Said:
        """What the face does at a moment, without blinks."""
        now = self.segment(seconds).at(seconds)
        if not self._lag:
            return now
        late = self.segment(seconds - abs(self._lag)).at(max(seconds - abs(self._lag), 0.0))
        lagging = segments.LEFT if self._lag > 0 else segments.RIGHT
        return replace(now, weights=np.where(lagging, late.weights, now.weights))

    def segment(self, seconds: float | Fraction) -> segments.Segment:
        """The segment a moment lies in; the last one also holds what comes after it.

        A moment on the border belongs to the first of the two, which only a fraction can tell.
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
        """Refuse a rate that is too low for a phase of the timeline.

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
    """Refuse a rate outside `SLOWEST` to `FASTEST`.

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


def _span(event: segments.Event) -> tuple[float, float]:
    return float(event.onset), float(event.offset)
